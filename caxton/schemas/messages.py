"""What the API says of messages, conversations, tasks and errors: the server makes it, the client returns it.

`seq` is a row's number in the journal. This module loads no framework.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import UNSET, UnsetType

from caxton.schemas.held import HeldBody
from caxton.schemas.shape import Message, Shape


class ErrorDetail(Shape, frozen=True, kw_only=True):
    """What went wrong and what to do about it."""

    code: str
    message: str
    hint: str | None
    details: dict[str, Any]


class ErrorBody(Shape, frozen=True, kw_only=True):
    """The body of every answer that is not 2xx."""

    error: ErrorDetail


class TurnBody(Shape, frozen=True, kw_only=True):
    """What one agent did with one message."""

    agent: str
    revision: str | None
    status: str
    started_at: datetime
    queue_us: int
    turn_us: int
    fuel: int
    sent: int

    @property
    def failed(self) -> bool:
        """Whether it neither handled its message nor put it back."""
        return self.status not in ("ok", "put_back")

    @property
    def ended(self) -> str:
        """How it ended, as people read it."""
        return "put back" if self.status == "put_back" else self.status


class TurnRow(TurnBody, frozen=True, kw_only=True):
    """One turn with the number of its message."""

    seq: int


class DeadLetterOfMessage(Shape, frozen=True, kw_only=True):
    """Why one receiver did not get a message."""

    agent: str
    code: str
    reason: str


class DeadLetterBody(Shape, frozen=True, kw_only=True):
    """A message that could not be handled, with its reason; `ended` is what an operator did about it, "redelivered" (as
    message `went_on`) or "dropped"."""

    seq: int
    at: datetime
    agent: str
    code: str
    reason: str
    ended: str | None = None
    ended_at: datetime | None = None
    went_on: int | None = None
    message: Message | UnsetType = UNSET


class VerdictBody(Shape, frozen=True, kw_only=True):
    """What the referee said of a message that was no plain step; `legal` is what its sender could have said."""

    legality: str
    rule: str
    sentence: str
    state: str
    legal: list[str]
    participant: str | None
    protocol: str | None
    delivered: bool
    warning: str | None


class MessageBody(Shape, frozen=True, kw_only=True):
    """One row of the journal: the message as it was delivered, and what became of it."""

    seq: int
    at: datetime
    cause: int | None
    hops: int
    redelivered: bool
    message: Message
    turns: list[TurnBody] | UnsetType = UNSET
    verdict: VerdictBody | UnsetType | None = UNSET
    held: WasHeld | UnsetType | None = UNSET
    dead_letters: list[DeadLetterOfMessage] | UnsetType = UNSET


class BranchBody(Shape, frozen=True, kw_only=True):
    """What an initiator and one participant are at; `end` is success, foreseen or fault once it has ended."""

    participant: str
    state: str
    end: str | None
    awarded: bool
    reason: str | None
    deadline_at: datetime | None


class ConversationBody(Shape, frozen=True, kw_only=True):
    """One conversation at a glance; state, phase and outcome are null where it is not judged.

    `parent` is the conversation that it serves: an agent began it in a turn on a message of that one.
    """

    id: str
    protocol: str | None
    initiator: str
    participants: list[str]
    messages: int
    started_at: datetime
    last_at: datetime
    pinned: bool
    state: str | None
    phase: str | None
    outcome: str | None
    deadline_at: datetime | None
    referee: str | None
    violations: int
    parent: str | None = None


class ConversationDetail(ConversationBody, frozen=True, kw_only=True):
    """One conversation with its branches and messages; `next` continues the list of messages."""

    branches: list[BranchBody]
    held: list[HeldBody]

    items: list[MessageBody]
    next: int | None


class WasHeld(Shape, frozen=True, kw_only=True):
    """That a message was held before it went on: under which number, by which break point, for how long."""

    seq: int
    break_id: str | None
    held_us: int
    edited: bool


class TaskBranch(Shape, frozen=True, kw_only=True):
    """What came of one participant of a task; `outcome` is success, foreseen, fault, or null while it is open."""

    participant: str
    state: str
    outcome: str | None
    awarded: bool
    round: int
    reason: str | None
    proposal: Any
    result: dict[str, Any] | None
    informs: list[Any]


class TaskSummaryBody(Shape, frozen=True, kw_only=True):
    """A task at a glance; `ending` is achieved, not-achieved, failed, timed-out, cancelled, or null while it runs."""

    id: str
    conversation_id: str
    protocol: str
    initiator: str
    participants: list[str]
    state: str
    outcome: str | None
    ending: str | None
    reason: str | None
    created_at: datetime
    ended_at: datetime | None


class TaskDetail(TaskSummaryBody, frozen=True, kw_only=True):
    """A task with every branch and the counts of the acts that were received and sent."""

    phase: str
    branches: list[TaskBranch]
    received: dict[str, int]
    sent: dict[str, int]
    missing: int
    late: int
    price: Any
    """A number with the digits with which it was said, or null."""
    violations: list[dict[str, Any]]
    request: dict[str, Any]


class LogBody(Shape, frozen=True, kw_only=True):
    """One line that an agent logged."""

    seq: int
    at: datetime
    level: str
    message: str
    fields: dict[str, Any]


class SubmittedBody(Shape, frozen=True, kw_only=True):
    """A message that is committed, and the replies that came while the client waited."""

    id: str
    seq: int
    conversation_id: str
    trace_id: str
    held: bool
    approval: str | None
    replies: list[MessageBody]
    timed_out: bool | UnsetType = UNSET
    ended: str | UnsetType = UNSET


class Messages(Shape, frozen=True, kw_only=True):
    """A page of messages; `next` is the `after` (or, newest first, the `before`) of the next page."""

    items: list[MessageBody]
    next: int | None


class Turns(Shape, frozen=True, kw_only=True):
    """A page of turns; `next` is the `before` of the next page."""

    items: list[TurnRow]
    next: int | None


class Conversations(Shape, frozen=True, kw_only=True):
    """A page of conversations; `next` is the `before` of the next page."""

    items: list[ConversationBody]
    next: int | None


class Tasks(Shape, frozen=True, kw_only=True):
    """A page of tasks; `next` is the `before` of the next page."""

    items: list[TaskSummaryBody]
    next: int | None


class LetterGone(Shape, frozen=True, kw_only=True):
    """A dead letter that was ended now; `went_on` is the message that it was sent as."""

    seq: int
    agent: str
    went_on: int | None
    conversation_id: str | None


class LetterKept(Shape, frozen=True, kw_only=True):
    """A dead letter that stays one, and why."""

    seq: int
    agent: str
    reason: str
    hint: str | None


class LettersGone(Shape, frozen=True, kw_only=True):
    """What became of those that were meant."""

    done: list[LetterGone]
    kept: list[LetterKept]


class DeadLetters(Shape, frozen=True, kw_only=True):
    """A page of dead letters; `next` is the `before` of the next page."""

    items: list[DeadLetterBody]
    next: int | None


class Logs(Shape, frozen=True, kw_only=True):
    """A page of log lines; `next` is the `after` of the next page."""

    items: list[LogBody]
    next: int | None
