"""What the API says, as typed dictionaries: the server makes, the client returns, OpenAPI shows them.

Times are ISO 8601 UTC with microseconds and `Z`; `seq` is a row's number in the journal. This module loads no
framework.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NotRequired

from typing_extensions import TypedDict

from caxton.schemas.held import HeldBody

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso(us: int) -> str:
    """Microseconds since 1970 as `2026-01-31T12:00:00.000000Z`."""
    second, rest = divmod(us, 1_000_000)
    return f"{_second(second)}.{rest:06d}Z"


@lru_cache(maxsize=64)
def _second(since_1970: int) -> str:
    # rows that follow each other mostly share the second, and this is half the cost of rendering one
    return (_EPOCH + timedelta(seconds=since_1970)).isoformat()[:-6]


class ErrorDetail(TypedDict):
    """What went wrong and what to do about it."""

    code: str
    message: str
    hint: str | None
    details: dict[str, Any]


class ErrorBody(TypedDict):
    """The body of every answer that is not 2xx."""

    error: ErrorDetail


class TurnBody(TypedDict):
    """What one agent did with one message."""

    agent: str
    revision: str | None
    status: str
    started_at: str
    queue_us: int
    turn_us: int
    fuel: int
    sent: int


class TurnRow(TurnBody):
    """One turn with the number of its message."""

    seq: int


class DeadLetterOfMessage(TypedDict):
    """Why one receiver did not get a message."""

    agent: str
    code: str
    reason: str


class DeadLetterBody(TypedDict):
    """A message that could not be handled, with its reason."""

    seq: int
    at: str
    agent: str
    code: str
    reason: str
    message: NotRequired[dict[str, Any]]


class VerdictBody(TypedDict):
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


class MessageBody(TypedDict):
    """One row of the journal: the message as it was delivered, and what became of it."""

    seq: int
    at: str
    cause: int | None
    hops: int
    redelivered: bool
    message: dict[str, Any]
    turns: NotRequired[list[TurnBody]]
    dead_letters: NotRequired[list[DeadLetterOfMessage]]
    verdict: NotRequired[VerdictBody | None]
    held: NotRequired[WasHeld | None]


class BranchBody(TypedDict):
    """What an initiator and one participant are at; `end` is success, foreseen or fault once it has ended."""

    participant: str
    state: str
    end: str | None
    awarded: bool
    reason: str | None
    deadline_at: str | None


class ConversationBody(TypedDict):
    """One conversation at a glance; state, phase and outcome are null where it is not judged."""

    id: str
    protocol: str | None
    initiator: str
    participants: list[str]
    messages: int
    started_at: str
    last_at: str
    state: str | None
    phase: str | None
    outcome: str | None
    deadline_at: str | None
    referee: str | None
    violations: int
    pinned: bool


class ConversationDetail(ConversationBody):
    """One conversation with its branches and messages; `next` continues the list of messages."""

    branches: list[BranchBody]
    held: list[HeldBody]

    items: list[MessageBody]
    next: int | None


class WasHeld(TypedDict):
    """That a message was held before it went on: under which number, by which break point, for how long."""

    seq: int
    break_id: str | None
    held_us: int
    edited: bool


class TaskBranch(TypedDict):
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


class TaskSummaryBody(TypedDict):
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
    created_at: str
    ended_at: str | None


class TaskDetail(TaskSummaryBody):
    """A task with every branch and the counts of the acts that were received and sent."""

    phase: str
    branches: list[TaskBranch]
    received: dict[str, int]
    sent: dict[str, int]
    missing: int
    late: int
    price: float | None
    violations: list[dict[str, Any]]
    request: dict[str, Any]


class LogBody(TypedDict):
    """One line that an agent logged."""

    seq: int
    at: str
    level: str
    message: str
    fields: dict[str, Any]


class SubmittedBody(TypedDict):
    """A message that is committed, and the replies that came while the client waited."""

    id: str
    seq: int
    conversation_id: str
    trace_id: str
    held: bool
    replies: list[MessageBody]
    timed_out: NotRequired[bool]


class Messages(TypedDict):
    """A page of messages; `next` is the `after` (or, newest first, the `before`) of the next page."""

    items: list[MessageBody]
    next: int | None


class Turns(TypedDict):
    """A page of turns; `next` is the `before` of the next page."""

    items: list[TurnRow]
    next: int | None


class Conversations(TypedDict):
    """A page of conversations; `next` is the `before` of the next page."""

    items: list[ConversationBody]
    next: int | None


class Tasks(TypedDict):
    """A page of tasks; `next` is the `before` of the next page."""

    items: list[TaskSummaryBody]
    next: int | None


class DeadLetters(TypedDict):
    """A page of dead letters; `next` is the `before` of the next page."""

    items: list[DeadLetterBody]
    next: int | None


class Logs(TypedDict):
    """A page of log lines; `next` is the `after` of the next page."""

    items: list[LogBody]
    next: int | None
