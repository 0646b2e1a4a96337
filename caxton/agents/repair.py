"""What goes wrong with agents that run: a turn costs one its instance, a cell dies with all of its own.

In: news from the bus and the cells. Out: agents that run again and remember (`recovery`), or that failed with a reason.
It promises: an agent's mailbox stays while its instance changes; five restarts in 30 s are enough, the sixth breakdown
makes the agent Failed (security.md's restart intensity).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog

from caxton.agents.events import AgentEvents
from caxton.agents.instances import Instances
from caxton.agents.life import Draining, Running, Suspended
from caxton.agents.record import AgentRecord
from caxton.agents.recovery import Recovery, RecoveryPlan
from caxton.agents.registry import Registry
from caxton.agents.snapshots import Snapshots
from caxton.bus import Bus, Endpoint
from caxton.cells import Cell, CellLost
from caxton.clock import Clock

RESTARTS: Final = 5
WITHIN_S: Final = 30.0
TRIES: Final = 3
"""A message in whose turn the cell died this often is a dead letter."""

log = structlog.get_logger("caxton.agents")

Spawn = Callable[[Coroutine[Any, Any, None]], object]
"""Run something beside everything else; a task group's `create_task`."""


class Repair:
    """Keeps agents alive; the observer of the bus's turns and of the cells."""

    def __init__(
        self,
        *,
        bus: Bus,
        registry: Registry,
        instances: Instances,
        recovery: Recovery,
        events: AgentEvents,
        clock: Clock,
        spawn: Spawn,
    ) -> None:
        self._bus = bus
        self._registry = registry
        self._instances = instances
        self._recovery = recovery
        self._events = events
        self._clock = clock
        self._group = spawn
        self.snapshots = Snapshots(bus, instances, self.mend)
        self._restarts: dict[AgentRecord, deque[float]] = {}
        """When each agent was last started again, for the restart intensity."""

    def forget(self, record: AgentRecord) -> None:
        """How often it was started again does not count any more."""
        self._restarts.pop(record, None)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside everything else; a defect in it goes to the log and no further."""
        self._group(_guarded(work))

    # ------------------------------------------------------------------ a turn

    def broken(self, endpoint: Endpoint, status: int, code: str, reason: str) -> None:
        """A turn cost the agent its instance."""
        record = self._registry.by_endpoint.get(endpoint)
        if record is not None:
            self.mend(record, f"{code}: {reason}")

    def snapshot_due(self, endpoint: Endpoint) -> None:
        """The agent has had turns enough for its state to be kept."""
        record = self._registry.by_endpoint.get(endpoint)
        if record is None:
            endpoint.keep_state_after(None)
        elif self.snapshots.due(record):
            self.spawn(self.snapshots.take(record))

    def mend(self, record: AgentRecord, why: str) -> None:
        """An agent has lost its instance: start it again as soon as nothing is in its cell."""
        record.mend()
        self.spawn(self._mend(record, why, record.endpoint.slot))

    async def _mend(self, record: AgentRecord, why: str, slot: int) -> None:
        """Start a broken agent again with its memory, unless that happened too often."""
        try:
            async with record.changing:
                if record.endpoint.slot == slot:  # else another instance has taken over meanwhile
                    await self._mend_alone(record, why)
        finally:
            record.mended()

    async def _mend_alone(self, record: AgentRecord, why: str) -> None:
        endpoint = record.endpoint
        await endpoint.idle()
        if not isinstance(record.life, Running | Suspended | Draining):
            return
        cell, life = record.cell, record.life
        if cell is None or cell.link is None:
            return  # the cell's own return brings it back
        now = self._clock.monotonic()
        restarts = self._restarts.setdefault(record, deque(maxlen=RESTARTS))
        if len(restarts) == RESTARTS and now - restarts[0] < WITHIN_S:
            self._give_up(record, f"broke down {RESTARTS + 1} times in {WITHIN_S:.0f} s; last: {why}")
            return
        restarts.append(now)
        record.restarted()
        assert record.revision is not None
        way = RecoveryPlan(record, cell, life.slot, record.revision, record.config)
        await self._recovery.remember([way], _arrived)
        if isinstance(way.error, CellLost):
            return
        if way.error is not None:
            self._give_up(record, f"could not be started again: {way.error.message}")
        elif record.life is life:
            self._instances.plan_snapshot(record)
            self._events.tell(record, "restarted", reason=why, **remembered(way))
            self._bus.open(endpoint)

    # ------------------------------------------------------------------ a cell

    def cell_lost(self, cell: Cell) -> None:
        """A cell died: all that it had not answered waits again."""
        for endpoint in cell.endpoints:
            if endpoint.trial is not None:
                endpoint.trial.lost("its cell died")
            self._bus.lose_cell(endpoint, cell.in_hand)
            while endpoint.waiting and endpoint.waiting[0].tries >= TRIES:
                envelope = endpoint.waiting.popleft()
                self._bus.dead_letter(
                    endpoint.name, envelope, "poison", f"its cell died {TRIES} times in its turn"
                )

    async def cell_ready(self, cell: Cell) -> None:
        """A cell is there, for the first time or again: bring its agents back."""
        records = [self._registry.by_endpoint[endpoint] for endpoint in cell.endpoints]
        for record in records:
            record.lose_instance()
        await self._recovery.bring_all([self._recovery.way(one, cell) for one in records], self._returned)

    def _returned(self, way: RecoveryPlan) -> None:
        """An agent whose cell died is back, or not."""
        record = way.record
        if isinstance(way.error, CellLost):
            return  # it died again; the next one brings it back
        if way.error is not None:
            self._give_up(record, f"could not be started again: {way.error.message}")
            return
        record.restarted()
        self._events.tell(record, "restarted", reason="cell", **remembered(way))

    # ------------------------------------------------------------------ a start of the daemon

    def revived(self, way: RecoveryPlan) -> None:
        """An agent is back after a start of the daemon, or not."""
        if isinstance(way.error, CellLost):
            return
        if way.error is not None:
            self._give_up(way.record, f"could not be started: {way.error.message}")
            return
        if way.turns or way.reason:
            self._events.tell(way.record, "revived", **remembered(way))

    # ------------------------------------------------------------------ what does not come back

    def _give_up(self, record: AgentRecord, reason: str) -> None:
        """No more restarts: what waits becomes dead letters, and so does what comes."""
        endpoint = record.endpoint
        if endpoint.trial is not None:
            endpoint.trial.lost(f"the agent failed: {reason}")
        record.fail(reason)
        log.error("agent failed", agent=record.name, reason=reason)
        self.discard_waiting(record, "agent_failed", reason)
        self._bus.agent_gone(endpoint.name, f"{record.name} failed: {reason}")
        endpoint.wake()
        self._events.changed(record, "failed", reason=reason)

    def discard_waiting(self, record: AgentRecord, code: str, reason: str) -> None:
        """What waits for an agent is dead letters, for that reason."""
        waiting = record.endpoint.waiting
        while waiting:
            self._bus.dead_letter(record.endpoint.name, waiting.popleft(), code, reason)


async def _guarded(work: Coroutine[Any, Any, None]) -> None:
    """One agent's trouble must not end the daemon."""
    try:
        await work
    except Exception:
        log.exception("the supervisor stumbled")


def _arrived(way: RecoveryPlan) -> None:
    """Whoever waits for it looks at the way itself."""


def remembered(way: RecoveryPlan) -> dict[str, str]:
    """What became of an agent's memory, for the viewers."""
    told = {"memory": way.memory}
    return {**told, "memory_reason": way.reason} if way.reason else told
