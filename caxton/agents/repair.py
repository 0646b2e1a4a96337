"""What goes wrong with agents that run: a turn costs one its instance, a cell dies with all of its own.

In: news from the bus and the cells. Out: agents that run again and remember (`recovery`), or that failed with a reason.
It promises: an agent's mailbox stays while its instance changes. A turn that costs the instance is the fault of its
message, so the agent is started again at once, however often that happens. What does not come up has failed, and is
tried again by itself, after a longer wait each time (docs/decisions/0017-a-trap-is-its-messages-fault.md).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import structlog

from caxton.agents.back_off import BackOff
from caxton.agents.events import AgentEvents
from caxton.agents.instances import Instances
from caxton.agents.life import Draining, Failed, Running, Suspended
from caxton.agents.life_messages import LifeMessages
from caxton.agents.record import STOPPED, AgentRecord
from caxton.agents.recovery import Recovery
from caxton.agents.recovery_plan import RecoveryPlan
from caxton.agents.registry import Registry
from caxton.agents.snapshots import Snapshots
from caxton.bus import Bus, Endpoint
from caxton.cells import Cell, CellLost
from caxton.clock import Alarm, Clock
from caxton.errors import CaxtonError

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
        lives: LifeMessages,
        events: AgentEvents,
        clock: Clock,
        spawn: Spawn,
    ) -> None:
        self._bus = bus
        self._registry = registry
        self._instances = instances
        self._recovery = recovery
        self._lives = lives
        self._events = events
        self._clock = clock
        self._group = spawn
        self.snapshots = Snapshots(bus, instances, events, self._lost_by_snapshot)
        self._back_off: dict[AgentRecord, BackOff] = {}
        self._alarms: dict[AgentRecord, Alarm] = {}
        self._first: dict[AgentRecord, Callable[[], Coroutine[Any, Any, None]]] = {}
        """What brings agents their first build, where their cell died before they had one."""
        self._broke_down: Callable[[AgentRecord, str], None] = _nobody

    def tell_breakdowns(self, tell: Callable[[AgentRecord, str], None]) -> None:
        """Tell it of agents whose turn cost them their instance, and of those that do not come up, with the reason."""
        self._broke_down = tell

    def close(self) -> None:
        """Start nothing again any more."""
        for record in list(self._alarms):
            self._call_off(record)

    def forget(self, record: AgentRecord) -> None:
        """Somebody else starts that agent now, or nobody does: it is not tried again by itself."""
        self._call_off(record)
        self._back_off.pop(record, None)
        self._first.pop(record, None)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside everything else; a defect in it goes to the log and no further."""
        self._group(_guarded(work))

    # ------------------------------------------------------------------ a turn

    def broken(self, endpoint: Endpoint, status: int, code: str, reason: str) -> None:
        """A turn cost the agent its instance."""
        record = self._registry.by_endpoint.get(endpoint)
        if record is not None:
            record.broke_on(endpoint.last_seq)
            self.mend(record, f"{code}: {reason}")
            self._broke_down(record, f"{code}: {reason}")

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

    def _lost_by_snapshot(self, record: AgentRecord, why: str) -> None:
        """The same, where nothing that the agent did is the reason: it does not count as a restart."""
        record.mend()
        self.spawn(self._mend(record, why, record.endpoint.slot, counts=False))

    async def _mend(self, record: AgentRecord, why: str, slot: int, *, counts: bool = True) -> None:
        """Start a broken agent again with its memory."""
        try:
            async with record.changing:
                if record.endpoint.slot == slot:  # else another instance has taken over meanwhile
                    await self._mend_alone(record, why, counts=counts)
        finally:
            record.mended()

    async def _mend_alone(self, record: AgentRecord, why: str, *, counts: bool) -> None:
        endpoint = record.endpoint
        await endpoint.idle()
        if not isinstance(record.life, Running | Suspended | Draining):
            return
        cell, life = record.cell, record.life
        if cell is None or cell.link is None:
            return  # the cell's own return brings it back
        if counts:
            record.restarted()
        assert record.revision is not None
        way = RecoveryPlan(record, cell, life.slot, record.revision, record.config)
        await self._recovery.remember([way], _arrived)
        if isinstance(way.error, CellLost):
            return
        if way.error is not None:
            self.fail(record, f"could not be started again: {way.error.message}")
        elif record.is_in(life.slot):
            # it may have been told to stop or to suspend meanwhile: what waits is handled first all the same
            self._instances.plan_snapshot(record)
            self._lives.recovered(way, "turn" if counts else "snapshot")
            self._events.tell(record, "restarted", reason=why, **way.remembered)
            endpoint.others_first(self._bus.platform_agents)
            self._bus.open(endpoint)

    # ------------------------------------------------------------------ a cell

    def cell_lost(self, cell: Cell) -> None:
        """A cell died: all that it had not answered waits again."""
        for endpoint in cell.endpoints:
            if endpoint.trial is not None:
                endpoint.trial.lost("its cell died")
            self._bus.lose_cell(endpoint, cell.in_hand)
            most = endpoint.limits.poison_after
            while endpoint.waiting and endpoint.waiting[0].tries >= most:
                self._registry.by_endpoint[endpoint].broke_on(endpoint.waiting[0].seq)
                reason = f"the cell died in its turn, {most} time{'' if most == 1 else 's'}"
                self._bus.dead_letter(endpoint.name, endpoint.let_go_first(), "poison", reason)

    async def cell_ready(self, cell: Cell) -> None:
        """A cell is there, for the first time or again: its agents come back, each as soon as it can."""
        records = [self._registry.by_endpoint[endpoint] for endpoint in cell.endpoints]
        for record in records:
            record.lose_instance()
        ways = [self._recovery.way(one, cell, why="cell") for one in records]
        if ways:
            self.spawn(self._recovery.bring_all(ways, self._returned))

    def _returned(self, way: RecoveryPlan) -> None:
        """An agent whose cell died is back, or not."""
        record = way.record
        if way.abandoned:
            self.spawn(self._instances.drop(way.cell, way.slot))
            return
        if isinstance(way.error, CellLost):
            return  # it died again; the next one brings it back
        if way.error is not None:
            self.fail(record, f"could not be started again: {way.error.message}")
            return
        record.restarted()
        self._events.tell(record, "restarted", reason="cell", **way.remembered)

    # ------------------------------------------------------------------ a start of the daemon

    def revived(self, way: RecoveryPlan) -> None:
        """An agent is back after a start of the daemon, or not."""
        if way.abandoned:
            self.spawn(self._instances.drop(way.cell, way.slot))
            return
        if isinstance(way.error, CellLost):
            return
        if way.error is not None:
            self.fail(way.record, f"could not be started: {way.error.message}")
            return
        if way.turns or way.reason:
            self._events.tell(way.record, "revived", **way.remembered)

    # ------------------------------------------------------------------ what does not come back

    def fail(
        self,
        record: AgentRecord,
        reason: str,
        first: Callable[[], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        """An agent does not come up: what waits becomes dead letters, and so does what comes, until a later try.

        One that has no build yet is tried again by `first`."""
        endpoint = record.endpoint
        if endpoint.trial is not None:
            endpoint.trial.lost(f"the agent failed: {reason}")
        record.fail(reason)
        log.error("agent failed", agent=record.name, reason=reason)
        self.discard_waiting(record, "agent_failed", reason)
        self._bus.agent_gone(endpoint.name, f"{record.name} failed: {reason}")
        endpoint.wake()
        if first is not None:
            self._first[record] = first
        self._try_later(record)
        self._events.changed(record, "failed", reason=reason, retry_s=self._left_s(record))
        self._broke_down(record, reason)

    def _try_later(self, record: AgentRecord) -> None:
        """Start an agent that has failed again by itself, if it is to run."""
        self._call_off(record)
        if record.config.desired == STOPPED or (record.revision is None and record not in self._first):
            return
        back_off = self._back_off.setdefault(record, BackOff(record.name))
        wait_s = back_off.wait_s(self._clock.monotonic())
        record.try_again_at(self._clock.now_us() + round(wait_s * 1e6))
        self._alarms[record] = self._clock.later(wait_s, partial(self._time_is_up, record))

    def _left_s(self, record: AgentRecord) -> float | None:
        if record.retry_us is None:
            return None
        return round((record.retry_us - self._clock.now_us()) / 1e6, 1)

    def _call_off(self, record: AgentRecord) -> None:
        alarm = self._alarms.pop(record, None)
        if alarm is not None:
            alarm.cancel()
            record.try_again_at(None)

    def _time_is_up(self, record: AgentRecord) -> None:
        self._alarms.pop(record, None)
        record.try_again_at(None)
        self.spawn(self._try_again(record))

    async def _try_again(self, record: AgentRecord) -> None:
        if not isinstance(record.life, Failed) or record.config.desired == STOPPED:
            return
        if record.busy:
            self._try_later(record)
            return
        if record.revision is None:
            await self._first.pop(record)()
            return
        record.claim("started")
        try:
            record.reset()
            way = await self._recovery.bring(record, self._recovery.place())
        except CaxtonError as error:
            self.fail(record, f"could not be started again: {error.message}")
        else:
            self._lives.restarted(record, way.remembered)
            record.endpoint.accept()
            record.restarted()
            self._events.changed(record, "restarted", reason="its time was over", **way.remembered)
        finally:
            record.release()

    def discard_waiting(self, record: AgentRecord, code: str, reason: str) -> None:
        """What waits for an agent is dead letters, for that reason."""
        for envelope in record.endpoint.take_out(lambda _: True):
            self._bus.dead_letter(record.endpoint.name, envelope, code, reason)


def _nobody(record: AgentRecord, reason: str) -> None:
    """Nobody watches over it."""


async def _guarded(work: Coroutine[Any, Any, None]) -> None:
    """One agent's trouble must not end the daemon."""
    try:
        await work
    except Exception:
        log.exception("the supervisor stumbled")


def _arrived(way: RecoveryPlan) -> None:
    """Whoever waits for it looks at the way itself."""
