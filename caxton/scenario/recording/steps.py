"""The steps of a recorded scenario.

In: a story. Out: TOML, one step after the other: what was said from outside, at the pace at which it was, and what a
person would hold agents to: each act with its contents, how each conversation ended, what broke. What agents say to the
platform's own is left out, as what comes of it shows in the rest.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from caxton.presentation.names import short
from caxton.scenario.recording.masks import Masks, differs, has_mask
from caxton.scenario.recording.story import PLATFORM, Said, is_client
from caxton.scenario.toml_text import inline
from caxton.schemas.shape import micros

GROUPS: Final = 120
"""Of more expectations only those about what clients were told are kept one by one; of the rest how many there were."""
PAUSE_S: Final = 0.1
"""A shorter time between two messages from outside is none."""
_HOSTS: Final = ("id", "timestamp", "trace_id", "span_id", "redelivered")
_ORDER: Final = ("receiver", "performative", "protocol", "conversation_id", "content")

Clean = Callable[[Any], Any]


class Steps:
    """Writes the steps of one story."""

    def __init__(
        self, said: Sequence[Said], platform: str, *, content: Clean, text: Callable[[str], str]
    ) -> None:
        self._said = said
        self._platform = platform
        self._content = content
        self._text = text
        self._masks = Masks(one.message for one in said)
        self._names: dict[str, str] = {}
        self._began_us = self._last_us = said[0].row.at_us
        self._masks.near(self._began_us)
        for one in said:
            id = one.message.conversation_id
            # what a client began can be given another name; what an agent began cannot
            if one.outside and differs(id) and id not in self._names:
                self._names[id] = f"talk-{len(self._names) + 1}"

    def conversation(self, id: str) -> str | None:
        """What a conversation is called when it is played; None where that differs each time."""
        if id in self._names:
            return self._names[id]
        return None if differs(id) else self._text(id)

    # ------------------------------------------------------------------ what is said from outside

    def sent(self) -> Iterator[str]:
        """The messages from outside, with the pauses between them."""
        for one in self._said:
            if one.outside:
                pause_s = (one.row.at_us - self._last_us) / 1e6
                if pause_s >= PAUSE_S:
                    yield f"[[step]]\nadvance = {inline(_duration(pause_s))}\n"
                self._last_us = max(self._last_us, one.row.at_us)
                yield f"[[step]]\nsend = {inline(self._spoken(one))}\n"

    def _spoken(self, one: Said) -> dict[str, Any]:
        said: Mapping[str, Any] = one.message.json
        kept = [key for key in (*_ORDER, *said) if key in said and key not in _HOSTS]
        message: dict[str, Any] = {}
        for key in dict.fromkeys(kept):
            value = said[key]
            if key == "sender":
                if short(value, self._platform) != "operator":
                    message[key] = short(value, self._platform)
            elif key in ("receiver", "reply_to"):
                names = [short(name, self._platform) for name in value]
                message[key] = names[0] if len(names) == 1 else names
            elif key == "content":
                message[key] = self._content(value)
            elif key == "conversation_id":
                message[key] = self.conversation(value) or self._text(value)
            elif key == "reply_by":
                message[key] = _duration(max((_micros(value) - one.row.at_us) / 1e6, 0.001))
            elif value is not None:
                message[key] = self._text(value) if isinstance(value, str) else value
        return message

    # ------------------------------------------------------------------ what came of it

    def expected(self) -> Iterator[str]:
        """What agents said, by conversation."""
        groups: dict[tuple[str | None, str, str], dict[tuple[str, ...], list[Said]]] = {}
        for one in self._said:
            message = one.message
            names = [short(name, self._platform) for name in (message.sender, *message.receiver)]
            if not is_client(message.sender, self._platform) and not set(names) & {*PLATFORM}:
                place = (self.conversation(message.conversation_id), message.sender, message.performative)
                groups.setdefault(place, {}).setdefault(tuple(message.receiver), []).append(one)
        many = sum(map(len, groups.values())) > GROUPS
        counted: dict[tuple[str, str], int] = {}
        for (conversation, sender, act), by_receiver in groups.items():
            for receivers, said in by_receiver.items():
                if many and not any(is_client(name, self._platform) for name in receivers):
                    counted[sender, act] = counted.get((sender, act), 0) + len(said)
                else:
                    to = receivers if len(by_receiver) > 1 else ()
                    yield self._group(conversation, sender, act, to, said)
        for (sender, act), count in counted.items():
            within = self._within(self._said)
            yield _step({"filter": self._filter(None, sender, act, ()), "count": count, **within})

    def _group(
        self, conversation: str | None, sender: str, act: str, to: Sequence[str], said: Sequence[Said]
    ) -> str:
        contents = [self._masks.masked(self._content(one.message.content)) for one in said]
        expect: dict[str, Any] = {"filter": self._filter(conversation, sender, act, to)}
        if len(said) == 1 and not has_mask(contents[0]) and contents[0] is not None:
            expect |= {"count": 1, "content": contents[0]}
        elif all(one is None for one in contents):
            expect["count"] = len(said)
        else:
            expect["contents"] = contents
        return _step({**expect, **self._within(said)})

    def _filter(self, conversation: str | None, sender: str, act: str, to: Sequence[str]) -> str:
        """What means these messages and none of the others."""
        others = [one.message for one in self._said if one.message.performative == act]
        acts = {one.message.performative for one in self._said if one.message.sender == sender}
        terms = [
            _term(
                "from", short(sender, self._platform), {short(one.sender, self._platform) for one in others}
            ),
            _term("act", act, acts),
        ]
        others = [one for one in others if one.sender == sender]
        names = {short(name, self._platform) for one in others for name in one.receiver}
        terms += [_term("to", short(name, self._platform), names) for name in to]
        if conversation is not None:
            talks = {self.conversation(one.conversation_id) or "" for one in others}
            terms.append(_term("conv", conversation, talks))
        return " ".join(terms)

    def _within(self, said: Sequence[Said]) -> dict[str, str]:
        """How long it may take, counted from the last message from outside; the usual time where that is enough."""
        after_s = (said[-1].row.at_us - self._last_us) / 1e6
        return {"within": f"{math.ceil(after_s * 1.5 + 10)}s"} if after_s > 5 else {}


def ended(conversation: str, state: str, outcome: str | None, within_s: float) -> str:
    """How a conversation ended."""
    expect: dict[str, Any] = {"conversation": conversation, "state": state}
    if outcome is not None:
        expect["outcome"] = outcome
    return _step(expect | ({"within": f"{math.ceil(within_s)}s"} if within_s > 10 else {}))


def broken(violations: int, dead_letters: int) -> str:
    """How many messages broke their protocol or could not be handled."""
    return _step({"violations": violations, "dead_letters": dead_letters})


def _step(expect: Mapping[str, Any]) -> str:
    return f"[[step]]\nexpect = {inline(expect)}\n"


def _quoted(text: str) -> str:
    """A word of a filter."""
    if re.fullmatch(r"[\w@.-]+", text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _term(field: str, text: str, others: set[str]) -> str:
    """A term of a filter that means this one of them."""
    if any(text.casefold() in one.casefold() for one in others if one != text):
        exactly = re.sub(r"([\\.^$*+?()\[\]{}|])", r"\\\1", text).replace('"', '\\"')
        return f'{field}:~"^{exactly}$"'
    return f"{field}:{_quoted(text)}"


def _duration(seconds: float) -> str:
    return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"


def _micros(text: str) -> int:
    return micros(datetime.fromisoformat(text))
