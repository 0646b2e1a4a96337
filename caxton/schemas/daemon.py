"""What the API says of the runtime: the daemon, its cells, its agents, and what they offer. See `shapes`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from caxton.schemas.shape import Message, Shape


class KeptOutBody(Shape, frozen=True, kw_only=True):
    """The build that stands at an agent's `wasm` and was not taken in when the daemon started; `why` is how it was
    refused, or "replaced"."""

    revision: str
    why: str
    reason: str
    deployment: str | None


class RecoveryBody(Shape, frozen=True, kw_only=True):
    """How far an agent's memory has come back: turns run again, percent of its turns, seconds that may be left."""

    turns: int
    percent: int
    left_s: float | None


class AgentBody(Shape, frozen=True, kw_only=True):
    """One agent as it is now; `reason` and `retry_at` say why it has failed and when it is started again by itself."""

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
    maker: str | None
    linked: bool
    timers: int
    topics: list[str]
    last_error: str | None
    reason: str | None
    retry_at: datetime | None
    snapshot_seq: int | None
    recovery: RecoveryBody | None
    snapshot_error: str | None
    kept_out: KeptOutBody | None
    created_at: datetime
    updated_at: datetime


class MailBody(Shape, frozen=True, kw_only=True):
    """A message that waits for an agent. `place` is its place in the mailbox, from 1; `in_cell`: its cell has it, so
    nothing overtakes it and no purge takes it away; `put_backs`: how often the agent has put it back."""

    place: int
    seq: int
    in_cell: bool
    urgent: bool
    put_backs: int
    redelivered: bool
    since: datetime
    message: Message


class Mailbox(Shape, frozen=True, kw_only=True):
    """What waits for an agent, in its order."""

    items: list[MailBody]
    next: int | None


class ExportBody(Shape, frozen=True, kw_only=True):
    """An agent as it is to be taken along; `bundle` is its bytes in base64, `moment` what its leaving has to name,
    `lost` what stays behind."""

    agent: str
    revision: str
    moment: int
    ran: bool
    memory_bytes: int | None
    timers: int
    subscriptions: int
    lost: list[str]
    bundle: str


class Purged(Shape, frozen=True, kw_only=True):
    """How many messages became dead letters."""

    purged: int


class TimerBody(Shape, frozen=True, kw_only=True):
    """A timer that is set; `beat` is how many beats were due so far, `missed` how many were not sent since the last."""

    owner: str
    tag: Any
    kind: str
    due_at: datetime
    set_at: datetime
    conversation_id: str
    every_ms: float | None
    cron: str | None
    zone: str | None
    count: int | None
    beat: int
    missed: int
    catch_up: bool


class Timers(Shape, frozen=True, kw_only=True):
    """Timers, the next to ring first."""

    items: list[TimerBody]
    next: str | None


class TopicBody(Shape, frozen=True, kw_only=True):
    """A topic; the counts are since the start of the daemon. `lost` counts publications that a subscriber had no room
    for, `retained` says whether new subscribers get the last one that was to be kept."""

    topic: str
    subscribers: int
    publications: int
    deliveries: int
    lost: int
    retained: bool
    last_at: datetime | None


class TopicList(Shape, frozen=True, kw_only=True):
    """Topics, in the order of their names."""

    items: list[TopicBody]
    next: str | None


class TopicSubscriptionBody(Shape, frozen=True, kw_only=True):
    """An agent that gets what is said to these topics; `lost` is what it had no room for since the start."""

    subscriber: str
    topics: list[str]
    conversation_id: str
    since: datetime
    lost: int


class TopicSubscriptions(Shape, frozen=True, kw_only=True):
    """Subscriptions to topics, the oldest first."""

    items: list[TopicSubscriptionBody]
    next: str | None


class EffectBody(Shape, frozen=True, kw_only=True):
    """A way to the world: its process, and how calls of it ended since the start."""

    name: str
    kind: str
    command: list[str]
    running: bool
    pid: int | None
    reason: str | None
    starts: int
    open: int
    informed: int
    refused: int
    failed: int
    interrupted: int
    cancelled: int


class EffectList(Shape, frozen=True, kw_only=True):
    """Effects, in the order of the configuration."""

    items: list[EffectBody]
    next: None


class UsageBody(Shape, frozen=True, kw_only=True):
    """What was spent on models in one place; limits are null where there is none."""

    name: str
    calls: int
    input: int
    output: int
    cached: int
    tokens: int
    money: float
    reserved_tokens: int
    reserved_money: float
    limit_tokens: int | None
    limit_money: float | None


class UsageList(Shape, frozen=True, kw_only=True):
    """What was spent on models, the dearest first."""

    items: list[UsageBody]
    next: None


class CellBody(Shape, frozen=True, kw_only=True):
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


class HeldTotals(Shape, frozen=True, kw_only=True):
    """What is held, and by how many break points that are on."""

    messages: int
    break_points: int


class ApprovalTotals(Shape, frozen=True, kw_only=True):
    """How many messages wait for a yes, and how many rules there are."""

    waiting: int
    rules: int


class AgentTotals(Shape, frozen=True, kw_only=True):
    """Agents by state."""

    total: int
    running: int
    unbuilt: int
    recovering: int
    suspended: int
    stopped: int
    failed: int


class JournalBody(Shape, frozen=True, kw_only=True):
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


class WaitBody(Shape, frozen=True, kw_only=True):
    """An agent that waits for another one's answer to message `seq`."""

    agent: str
    awaits: str
    since: datetime
    conversation_id: str
    seq: int


class LoopBody(Shape, frozen=True, kw_only=True):
    """Agents that say the same to each other, so many `times` by now; `model`: a model is asked in it, and refuses."""

    agents: list[str]
    conversation_id: str
    times: int
    since: datetime
    model: bool


class StatusBody(Shape, frozen=True, kw_only=True):
    """The daemon at a glance; `waits`: cycles of agents that wait for each other and that nothing else will wake."""

    version: str
    pid: int
    project: str
    folder: str
    platform: str
    started_at: datetime
    uptime_s: float
    cells: list[CellBody]
    agents: AgentTotals
    journal: JournalBody
    held: HeldTotals
    approvals: ApprovalTotals
    counts: dict[str, int]
    waits: tuple[tuple[WaitBody, ...], ...] = ()
    loops: tuple[LoopBody, ...] = ()


class ReadyBody(Shape, frozen=True, kw_only=True):
    """Whether messages are taken, and what is missing where not; agents that recover are named in either case.

    `parts`: whether the `journal` is written, all `cells` run, and the `agents` were started.
    """

    ready: bool
    why: list[str]
    parts: dict[str, bool]


class HealthBody(Shape, frozen=True, kw_only=True):
    """Always `ok` while the daemon answers."""

    status: str


class Agents(Shape, frozen=True, kw_only=True):
    """A page of agents."""

    items: list[AgentBody]
    next: str | None


class DfEntryBody(Shape, frozen=True, kw_only=True):
    """One registration with `df`; `description` has FIPA's keys, such as `lease-time`."""

    name: str
    registered_at: datetime
    expires_at: datetime | None
    description: dict[str, Any]


class DfEntries(Shape, frozen=True, kw_only=True):
    """Registrations."""

    items: list[DfEntryBody]
    next: str | None


class DfSubscriptionBody(Shape, frozen=True, kw_only=True):
    """Somebody who is told of changes; `content` is the search, as it was sent."""

    subscriber: str
    conversation_id: str
    since: datetime
    language: str | None
    content: Any


class DfSubscriptions(Shape, frozen=True, kw_only=True):
    """Subscriptions to `df`."""

    items: list[DfSubscriptionBody]
    next: str | None
