"""What the API says of builds: deployments, their gate, replays, pins and refusals. See `shapes`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec

from caxton.schemas.shape import Shape

ASK_LIVE: Final = "ask-live"
"""The step by which a build that waits asks for real what it asks anew."""
DAEMON_STOPPED: Final = "the daemon stopped"
"""With this begins the reason of a deployment that the end of its daemon ended: it may be asked for anew."""


class TimingsBody(Shape, frozen=True, kw_only=True):
    """How long the steps of a deployment took."""

    compile_ms: float | None
    cached: bool
    load_ms: float | None
    pause_us: int | None


class CheckBody(Shape, frozen=True, kw_only=True):
    """One step of the validation: static, sandbox, contract or resources."""

    step: str
    passed: bool
    ms: float
    detail: str


class ReplayDifference(Shape, frozen=True, kw_only=True):
    """One place in what a turn says that differs; `kind` is changed, added or removed."""

    path: str
    kind: str
    before: Any
    after: Any


class ReplayIllegal(Shape, frozen=True, kw_only=True):
    """A message of a turn that its protocol does not allow."""

    message: int
    rule: str
    sentence: str
    legal: list[str]


class ReplaySide(Shape, frozen=True, kw_only=True):
    """A turn as one build did it; `messages` is what it said, where the two differ."""

    status: str
    fuel: int
    memory_kib: int | None
    error: str | None
    messages: list[dict[str, Any]] | None


class ReplayAsked(Shape, frozen=True, kw_only=True):
    """A question to the world that a turn asks now and did not then; `before` is the one of then in its place, `tokens`
    and `money` the most that asking it costs. Once it has an `answer`, `source` says where from: `live`, for what
    it has cost, or `record`."""

    to: str
    before: Any
    after: Any
    tokens: int
    money: float
    answer: Any = None
    source: str | None = None


class ReplayTurn(Shape, frozen=True, kw_only=True):
    """One turn, then and now; `verdict` is same, changed, illegal, trapped or not_run."""

    seq: int
    agent: str
    conversation_id: str
    at: datetime
    performative: str
    sender: str
    revision: str | None
    verdict: str
    before: ReplaySide
    after: ReplaySide | None
    differences: list[ReplayDifference]
    illegal: list[ReplayIllegal]
    asks: list[ReplayAsked] = msgspec.field(default_factory=list[ReplayAsked])


class ReplayStart(Shape, frozen=True, kw_only=True):
    """Where an agent began: `beginning` or `snapshot`, after message `seq`, and how many turns came first."""

    kind: str
    seq: int
    turns: int
    exact: bool
    reason: str | None


class ReplayAgent(Shape, frozen=True, kw_only=True):
    """One agent's part in a replay; `stumbled` are messages of other conversations whose turns trapped on the way,
    `changed` settings and limits that were others then."""

    agent: str
    revision: str
    start: ReplayStart
    stumbled: list[int]
    memory_kib: int | None
    changed: list[str]


class ReplayTotals(Shape, frozen=True, kw_only=True):
    """How many turns became what; fuel of those that ended well then and now; `asks`: questions to the world that have
    no answer in the record, `tokens` and `money` the most that asking them costs; `live` of them were asked, for
    what that has cost."""

    turns: int
    same: int
    changed: int
    illegal: int
    trapped: int
    not_run: int
    fuel_before: int
    fuel_after: int
    asks: int = 0
    tokens: int = 0
    money: float = 0.0
    live: int = 0


class ReplayBody(Shape, frozen=True, kw_only=True):
    """A whole replay."""

    conversations: list[str]
    agents: list[ReplayAgent]
    turns: list[ReplayTurn]
    totals: ReplayTotals
    elapsed_ms: float
    timed_out: bool


class GateBody(Shape, frozen=True, kw_only=True):
    """What the gate of a deployment found; `turns` are those that differ, `pinned` conversations that changed,
    `unchecked` pinned ones that were not run, `asking` those in which something is asked that has no answer."""

    mode: str
    stopped: bool
    reason: str | None
    totals: ReplayTotals
    conversations: int
    pinned: list[str]
    unchecked: tuple[str, ...] = ()
    asking: tuple[str, ...] = ()
    turns: list[ReplayTurn]
    elapsed_ms: float
    timed_out: bool


class PinBody(Shape, frozen=True, kw_only=True):
    """A pinned conversation."""

    conversation_id: str
    pinned_at: datetime


class Pins(Shape, frozen=True, kw_only=True):
    """Pinned conversations, the newest first."""

    items: list[PinBody]
    next: None


class DeploymentBody(Shape, frozen=True, kw_only=True):
    """The move of one agent to a revision; `progress` while and after two revisions lived side by side."""

    id: str
    agent: str
    revision: str | None
    previous: str | None
    strategy: str
    state: str
    reason: str | None
    created_at: datetime
    updated_at: datetime
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


class ImportBody(Shape, frozen=True, kw_only=True):
    """An agent that came from another project; `lost` is what it does not have any more."""

    agent: str
    deployment: DeploymentBody
    memory_bytes: int | None
    lost: list[str]


class RefusalBody(Shape, frozen=True, kw_only=True):
    """A build that an agent does not run because it was refused; `why` is waited, dropped, aborted, faltered, shadow or
    rolled_back."""

    revision: str
    why: str
    reason: str
    deployment: str
    at: datetime


class Refusals(Shape, frozen=True, kw_only=True):
    """Refused builds of one agent."""

    items: list[RefusalBody]
    next: str | None


class PlanLine(Shape, frozen=True, kw_only=True):
    """One thing that a deployment would change."""

    what: str
    before: Any
    after: Any


class PlanBody(Shape, frozen=True, kw_only=True):
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


class Deployments(Shape, frozen=True, kw_only=True):
    """A page of deployments."""

    items: list[DeploymentBody]
    next: str | None
