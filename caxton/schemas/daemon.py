"""What the API says of the runtime: the daemon, its cells, its agents, and what they offer. See `shapes`."""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict


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


class HeldTotals(TypedDict):
    """What is held, and by how many break points that are on."""

    messages: int
    break_points: int


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
