"""What the API says, as typed dictionaries: the server makes, the client returns, OpenAPI shows them.

Times are ISO 8601 UTC with microseconds and `Z`; `seq` is a row's number in the journal. This module loads no
framework.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NotRequired

from typing_extensions import TypedDict

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


class KeptOutBody(TypedDict):
    """The build that stands at an agent's `wasm` and was not taken in when the daemon started; `why` is how it was
    refused, or "replaced"."""

    revision: str
    why: str
    reason: str
    deployment: str | None


class AgentBody(TypedDict):
    """One agent as it is now."""

    name: str
    state: str
    desired: str
    revision: str | None
    profile: str
    limits: dict[str, int]
    settings: dict[str, Any]
    cell: int | None
    mailbox: int
    in_flight: int
    turns: int
    failed_turns: int
    sent: int
    fuel: int
    turn_us: int
    memory_kib: int | None
    restarts: int
    hooks: list[str]
    last_error: str | None
    snapshot_seq: int | None
    kept_out: KeptOutBody | None
    created_at: str
    updated_at: str


class CellBody(TypedDict):
    """One worker process."""

    no: int
    pid: int | None
    state: str
    agents: int
    in_flight: int
    restarts: int
    rss_kib: int
    cpu_s: float
    handoffs: int
    calls: str
    calls_reason: str | None


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


class TimingsBody(TypedDict):
    """How long the steps of a deployment took."""

    compile_ms: float | None
    load_ms: float | None
    pause_us: int | None
    cached: bool


class CheckBody(TypedDict):
    """One step of the validation: static, sandbox, contract or resources."""

    step: str
    passed: bool
    ms: float
    detail: str


class ReplayDifference(TypedDict):
    """One place in what a turn says that differs; `kind` is changed, added or removed."""

    path: str
    kind: str
    before: Any
    after: Any


class ReplayIllegal(TypedDict):
    """A message of a turn that its protocol does not allow."""

    message: int
    rule: str
    sentence: str
    legal: list[str]


class ReplaySide(TypedDict):
    """A turn as one build did it; `messages` is what it said, where the two differ."""

    status: str
    fuel: int
    memory_kib: int | None
    error: str | None
    messages: list[dict[str, Any]] | None


class ReplayTurn(TypedDict):
    """One turn, then and now; `verdict` is same, changed, illegal, trapped or not_run."""

    seq: int
    agent: str
    conversation_id: str
    at: str
    performative: str
    sender: str
    revision: str | None
    verdict: str
    before: ReplaySide
    after: ReplaySide | None
    differences: list[ReplayDifference]
    illegal: list[ReplayIllegal]


class ReplayStart(TypedDict):
    """Where an agent began: `beginning` or `snapshot`, after message `seq`, and how many turns came first."""

    kind: str
    seq: int
    turns: int
    exact: bool
    reason: str | None


class ReplayAgent(TypedDict):
    """One agent's part in a replay; `stumbled` are messages of other conversations whose turns trapped on the way,
    `changed` settings and limits that were others then."""

    agent: str
    revision: str
    start: ReplayStart
    stumbled: list[int]
    changed: list[str]
    memory_kib: int | None


class ReplayTotals(TypedDict):
    """How many turns became what; fuel of those that ended well then and now."""

    turns: int
    same: int
    changed: int
    illegal: int
    trapped: int
    not_run: int
    fuel_before: int
    fuel_after: int


class ReplayBody(TypedDict):
    """A whole replay."""

    conversations: list[str]
    agents: list[ReplayAgent]
    turns: list[ReplayTurn]
    totals: ReplayTotals
    elapsed_ms: float
    timed_out: bool


class GateBody(TypedDict):
    """What the gate of a deployment found; `turns` are those that differ, `pinned` conversations that changed."""

    mode: str
    stopped: bool
    reason: str | None
    totals: ReplayTotals
    conversations: int
    pinned: list[str]
    turns: list[ReplayTurn]
    elapsed_ms: float
    timed_out: bool


class PinBody(TypedDict):
    """A pinned conversation."""

    conversation_id: str
    pinned_at: str


class Pins(TypedDict):
    """Pinned conversations, the newest first."""

    items: list[PinBody]
    next: None


class BreakBody(TypedDict):
    """A break point; `held`: how many messages it holds now, `ended`: why it stops nothing any more."""

    id: str
    name: str | None
    filter: str
    by: str
    created_at: str
    hits: int
    count: int | None
    until_at: str | None
    ended: str | None
    held: int


class BreakGone(BreakBody):
    """A break point that was taken away, and with how many of its messages something was done."""

    messages: int


class Breaks(TypedDict):
    """Break points, the oldest first."""

    items: list[BreakBody]
    next: None


class HeldBody(TypedDict):
    """A held message as it would go on; `break_id` is null and `behind` a number where it only waits behind another."""

    seq: int
    at: str
    state: str
    break_id: str | None
    behind: int | None
    due_at: str | None
    edited: bool
    cause: int | None
    message: dict[str, Any]


class HeldDetail(HeldBody):
    """The same with the message as it was said, and where it went on."""

    said: dict[str, Any]
    ended_at: str | None
    went_on: int | None


class HeldList(TypedDict):
    """Held messages, the oldest first."""

    items: list[HeldBody]
    next: int | None


class HeldGone(TypedDict):
    """A message that is held no more: its number from now on, and how many are held still."""

    seq: int
    state: str
    went_on: int
    held: int


class ManyGone(TypedDict):
    """How many break points and messages it was, and how many are held still."""

    break_points: int
    messages: int
    held: int


class HeldTotals(TypedDict):
    """What is held, and by how many break points that are on."""

    messages: int
    break_points: int


class WasHeld(TypedDict):
    """That a message was held before it went on: under which number, by which break point, for how long."""

    seq: int
    break_id: str | None
    held_us: int
    edited: bool


class DeploymentBody(TypedDict):
    """The move of one agent to a revision; `progress` while and after two revisions lived side by side."""

    id: str
    agent: str
    revision: str | None
    previous: str | None
    strategy: str
    state: str
    reason: str | None
    created_at: str
    updated_at: str
    timings: TimingsBody | None
    memory: str | None
    memory_reason: str | None
    unchanged: bool
    validation: list[CheckBody]
    progress: dict[str, Any] | None
    gate: GateBody | None
    waits: bool
    configured: bool
    takes_back: str | None


class RefusalBody(TypedDict):
    """A build that an agent does not run because it was refused; `why` is waited, dropped, aborted, faltered, shadow or
    rolled_back."""

    revision: str
    why: str
    reason: str
    deployment: str
    at: str


class Refusals(TypedDict):
    """Refused builds of one agent."""

    items: list[RefusalBody]
    next: str | None


class PlanLine(TypedDict):
    """One thing that a deployment would change."""

    what: str
    before: Any
    after: Any


class PlanBody(TypedDict):
    """What a deployment would do."""

    agent: str
    new: bool
    state: str | None
    strategy: str
    revision: str
    previous: str | None
    unchanged: bool
    changes: list[PlanLine]
    terms: dict[str, Any]


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


class AgentTotals(TypedDict):
    """Agents by state."""

    total: int
    running: int
    suspended: int
    stopped: int
    failed: int


class JournalBody(TypedDict):
    """The journal at a glance; `rows` counts messages and events, `bytes` what of the file is in use.

    `commits` and `commit_us` count since the start.
    """

    first_seq: int | None
    last_seq: int
    committed_seq: int
    rows: int
    bytes: int
    waiting_rows: int
    commits: int
    commit_us: int
    failed: str | None


class StatusBody(TypedDict):
    """The daemon at a glance."""

    version: str
    pid: int
    project: str
    folder: str
    platform: str
    started_at: str
    uptime_s: float
    cells: list[CellBody]
    agents: AgentTotals
    journal: JournalBody
    held: HeldTotals
    counts: dict[str, int]


class ReadyBody(TypedDict):
    """Whether messages are taken, and what is missing where not."""

    ready: bool
    why: list[str]


class HealthBody(TypedDict):
    """Always `ok` while the daemon answers."""

    status: str


class Agents(TypedDict):
    """A page of agents."""

    items: list[AgentBody]
    next: int | None


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


class Deployments(TypedDict):
    """A page of deployments."""

    items: list[DeploymentBody]
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


class DfEntryBody(TypedDict):
    """One registration with `df`; `description` has FIPA's keys, such as `lease-time`."""

    name: str
    registered_at: str
    expires_at: str | None
    description: dict[str, Any]


class DfEntries(TypedDict):
    """Registrations."""

    items: list[DfEntryBody]
    next: int | None


class DfSubscriptionBody(TypedDict):
    """Somebody who is told of changes; `content` is the search, as it was sent."""

    subscriber: str
    conversation_id: str
    since: str
    language: str | None
    content: Any


class DfSubscriptions(TypedDict):
    """Subscriptions to `df`."""

    items: list[DfSubscriptionBody]
    next: int | None
