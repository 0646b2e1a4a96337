"""What is open on the screen and must be asked for: one conversation, one agent. No Textual and no I/O in here.

In: pages of the API. Out: a `Timeline` that grows, and what is known of an agent beyond its line in the list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from caxton.diagram import Timeline, TimelineMessage, read_timeline
from caxton.finding import Filter
from caxton.schemas.daemon import UsageBody
from caxton.schemas.deployments import DeploymentBody
from caxton.schemas.messages import ConversationBody, ConversationDetail, LogBody, MessageBody

MOST: Final = 1_000
"""Messages of a conversation that are kept; of more, the newest."""
_PATIENCE: Final = 8
"""So often a message without its turns is asked for again: clients and the platform's agents take none."""
FINAL: Final = frozenset({"running", "failed", "rolled_back"})
"""States of a deployment that has ended."""


class OpenConversation:
    """One conversation as far as it was read."""

    def __init__(self, id: str) -> None:
        self.id = id
        self.head: ConversationDetail | None = None
        """The conversation without its messages; None before the first page."""
        self.error = ""
        """Why it cannot be read."""
        self.version = 0
        self._items: dict[int, MessageBody] = {}
        self._asked: dict[int, int] = {}
        self._before = 0
        """Messages of the conversation that are older than those kept."""
        self._known: dict[int, TimelineMessage] = {}
        self._story: Timeline | None = None

    @property
    def after(self) -> int:
        """Read on after this message: all before it are as they will stay."""
        before = 0
        for seq, body in self._items.items():
            done = len(body.turns or ()) + len(body.dead_letters or ())
            if done < len(body.message.receiver) and self._asked[seq] < _PATIENCE:
                return before
            before = seq
        return before

    @property
    def left_out(self) -> int:
        """Messages that are not among those kept."""
        return self._before

    def take(self, detail: ConversationDetail) -> None:
        """A page of the conversation ."""
        head = msgspec.structs.replace(detail, items=[], next=None)
        changed = head != self.head
        if self.head is None:
            self._before = max(head.messages - len(detail.items), 0)
        self.head, self.error = head, ""
        for body in detail.items:
            seq = body.seq
            self._asked[seq] = self._asked.get(seq, 0) + 1
            if self._items.get(seq) != body:
                self._items[seq] = body
                changed = True
        while len(self._items) > MOST:
            first = next(iter(self._items))
            del self._items[first], self._asked[first]
            self._known.pop(first, None)
            self._before += 1
        if changed:
            self._story = None
            self.version += 1

    def fail(self, error: str) -> None:
        """It cannot be read, for that reason."""
        if error != self.error:
            self.error = error
            self.version += 1

    def timeline(self, platform: str) -> Timeline | None:
        """What a diagram is drawn from; None before the first page."""
        if self._story is None and self.head is not None:
            detail = msgspec.structs.replace(self.head, items=list(self._items.values()))
            self._story = read_timeline(detail, platform, before=self._before, known=self._known)
            self._known = {spoken.seq: spoken for spoken in self._story.spoken}
        return self._story


@dataclass(frozen=True, slots=True)
class OpenAgent:
    """What was asked about one agent. Lists have the newest first."""

    name: str
    logs: Sequence[LogBody] = ()
    deployments: Sequence[DeploymentBody] = ()
    conversations: Sequence[ConversationBody] = ()
    messages: Sequence[MessageBody] = ()
    usage: UsageBody | None = None
    """What it has spent on models."""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Needs:
    """What the screen shows and the reader therefore asks for at each look."""

    agents: bool = False
    """All agents; without it they are looked at more rarely."""
    conversations: bool = False
    search: Filter | None = None
    """What all conversations are looked through for."""
    deployments: bool = False
    deployment: str | None = None
    """The deployment that is open, with what its gate found turn by turn."""
    turns: bool = False
    """The newest turns of all agents."""
    turns_of: str | None = None
    """The newest turns of that agent."""
    conversation: str | None = None
    agent: str | None = None
