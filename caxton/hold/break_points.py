"""Break points: which messages are to be held.

In: filters in the one language for finding things, with a name, a count or a time where one is given. Out: for a
message the break point that means it, if any. A break point ends by being taken away, by having hit as often as it
may, when its time is over, or when no more can be held; what it has stopped stays held all the same.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from caxton import exact_numbers
from caxton.acl.message import Message
from caxton.errors import BreakNotFound, InvalidFilter, ResourceError
from caxton.finding import Filter, MessageSubject
from caxton.finding.subjects import ROOM
from caxton.schemas.shape import Message as JsonMessage

BREAKS_MAX: Final = 100
NAME_MAX: Final = 64
_NEVER_HELD: Final = {
    "state": "a conversation has a state, a message has none",
    "since": "a message on its way is always of now",
    "before": "a message on its way is always of now",
    "took": "a message on its way had no turn yet",
    "fuel": "a message on its way had no turn yet",
}

_content = exact_numbers.decode


class BreakPoint(msgspec.Struct):
    """One break point as it stands, and as the journal keeps it."""

    id: str
    filter: str
    by: str
    """The client that made it."""
    created_us: int
    name: str | None = None
    hits: int = 0
    """How many messages it has stopped."""
    most: int | None = None
    """After so many it ends."""
    until_us: int | None = None
    """When it ends."""
    ended: str | None = None
    """Why it stops nothing any more, while what it has stopped is still held."""

    def hit(self) -> None:
        """It has stopped one more."""
        self.hits += 1

    def end(self, why: str) -> None:
        """It stops nothing any more."""
        self.ended = why

    @property
    def label(self) -> str:
        """Its name, or its id where it has none."""
        return self.name or self.id


class BreakPoints:
    """All of them, in the order in which they were made."""

    def __init__(self, platform: str) -> None:
        self.points: dict[str, BreakPoint] = {}
        self.made = 0
        """How many there ever were: the number of the last one."""
        self._platform = platform
        self._filters: dict[str, Filter] = {}
        self._wants_content = False

    @property
    def on(self) -> list[BreakPoint]:
        """Those that stop messages now."""
        return [point for point in self.points.values() if point.ended is None]

    def add(
        self,
        text: str,
        *,
        by: str,
        now_us: int,
        name: str | None = None,
        most: int | None = None,
        until_us: int | None = None,
    ) -> BreakPoint:
        """A new one.

        Raises InvalidFilter, and ResourceError where there are too many.
        """
        read = read_filter(text)
        if len(self.on) >= BREAKS_MAX:
            raise ResourceError(
                f"there are {BREAKS_MAX} break points already", hint="take one away: caxton break rm ID"
            )
        self.made += 1
        point = BreakPoint(f"b{self.made}", read.text, by, now_us, name, most=most, until_us=until_us)
        self.take_up(point)
        return point

    def resume(self, made: int) -> None:
        """Go on numbering where the last start left off."""
        self.made = made

    def take_up(self, point: BreakPoint) -> None:
        """One that there was before; InvalidFilter where its filter is none any more."""
        self._filters[point.id] = Filter(point.filter)
        self.points[point.id] = point
        self.made = max(self.made, int(point.id[1:]))
        self._look()

    def get(self, id: str) -> BreakPoint:
        """The one with that id or name; BreakNotFound where there is none."""
        for point in self.points.values():
            if id in (point.id, point.name):
                return point
        raise BreakNotFound(f"there is no break point {id[:80]!r}", hint="see: caxton break list")

    def take_away(self, id: str) -> None:
        """Forget one."""
        del self.points[id], self._filters[id]
        self._look()

    def meant(self, message: Message) -> BreakPoint | None:
        """The first that a message is meant by."""
        subject: MessageSubject | None = None
        for point in self.points.values():
            if point.ended is None:
                if subject is None:
                    subject = subject_of(message, self._platform, content=self._wants_content)
                if self._filters[point.id].passes(subject):
                    return point
        return None

    def _look(self) -> None:
        # only words without a field, and places, look into contents, which may be long
        self._wants_content = any(
            term.field in ("", "content") for one in self._filters.values() for term in one.terms
        )


def subject_of(
    message: Message, platform: str, *, content: bool = True, room: int | None = ROOM
) -> MessageSubject:
    """A message on its way, as filters look at it; without its content where none of them asks for it."""
    shown: dict[str, Any] = {
        "performative": message.performative.value,
        "sender": message.sender,
        "receiver": message.receiver,
        "conversation_id": message.conversation_id,
        "protocol": message.protocol,
        "content": _content(message.content) if content else None,
    }
    return MessageSubject(JsonMessage(shown), platform, room=room)


def read_filter(text: str) -> Filter:
    """A filter that messages can be held by.

    Raises InvalidFilter for what is none, and for fields that no message has while it is on its way.
    """
    read = Filter(text)
    for term in read.terms:
        if term.field in _NEVER_HELD:
            raise InvalidFilter(
                f"{term.field}: holds no message: {_NEVER_HELD[term.field]}",
                hint="hold by from, to, agent, act, conv, protocol, content.PLACE, or by words of the content",
            )
        if term.field == "is" and term.words != ("problem",):
            raise InvalidFilter(
                f"is:{','.join(term.words)} holds no message",
                hint="is:problem holds failure, not-understood and refuse",
            )
    return read
