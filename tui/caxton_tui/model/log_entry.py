"""One row of the log: a message, a gap, or another event of the journal, as the list and the filter read it.

In: an event of the stream. Out: its text, made on demand.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from caxton.finding.subjects import MessageSubject, WithoutContent, is_problem
from caxton.presentation.text import safe
from caxton.schemas.held import HeldBody
from caxton.schemas.messages import MessageBody
from caxton.schemas.shape import Message
from caxton_tui.model import formatting
from caxton_tui.model.json_object import Json

_NOTHING: Final = Message({})


class LogEntry(WithoutContent):
    """One row of the log; its text is made on demand."""

    __slots__ = ("_everything", "data", "kind", "platform", "seq", "stored")

    def __init__(
        self, kind: str, seq: int, data: Json, platform: str, stored: MessageBody | HeldBody | None = None
    ) -> None:
        self.kind = kind
        """message, gap, or the kind of an event."""
        self.seq = seq
        self.data = data
        """What an event says; empty for a message."""
        self.stored = stored
        """The message with its row."""
        self.platform = platform
        self._everything: str | None = None

    @property
    def message(self) -> Message:
        """The message, empty for an event."""
        return self.stored.message if self.stored is not None else _NOTHING

    @property
    def at(self) -> datetime | None:
        """When it was committed; None for a gap."""
        if self.stored is not None:
            return self.stored.at
        at = self.data.get("at")
        return datetime.fromisoformat(at) if at else None

    @property
    def act(self) -> str:
        """The performative, or the event's kind."""
        return safe(self.message.performative) if self.kind == "message" else self.kind

    @property
    def sender(self) -> str:
        """Who said it; for an event, whom it is about."""
        name = self.message.sender if self.kind == "message" else self.data.get("agent")
        return formatting.short(name, self.platform) if name is not None else ""

    @property
    def to(self) -> str:
        """The receivers, comma-separated; empty for an event."""
        return formatting.receivers(self.message, self.platform) if self.kind == "message" else ""

    @property
    def conversation(self) -> str:
        """The conversation's id, empty where there is none."""
        if self.kind == "message":
            return safe(self.message.conversation_id)
        return safe(self.data.get("conversation_id") or "")

    @property
    def text(self) -> str:
        """What it says, on one line."""
        if self.kind == "message":
            return formatting.content(self.message)
        return formatting.event_line(self.kind, self.data, self.platform)

    @property
    def problem(self) -> bool:
        """Whether it says that something went wrong."""
        if self.stored is not None:
            return is_problem(self.stored)
        return formatting.event_problem(self.kind, self.data)

    # as a filter sees it

    @property
    def everything(self) -> str:
        """All that the row shows, in lower case."""
        if self._everything is None:
            self._everything = "\n".join(
                (self.act, self.sender, self.to, self.conversation, self.text)
            ).casefold()
        return self._everything

    @property
    def content(self) -> object:
        """What its message says."""
        return self.message.content

    def texts(self, field: str) -> Sequence[str]:
        """What that field holds."""
        match field:
            case "from":
                return (self.sender,)
            case "to":
                return self.to.split(", ")
            case "agent":
                return (self.sender, *self.to.split(", "))
            case "act":
                return (self.act,)
            case "conv":
                return (self.conversation,)
            case "protocol":
                return (self.message.protocol or "",)
            case "state":
                return (str(self.data.get("state") or ""),)
            case "is":
                return ("problem",) if self.problem else ()
            case _:
                return ()

    def figures(self, field: str) -> Sequence[float]:
        """What that field holds to compare with."""
        if isinstance(self.stored, MessageBody):
            return MessageSubject(self.message, body=self.stored).figures(field)
        at = self.at
        return (at.timestamp(),) if at is not None and field in ("since", "before") else ()
