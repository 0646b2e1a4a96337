"""One deployment, written down at each step (architecture document, "Deployment").

In: what was asked for, and what happens, as the engine reports it. Out: what to do next, and a row that says where the
deployment stands, also after a restart.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

import msgspec

from caxton import exact_numbers
from caxton.agents import AgentRecord
from caxton.clock import Clock
from caxton.deploy.checks import Check, Checks
from caxton.deploy.options import DeploymentOptions
from caxton.deploy.replay_gate import GateVerdict
from caxton.deploy.request import DeploymentRequest
from caxton.deploy.saved import Kept, Origin, SavedState, Timings, read_origin
from caxton.deploy.states import (
    Deploying,
    Effect,
    Happening,
    State,
    Validating,
    reason_of,
    state_name,
    step,
    stored,
)
from caxton.deploy.target import Target
from caxton.journal import DeploymentRow, Journal


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


SAVED: Final = ("timings", "memory", "memory_reason", "unchanged", "validation", "progress", "gate")
"""What of the view is written down beside the row's columns."""


class Live(Protocol):
    """Two revisions of the agent side by side, as far as they are written down."""

    def progress(self) -> dict[str, Any]:
        """How far it is, for people."""
        ...

    def kept(self) -> Kept:
        """What else it needs to go on after a restart."""
        ...


class DeploymentRecord:
    """One deployment: what was asked for, of which agent, where it is to lead, and where it stands."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        id: str,
        request: DeploymentRequest,
        agent: AgentRecord,
        target: Target,
        *,
        compile_ms: float = 0.0,
        cached: bool = True,
    ) -> None:
        self.id = id
        self.request = request
        self.options = request.options or DeploymentOptions()
        self.agent = agent
        self.target = target
        self.state: State = Validating()
        self.memory: str | None = None
        self.checks = Checks(clock)
        self.compile_ms = compile_ms
        self._journal = journal
        self._clock = clock
        self._previous = agent.revision
        self._before = agent.config if agent.revision is not None else None
        self._created_us = self._updated_us = clock.now_us()
        self._cached = cached
        self._load_ms = 0.0
        self._pause_us = 0
        self._memory_reason: str | None = None
        self._unchanged = False
        self._gate: GateVerdict | None = None
        self._waits = False
        self._live: Live | None = None
        self._origin = Origin(
            offered=target.config if request.configured else None,
            takes_back=request.takes_back,
            gated=request.gate is not None,
        )

    # ------------------------------------------------------------------ what happens to it

    def step(self, happening: Happening) -> tuple[Effect, ...]:
        """Something happened; what is to be done about it."""
        self.state, effects = step(self.state, happening)
        self._updated_us = self._clock.now_us()
        return effects

    def leave_unchanged(self) -> None:
        """The agent runs exactly this already."""
        self._unchanged = True

    def loaded(self, load_ms: float) -> None:
        """So long the new revision took until it was ready to take over."""
        self._load_ms = load_ms

    def paused(self, seconds: float) -> None:
        """So long the agent took no turn."""
        self._pause_us = int(seconds * 1e6)

    def remembers(self, memory: str | None, reason: str | None = None) -> None:
        """What became of the agent's state, and why or how much of it."""
        self.memory, self._memory_reason = memory, reason

    @property
    def memory_reason(self) -> str | None:
        """Why the new revision began without the old one's state, or how much of the past was run."""
        return self._memory_reason

    def judged(self, verdict: GateVerdict) -> None:
        """What the gate found."""
        self._gate = verdict

    def wait(self, *, waits: bool) -> None:
        """Whether it waits for an operator to promote or abort it."""
        self._waits = waits

    def follow(self, live: Live) -> None:
        """Both revisions are to live: what they come to is written down with it."""
        self._live = live

    def take_up(self, row: DeploymentRow, saved: SavedState) -> None:
        """Be the deployment that the end of the daemon interrupted."""
        self.state = Deploying(on_probation=True)
        self._created_us = row.created_us
        self._before = saved.before
        self.compile_ms, self._cached = saved.timings.compile_ms, saved.timings.cached
        self._load_ms = saved.timings.load_ms
        self.remembers(saved.memory, saved.memory_reason)
        self.checks = Checks(self._clock, saved.validation)
        self._origin = read_origin(row.detail)

    # ------------------------------------------------------------------ how it is seen

    def save(self) -> None:
        """Write it down."""
        view = self.view()
        plain = exact_numbers.builtins(view)
        detail: dict[str, Any] = {key: plain[key] for key in SAVED}
        detail |= {"before": exact_numbers.builtins(self._before), **exact_numbers.builtins(self._origin)}
        if self._live is not None and stored(view.state) is not None:
            detail |= {
                "kept": msgspec.to_builtins(self._live.kept(), str_keys=True),
                "terms": msgspec.to_builtins(self.options),
                "config": exact_numbers.builtins(self.target.config),
                "fresh_state": self.target.fresh_state,
            }
        self._journal.batch.records.append(
            DeploymentRow(
                self.id,
                self.agent.number,
                self.target.revision.no,
                self._previous.no if self._previous else None,
                self.request.strategy,
                view.state,
                view.reason,
                self._created_us,
                self._updated_us,
                exact_numbers.encode(detail).decode(),
            )
        )

    def view(self) -> DeploymentView:
        """It as people see it."""
        return DeploymentView(
            id=self.id,
            agent=self.agent.name,
            revision=self.target.revision.sha256,
            previous=self._previous.sha256 if self._previous else None,
            strategy=self.request.strategy,
            state=state_name(self.state),
            reason=reason_of(self.state),
            created_us=self._created_us,
            updated_us=self._updated_us,
            timings=Timings(
                compile_ms=round(self.compile_ms, 3),
                cached=self._cached,
                load_ms=round(self._load_ms, 3),
                pause_us=self._pause_us,
            ),
            memory=self.memory,
            memory_reason=self._memory_reason,
            unchanged=self._unchanged,
            validation=self.checks.done,
            progress=self._live.progress() if self._live is not None else None,
            gate=self._gate,
            waits=self._waits,
            configured=self._origin.offered is not None,
            takes_back=self._origin.takes_back,
        )
