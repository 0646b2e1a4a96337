"""What a turn asks of the world now that it did not ask then: models, tools, hosts, effects of one's own.

In: a turn's messages then and now, and which agents stand for something outside. Out: its new questions, each with the
one that it replaces; whether the turn differs in nothing else. The same question has its answer in the record.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from caxton import exact_numbers

Forms = Sequence[dict[str, Any]]
_write = msgspec.json.Encoder(order="sorted").encode


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question that has no answer in the record; `tokens` and `money` are the most that asking it may cost."""

    to: str
    before: Any = None
    """The question of then, in its place; None where there was none."""
    after: Any
    tokens: int = 0
    money: float = 0.0


Cost = Callable[[str, bytes], tuple[int, float] | None]
"""Of an agent's full name and a content; None where the agent stands for nothing outside."""


def asked_anew(then: Forms, now: Forms, cost: Cost) -> tuple[list[Asked], bool]:
    """The new questions of a turn, and whether it says nothing else that is new."""
    old, new = _questions(then, cost), _questions(now, cost)
    known = [_write(message) for _, message in old]
    kept: list[bytes] = []
    anew: list[tuple[str, dict[str, Any]]] = []
    for to, message in new:
        line = _write(message)
        if line in known:
            known.remove(line)
            kept.append(line)
        else:
            anew.append((to, message))
    for line in kept:
        old.pop(next(place for place, one in enumerate(old) if _write(one[1]) == line))
    found: list[Asked] = []
    for to, message in anew:
        place = next((place for place, one in enumerate(old) if one[0] == to), None)
        before = old.pop(place)[1].get("content") if place is not None else None
        content = message.get("content")
        tokens, money = cost(to, exact_numbers.text(content, -1).encode()) or (0, 0.0)
        found.append(Asked(to=to, before=before, after=content, tokens=tokens, money=money))
    rest = [message for message in now if not _to(message, cost)]
    return found, rest == [message for message in then if not _to(message, cost)]


def _questions(messages: Forms, cost: Cost) -> list[tuple[str, dict[str, Any]]]:
    return [(to, message) for message in messages if (to := _to(message, cost))]


def _to(message: dict[str, Any], cost: Cost) -> str | None:
    """The agent outside that a message asks something of."""
    if message.get("performative") != "request":
        return None
    return next((one for one in message.get("receiver", ()) if cost(one, b"null") is not None), None)
