"""What a turn asks of the world now that it did not ask then: models, tools, hosts, effects of one's own.

In: a turn's messages then and now, and which agents stand for something outside. Out: its new questions, each with the
one that it replaces; whether the turn differs in nothing else. The same question has its answer in the record.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from caxton import exact_numbers

Forms = Sequence[dict[str, Any]]
_write = msgspec.json.Encoder(order="sorted").encode


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question that has no answer in the record; `tokens` and `money` are the most that asking it may cost, or what
    it has cost."""

    to: str
    before: Any = None
    """The question of then, in its place; None where there was none."""
    after: Any
    tokens: int = 0
    money: float = 0.0
    answer: Any = None
    source: str | None = None
    """`live` where it was asked for real, `record` where the record had an answer to it elsewhere; None: not asked."""


Cost = Callable[[str, bytes], tuple[int, float] | None]
"""Of an agent's full name and a content; None where the agent stands for nothing outside."""


class NewQuestion(NamedTuple):
    """A message of now that asks the world, and the place of the one of then that it replaces."""

    to: str
    message: dict[str, Any]
    replaces: int | None


def compared(then: Forms, now: Forms, cost: Cost) -> tuple[list[NewQuestion], set[int]]:
    """What a turn asks now and did not then; the places of what it asked then and does not now, in any way."""
    old, new = _questions(then, cost), _questions(now, cost)
    left = {place: (to, _write(then[place])) for place, to in old}
    anew: list[tuple[int, str]] = []
    for at, to in new:
        same = next((place for place, one in left.items() if one == (to, _write(now[at]))), None)
        if same is None:
            anew.append((at, to))
        else:
            del left[same]
    found: list[NewQuestion] = []
    for at, to in anew:
        place = next((place for place, one in left.items() if one[0] == to), None)
        if place is not None:
            del left[place]
        found.append(NewQuestion(to, now[at], place))
    return found, set(left)


def asked_anew(then: Forms, now: Forms, cost: Cost) -> list[Asked]:
    """The new questions of a turn, none of which is asked."""
    found: list[Asked] = []
    for to, message, place in compared(then, now, cost)[0]:
        content = message.get("content")
        before = None if place is None else then[place].get("content")
        tokens, money = cost(to, written(content)) or (0, 0.0)
        found.append(Asked(to=to, before=before, after=content, tokens=tokens, money=money))
    return found


def says_the_same(then: Forms, now: Forms, cost: Cost) -> bool:
    """Whether nothing differs beside what it asks."""
    return [one for one in then if not outside(one, cost)] == [one for one in now if not outside(one, cost)]


def written(content: Any) -> bytes:
    """A content as it is sent."""
    return exact_numbers.text(content, -1).encode()


def canonical(content: Any) -> bytes:
    """A content as it is compared."""
    return _write(content)


def outside(message: dict[str, Any], cost: Cost) -> str | None:
    """The agent outside that a message asks something of."""
    if message.get("performative") != "request":
        return None
    return next((one for one in message.get("receiver", ()) if cost(one, b"null") is not None), None)


def _questions(messages: Forms, cost: Cost) -> list[tuple[int, str]]:
    return [(place, to) for place, message in enumerate(messages) if (to := outside(message, cost))]
