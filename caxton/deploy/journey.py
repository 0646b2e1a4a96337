"""Deployments: the move of an agent to a revision, written down at each step (architecture document, "Deployment").

In: the steps, as the engine takes them. Out: a row that says where it stands, also after a restart.
"""

from __future__ import annotations

from typing import Any

import msgspec

from caxton.agents.registry import AgentRecord, Revision
from caxton.clock import Clock
from caxton.journal import DeploymentRow, Journal


class Timings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the time of a deployment went."""

    compile_ms: float
    cached: bool
    """Whether the module had been compiled before."""
    load_ms: float
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
    """What became of the agent's state: "carried" by its hooks, or "fresh"; None for a new agent."""


class Journey:
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
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._record = record
        self._revision = revision
        self._previous = record.revision
        self._strategy = strategy
        self._created_us = self._updated_us = clock.now_us()
        self._compile_ms = compile_ms
        self._cached = cached
        self.id = number
        self.state = "validating"
        self.reason: str | None = None
        self.load_ms = 0.0
        self.pause_us = 0
        self.memory: str | None = None

    def move(self, state: str, reason: str | None = None) -> None:
        """The next state: deploying, running, failed or rolled_back."""
        self.state, self.reason = state, reason
        self._updated_us = self._clock.now_us()
        self.save()

    def save(self) -> None:
        """Write it down."""
        view = self.view()
        detail: dict[str, Any] = {"timings": msgspec.to_builtins(view.timings), "memory": view.memory}
        self._journal.batch.records.append(
            DeploymentRow(
                self.id,
                self._record.number,
                self._revision.no,
                self._previous.no if self._previous else None,
                self._strategy,
                self.state,
                self.reason,
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
            revision=self._revision.sha256,
            previous=self._previous.sha256 if self._previous else None,
            strategy=self._strategy,
            state=self.state,
            reason=self.reason,
            created_us=self._created_us,
            updated_us=self._updated_us,
            timings=Timings(
                compile_ms=round(self._compile_ms, 3),
                cached=self._cached,
                load_ms=round(self.load_ms, 3),
                pause_us=self.pause_us,
            ),
            memory=self.memory,
        )


class Journeys:
    """Begins deployments; their rows are the history."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._last = 0

    def begin(
        self, record: AgentRecord, revision: Revision, strategy: str, compile_ms: float, *, cached: bool
    ) -> Journey:
        """A new deployment, in state validating."""
        # numbers go up with time, so that the newest has the greatest id also after a restart
        self._last = max(self._last + 1, self._clock.now_us())
        number = f"d-{self._last:013x}"
        journey = Journey(
            self._journal, self._clock, number, record, revision, strategy, compile_ms, cached=cached
        )
        journey.save()
        return journey
