"""What a filter looks at: messages and conversations as the API gives them, field by field.

In: `MessageBody` and `ConversationBody`. Out: texts to search in. Contents are cut to `ROOM` characters first, so that
a message of a quarter of a MiB costs no more than another.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

from caxton import exact_numbers
from caxton.schemas.held import HeldBody
from caxton.schemas.messages import ConversationBody, MessageBody
from caxton.schemas.shape import Message

ROOM: Final = 4096
"""Characters of a content that are searched."""

PROBLEM_ACTS: Final = frozenset({"failure", "not-understood", "refuse"})
"""Acts that say that something was not done."""


class Subject(Protocol):
    """Something that a filter may mean."""

    @property
    def everything(self) -> str:
        """All that a bare word is looked for in, in lower case."""
        ...

    @property
    def content(self) -> object:
        """What it says, as `exact_numbers` reads it; None where it says nothing."""
        ...

    @property
    def room(self) -> int | None:
        """Characters of a text in its content that are searched; None for all of them."""
        ...

    def texts(self, field: str) -> Sequence[str]:
        """What that field holds; empty where it has none."""
        ...

    def figures(self, field: str) -> Sequence[float]:
        """What that field holds to compare with, times as seconds since 1970; empty where it has none."""
        ...


class WithoutContent:
    """Something that says nothing itself."""

    __slots__ = ()

    @property
    def content(self) -> object:
        """Nothing."""
        return None

    @property
    def room(self) -> int | None:
        """As of a message."""
        return ROOM


class MessageSubject:
    """A message with what became of it."""

    __slots__ = ("_body", "_everything", "_message", "_platform", "_room")

    def __init__(
        self,
        message: Message,
        platform: str = "local",
        body: MessageBody | None = None,
        room: int | None = ROOM,
    ) -> None:
        """`body`: its row, where it has one already; `room`: characters of a text that are searched, None for all."""
        self._body = body
        self._room = room
        self._message = message
        self._platform = platform
        self._everything: str | None = None

    @property
    def content(self) -> object:
        """What it says."""
        return self._message.content

    @property
    def room(self) -> int | None:
        """Characters of a text in its content that are searched."""
        return self._room

    @property
    def everything(self) -> str:
        """Act, names, conversation, content."""
        if self._everything is None:
            message = self._message
            value = message.content
            content = value if isinstance(value, str) else exact_numbers.text(value)
            names = (*self.texts("act"), *self.texts("from"), *self.texts("to"), *self.texts("conv"))
            self._everything = "\n".join(
                (*names, content[: self._room] if value is not None else "")
            ).casefold()
        return self._everything

    def texts(self, field: str) -> Sequence[str]:
        """What that field holds."""
        message = self._message
        match field:
            case "from":
                return (self._short(message.sender),)
            case "to":
                return [self._short(name) for name in message.receiver]
            case "agent":
                return [*self.texts("from"), *self.texts("to")]
            case "act":
                return (message.performative,)
            case "conv":
                return (message.conversation_id,)
            case "protocol":
                return (message.protocol or "",)
            case "is":
                bad = message.performative in PROBLEM_ACTS if self._body is None else is_problem(self._body)
                return ("problem",) if bad else ()
            case _:
                return ()

    def figures(self, field: str) -> Sequence[float]:
        """When it was admitted; how long its turns took, and how much fuel."""
        turns = self._body.turns or () if self._body is not None else ()
        match field:
            case "since" | "before":
                if self._body is not None:
                    return (self._body.at.timestamp(),)
                at_us = self._message.json.get("timestamp")
                return (at_us / 1e6,) if isinstance(at_us, int) else ()
            case "took":
                return [turn.turn_us / 1e6 for turn in turns]
            case "fuel":
                return [turn.fuel for turn in turns]
            case _:
                return ()

    def _short(self, name: str) -> str:
        return name.removesuffix(f"@{self._platform}")


class Moment(WithoutContent):
    """Something of which only the time is looked at."""

    __slots__ = ("_at",)

    everything = ""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def texts(self, field: str) -> Sequence[str]:
        """Nothing."""
        return ()

    def figures(self, field: str) -> Sequence[float]:
        """When it was."""
        return (self._at.timestamp(),) if field in ("since", "before") else ()


class ConversationSubject(WithoutContent):
    """A conversation at a glance."""

    __slots__ = ("_body", "_everything", "_suffix")

    def __init__(self, body: ConversationBody, platform: str = "local") -> None:
        self._body = body
        self._suffix = f"@{platform}"
        self._everything: str | None = None

    @property
    def everything(self) -> str:
        """Its id, protocol, state and participants."""
        if self._everything is None:
            parts = [text for field in ("conv", "protocol", "state", "agent") for text in self.texts(field)]
            self._everything = "\n".join(parts).casefold()
        return self._everything

    def texts(self, field: str) -> Sequence[str]:
        """What that field holds."""
        body = self._body
        match field:
            case "from":
                return (body.initiator.removesuffix(self._suffix),)
            case "to" | "agent":
                return [name.removesuffix(self._suffix) for name in body.participants]
            case "conv":
                return (body.id,)
            case "protocol":
                return (body.protocol or "",)
            case "state":
                return [text for text in (body.state, body.phase, body.outcome) if text]
            case "is":
                words = (
                    ("problem", troubled(body)),
                    ("open", is_open(body)),
                    ("pinned", body.pinned),
                )
                return [word for word, so in words if so is True]
            case _:
                return ()

    def figures(self, field: str) -> Sequence[float]:
        """When its last message was (for since) and its first (for before), and the time between them."""
        began, last = self._body.started_at.timestamp(), self._body.last_at.timestamp()
        match field:
            case "since":
                return (last,)
            case "before":
                return (began,)
            case "took":
                return (last - began,)
            case _:
                return ()


def is_problem(body: MessageBody | HeldBody) -> bool:
    """Whether a message went wrong, or says that something did."""
    if body.message.performative in PROBLEM_ACTS:
        return True
    if isinstance(body, HeldBody):
        return False
    return bool(body.dead_letters) or violates(body) or any(turn.status != "ok" for turn in body.turns or ())


def violates(body: MessageBody) -> bool:
    """Whether the referee found that a message broke its protocol."""
    verdict = body.verdict or None
    return verdict is not None and verdict.legality == "violation"


def troubled(body: ConversationBody) -> bool:
    """Whether a conversation failed, ran out of time, or broke its protocol."""
    return body.state in ("Failed", "Expired") or bool(body.violations)


def is_open(body: ConversationBody) -> bool | None:
    """Whether a conversation goes on; None where nobody knows (it follows no protocol)."""
    return body.state in ("Initiated", "InProgress") if body.state else None
