"""Deployments: the move of an agent to a revision, written down at each step (architecture document, "Deployment").

In: what happens, as the engine reports it. Out: what to do next, and a row that says where the deployment stands, also
after a restart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

import msgspec

from caxton.agents import AgentConfig, AgentRecord, Revision
from caxton.clock import Clock
from caxton.deploy.checks import STATIC, Check, Checks
from caxton.deploy.options import DeploymentOptions
from caxton.deploy.replay_gate import GateVerdict
from caxton.deploy.states import (
    Deploying,
    Effect,
    Happening,
    Interrupted,
    Refused,
    State,
    Validating,
    reason_of,
    state_name,
    step,
    stored,
)
from caxton.errors import CaxtonError
from caxton.journal import DeploymentRow, Journal, Reader

ALL = 1_000_000_000
"""Deployments are few."""
NO_REVISION: Final = 0
"""For a deployment whose module did not become one."""
LASTING: Final = frozenset({"canary", "shadow"})
"""Strategies that go on after a restart of the daemon."""


class Timings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the time of a deployment went."""

    compile_ms: float
    cached: bool
    """Whether the module had been compiled before."""
    load_ms: float
    """Until the new revision was ready to take over; the old one worked on."""
    pause_us: int
    """How long the agent took no turn, in microseconds; 0 for a new agent."""


class DeploymentView(msgspec.Struct, frozen=True, kw_only=True):
    """The move of one agent to a revision. States are the architecture document's."""

    id: str
    agent: str
    revision: str
    previous: str | None
    strategy: str
    state: str
    reason: str | None
    created_us: int
    updated_us: int
    timings: Timings | None = None
    memory: str | None = None
    """What became of the agent's state: "carried" by its hooks, "rebuilt" by running its past again, or "fresh"; None
    for a new agent."""
    memory_reason: str | None = None
    """Why the new revision began without the old one's state, or how much of the past was run."""
    unchanged: bool = False
    """Whether the agent ran exactly this already, so that nothing was done."""
    validation: list[Check] = []
    """The steps that the new revision had to pass before any message went to it."""
    progress: dict[str, Any] | None = None
    """How far it is while both revisions live: stage, times, what was measured."""
    gate: GateVerdict | None = None
    """What the agent's conversations were answered by the new revision, where that was asked for."""
    waits: bool = False
    """Whether it waits for an operator to promote or abort it."""
    configured: bool = False
    """Whether caxton.toml named that revision."""
    takes_back: str | None = None
    """The deployment that it undoes."""


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent was told before; a rollback tells it so again."""

    before: AgentConfig | None = None


class SavedState(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment needs to go on after a restart of the daemon, as its row has it."""

    options: DeploymentOptions = msgspec.field(name="terms")
    config: AgentConfig
    kept: dict[str, Any]
    progress: dict[str, Any]
    timings: Timings
    validation: list[Check]
    memory: str | None = None
    memory_reason: str | None = None
    fresh_state: bool = False
    before: AgentConfig | None = None


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a deployment came from, as far as the next start of the daemon has to know (`configured_builds`)."""

    offered: AgentConfig | None = None
    """What caxton.toml said besides, where the revision is the one that it names."""
    takes_back: str | None = None
    """The deployment that it undoes."""
    gated: bool = False
    """Whether a gate stood before it."""


ELSEWHERE: Final = Origin()
"""For a deployment that is none of these."""


class DeploymentRecord:
    """One deployment under way."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        number: str,
        record: AgentRecord,
        revision: Revision,
        strategy: str,
        compile_ms: float,
        *,
        cached: bool,
        origin: Origin,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._record = record
        self.revision = revision
        self._previous = record.revision
        self._before = record.config if record.revision is not None else None
        self.strategy = strategy
        self._created_us = self._updated_us = clock.now_us()
        self._compile_ms = compile_ms
        self._cached = cached
        self._origin = origin
        self.id = number
        self.state: State = Validating()
        self.load_ms = 0.0
        self.pause_us = 0
        self.memory: str | None = None
        self.memory_reason: str | None = None
        self.unchanged = False
        self.gate: GateVerdict | None = None
        self.waits = False
        self.released = False
        """Whether others may change the agent meanwhile."""
        self.checks = Checks(clock)
        self.progress: Callable[[], dict[str, Any]] | None = None
        """How far it is, while both revisions live and after."""
        self.kept: Callable[[], dict[str, Any]] | None = None
        """What else it needs to go on after a restart."""
        self.goes_on_with: dict[str, Any] = {}
        """Options and configuration; written down with it."""

    def take_up(self, row: DeploymentRow, saved: SavedState) -> None:
        """Be the deployment that the end of the daemon interrupted."""
        self.state = Deploying(on_probation=True)
        self._created_us = row.created_us
        self._before = saved.before
        self._compile_ms, self._cached = saved.timings.compile_ms, saved.timings.cached
        self.load_ms = saved.timings.load_ms
        self.memory, self.memory_reason = saved.memory, saved.memory_reason
        self.checks.done = list(saved.validation)
        self._origin = msgspec.json.decode(row.detail, type=Origin)

    def step(self, happening: Happening) -> tuple[Effect, ...]:
        """Something happened; what is to be done about it."""
        self.state, effects = step(self.state, happening)
        self._updated_us = self._clock.now_us()
        return effects

    def save(self) -> None:
        """Write it down."""
        view = self.view()
        detail: dict[str, Any] = {
            "timings": msgspec.to_builtins(view.timings),
            "memory": view.memory,
            "memory_reason": view.memory_reason,
            "unchanged": view.unchanged,
            "before": msgspec.to_builtins(self._before),
            "validation": msgspec.to_builtins(view.validation),
            "progress": view.progress,
            "gate": msgspec.to_builtins(view.gate),
            **msgspec.to_builtins(self._origin),
        }
        if self.kept is not None and stored(view.state) is not None:
            detail |= {"kept": self.kept(), **self.goes_on_with}
        self._journal.batch.records.append(
            DeploymentRow(
                self.id,
                self._record.number,
                self.revision.no,
                self._previous.no if self._previous else None,
                self.strategy,
                view.state,
                view.reason,
                self._created_us,
                self._updated_us,
                msgspec.json.encode(detail).decode(),
            )
        )

    def view(self) -> DeploymentView:
        """It as people see it."""
        return DeploymentView(
            id=self.id,
            agent=self._record.name,
            revision=self.revision.sha256,
            previous=self._previous.sha256 if self._previous else None,
            strategy=self.strategy,
            state=state_name(self.state),
            reason=reason_of(self.state),
            created_us=self._created_us,
            updated_us=self._updated_us,
            timings=Timings(
                compile_ms=round(self._compile_ms, 3),
                cached=self._cached,
                load_ms=round(self.load_ms, 3),
                pause_us=self.pause_us,
            ),
            memory=self.memory,
            memory_reason=self.memory_reason,
            unchanged=self.unchanged,
            validation=self.checks.done,
            progress=self.progress() if self.progress is not None else None,
            gate=self.gate,
            waits=self.waits,
            configured=self._origin.offered is not None,
            takes_back=self._origin.takes_back,
        )


class DeploymentRecords:
    """Begins deployments, and ends those that the end of a daemon interrupted; their rows are the history."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._last = 0

    def begin(
        self,
        record: AgentRecord,
        revision: Revision,
        strategy: str,
        compile_ms: float,
        *,
        cached: bool,
        origin: Origin = ELSEWHERE,
    ) -> DeploymentRecord:
        """A new deployment, in state validating."""
        # numbers go up with time, so that the newest has the greatest id also after a restart
        self._last = max(self._last + 1, self._clock.now_us())
        number = f"d-{self._last:013x}"
        deployment = DeploymentRecord(
            self._journal,
            self._clock,
            number,
            record,
            revision,
            strategy,
            compile_ms,
            cached=cached,
            origin=origin,
        )
        deployment.save()
        return deployment

    def refused(self, record: AgentRecord, wasm: bytes, strategy: str, error: CaxtonError) -> None:
        """A module did not pass the static check: a deployment to no revision, and its end."""
        nothing = Revision(NO_REVISION, sha256(wasm).hexdigest(), "", "")
        deployment = self.begin(record, nothing, strategy, 0.0, cached=False)
        deployment.checks.failed(STATIC, error)
        deployment.step(Refused(f"the {STATIC} check failed: {error.message}"))
        deployment.save()

    def again(self, row: DeploymentRow, record: AgentRecord, revision: Revision) -> DeploymentRecord:
        """The deployment of that row, to go on where it was."""
        saved = goes_on(row)
        assert saved is not None
        deployment = DeploymentRecord(
            self._journal,
            self._clock,
            row.id,
            record,
            revision,
            row.strategy,
            0.0,
            cached=True,
            origin=ELSEWHERE,
        )
        deployment.take_up(row, saved)
        return deployment

    def close(self, row: DeploymentRow, reason: str) -> DeploymentRow:
        """End a deployment that was to go on and cannot."""
        ended = replace(row, state="rolled_back", reason=reason, updated_us=self._clock.now_us())
        self._journal.batch.records.append(ended)
        return ended

    async def interrupted(self, reader: Reader) -> tuple[list[DeploymentRow], list[DeploymentRow]]:
        """After a start: end what was under way when the daemon ended, and return it as it is written down now; and
        what is to go on."""
        rows = await reader.deployments(limit=ALL)
        going = [row for row in rows if goes_on(row) is not None]
        ended = list(self._ended([row for row in rows if row not in going]))
        self._journal.batch.records.extend(ended)
        return ended, going

    def _ended(self, rows: list[DeploymentRow]) -> Iterator[DeploymentRow]:
        now = self._clock.now_us()
        for row in rows:
            state = stored(row.state)
            if state is not None:
                last, _ = step(state, Interrupted(new=row.previous_no is None))
                yield replace(row, state=state_name(last), reason=reason_of(last), updated_us=now)


def goes_on(row: DeploymentRow) -> SavedState | None:
    """What a deployment goes on with after a restart; None for one that ends with the daemon."""
    if row.state != "deploying" or row.strategy not in LASTING or row.previous_no is None:
        return None
    try:
        return msgspec.json.decode(row.detail, type=SavedState, strict=False)
    except msgspec.MsgspecError:
        return None  # its instances did not stand side by side yet
