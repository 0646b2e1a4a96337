"""Deployments: the move of an agent to a revision, written down at each step (architecture document, "Deployment").

In: what happens, as the engine reports it. Out: what to do next, and a row that says where the deployment stands, also
after a restart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec

from caxton.agents import AgentConfig, AgentRecord, Revision
from caxton.clock import Clock
from caxton.deploy.states import (
    Effect,
    Happening,
    Interrupted,
    State,
    Validating,
    reason_of,
    state_name,
    step,
    stored,
)
from caxton.journal import DeploymentRow, Journal, Reader

ALL = 1_000_000_000
"""Deployments are few."""


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
    """What became of the agent's state: "carried" by its hooks, or "fresh"; None for a new agent."""
    memory_reason: str | None = None
    """Why the new revision began without the old one's state."""
    unchanged: bool = False
    """Whether the agent ran exactly this already, so that nothing was done."""


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent was told before; a rollback tells it so again."""

    before: AgentConfig | None = None


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
        self._before = record.config if record.revision is not None else None
        self.strategy = strategy
        self._created_us = self._updated_us = clock.now_us()
        self._compile_ms = compile_ms
        self._cached = cached
        self.id = number
        self.state: State = Validating()
        self.load_ms = 0.0
        self.pause_us = 0
        self.memory: str | None = None
        self.memory_reason: str | None = None
        self.unchanged = False

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
        }
        self._journal.batch.records.append(
            DeploymentRow(
                self.id,
                self._record.number,
                self._revision.no,
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
            revision=self._revision.sha256,
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
        )


class Journeys:
    """Begins deployments, and ends those that the end of a daemon interrupted; their rows are the history."""

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

    async def interrupted(self, reader: Reader) -> list[DeploymentRow]:
        """After a start: end what was under way when the daemon ended, and return it as it is written down now."""
        ended = list(self._ended(await reader.deployments(limit=ALL)))
        self._journal.batch.records.extend(ended)
        return ended

    def _ended(self, rows: list[DeploymentRow]) -> Iterator[DeploymentRow]:
        now = self._clock.now_us()
        for row in rows:
            state = stored(row.state)
            if state is not None:
                last, _ = step(state, Interrupted(new=row.previous_no is None))
                yield replace(row, state=state_name(last), reason=reason_of(last), updated_us=now)
