"""The supervisor: brings agents to cells, keeps them there, and takes them away.

In: what people want (start, stop, restart, remove) and what goes wrong (a turn cost an instance, a cell died). Out:
agents that run again and remember (`recovery`), or that failed with a reason. It promises: an agent's mailbox stays
while its instance changes; five restarts in 30 s are enough, the sixth breakdown makes the agent Failed (security.md's
restart intensity). What changes an agent's revision is the next room's, `caxton.deploy`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

import msgspec
import structlog

from caxton.agents.instances import Instances
from caxton.agents.life import Draining, Failed, Life, Loaded, Running, Suspended, Unloaded, state_name
from caxton.agents.recovery import Recovery, RecoveryPlan
from caxton.agents.registry import REMOVED, RUNNING, STOPPED, SUSPENDED, AgentRecord, Registry
from caxton.agents.views import AgentView
from caxton.bus import Bus, Endpoint
from caxton.bus.endpoint import NEVER
from caxton.cells import Cell, CellLink, CellLost, CellPool
from caxton.clock import Clock
from caxton.errors import InvalidState
from caxton.sandbox.frames import Fault, Kind
from caxton.turn_status import Status

RESTARTS: Final = 5
WITHIN_S: Final = 30.0
TRIES: Final = 3
"""A message in whose turn the cell died this often is a dead letter."""

log = structlog.get_logger("caxton.agents")

Spawn = Callable[[Coroutine[Any, Any, None]], object]
"""Run something beside everything else; a task group's `create_task`."""


class Supervisor:
    """Every agent of the daemon."""

    def __init__(
        self,
        *,
        bus: Bus,
        pool: CellPool,
        registry: Registry,
        instances: Instances,
        recovery: Recovery,
        clock: Clock,
        spawn: Spawn,
    ) -> None:
        self.registry = registry
        self.instances = instances
        self.recovery = recovery
        self._bus = bus
        self._clock = clock
        self._group = spawn
        self.on_removed: list[Callable[[str], None]] = []
        """Told the full name of an agent that is gone for good, in the burst that writes it down."""
        bus.turns.watch(broken=self._broken, snapshot_due=self._snapshot_due)
        pool.on_lost = self._cell_lost
        pool.on_ready = self._cell_ready

    # ------------------------------------------------------------------ views

    def views(self, after: str = "", limit: int | None = None) -> list[AgentView]:
        """Agents whose names come after that one, by name; every one where nothing is said."""
        names = sorted(name for name in self.registry.agents if name > after)
        return [self.view(name) for name in names[:limit]]

    def view(self, name: str) -> AgentView:
        """One agent; raises AgentNotFound."""
        return self._view(self.registry.find(name))

    def states(self) -> list[tuple[str, str]]:
        """Full name and state of every agent, for the ams."""
        return [(record.endpoint.name, state_name(record.life)) for record in self.registry.agents.values()]

    def state(self, name: str) -> str | None:
        """The state of the agent of that full name, for the ams; None where there is none."""
        endpoint = self._bus.endpoints.get(name)
        record = None if endpoint is None else self.registry.by_endpoint.get(endpoint)
        return None if record is None else state_name(record.life)

    # ------------------------------------------------------------------ what people want

    async def start(self, name: str) -> AgentView:
        """Start an agent that is stopped or failed."""
        record = self.registry.find(name)
        if isinstance(record.life, Running):
            return self._view(record)
        if isinstance(record.life, Suspended):
            raise InvalidState(
                f"{record.name} is suspended", hint=f"let it go on: caxton agent resume {record.name}"
            )
        self.claim(record, "started")
        try:
            if isinstance(record.life, Failed):
                record.life = record.life.reset()
                record.broken_at.clear()
            record.config = msgspec.structs.replace(record.config, desired=RUNNING)
            record.endpoint.suspended = False
            way = await self.recovery.bring(record, self.instances.place())
            # only now: to a start that fails, messages would come and wait for nobody
            record.endpoint.refusal = None
            self.changed(record, "started", **_remembered(way))
        finally:
            record.busy = False
        return self._view(record)

    async def stop(self, name: str, drain: bool = True, *, for_good: bool = True) -> AgentView:
        """Stop an agent: with `drain` it handles what waits first, else that becomes dead letters.

        `for_good`: whoever waits for it in a conversation is told that it is gone.
        """
        record = self.registry.find(name)
        if isinstance(record.life, Suspended) and drain:
            raise InvalidState(
                f"{record.name} is suspended, so it cannot handle what waits before it is stopped",
                hint=f"first caxton agent resume {record.name}; or stop it at once: "
                f"caxton agent stop {record.name} --now",
            )
        if not isinstance(record.life, Running | Suspended):
            if isinstance(record.life, Failed):
                record.life = record.life.reset()
                record.config = msgspec.structs.replace(record.config, desired=STOPPED)
                record.endpoint.suspended = False
                self.changed(record, "stopped")
            return self._view(record)
        self.claim(record, "stopped")
        try:
            await self._halt(record, drain=drain, desired=STOPPED)
            if for_good:
                self._bus.agent_gone(record.endpoint.name, f"{record.name} was stopped")
            self.changed(record, "stopped")
        finally:
            record.busy = False
        return self._view(record)

    async def restart(self, name: str) -> AgentView:
        """Stop an agent after what waits, and start it again from the state it had."""
        await self.stop(name, for_good=False)
        return await self.start(name)

    async def suspend(self, name: str) -> AgentView:
        """Let an agent take no turn until `resume`; what comes waits in its mailbox, which stays bounded.

        Returns when the turns that its cell had already are over. It stays suspended over a restart of the daemon.
        Raises InvalidState for an agent that does not run.
        """
        record = self.registry.find(name)
        if isinstance(record.life, Suspended):
            return self._view(record)
        starts = isinstance(record.life, Loaded) and record.config.desired == RUNNING
        if not starts and not isinstance(record.life, Running):
            raise InvalidState(
                f"{record.name} is {state_name(record.life)}; only an agent that runs can be suspended",
                hint=f"start it: caxton agent start {record.name}",
            )
        self.claim(record, "suspended")
        endpoint = record.endpoint
        try:
            endpoint.suspended = True
            endpoint.open = False
            await endpoint.idle()
            async with record.changing:
                if isinstance(record.life, Failed | Unloaded):
                    raise InvalidState(
                        f"{record.name} broke down before it was suspended", hint="see: caxton agent show"
                    )
                record.config = msgspec.structs.replace(record.config, desired=SUSPENDED)
                if isinstance(record.life, Running):
                    record.life = record.life.suspend()
                self.changed(record, "suspended")
        finally:
            record.busy = False
            if record.config.desired != SUSPENDED:
                endpoint.suspended = False
                if isinstance(record.life, Running) and endpoint.port is not None:
                    self._bus.open(endpoint)
        return self._view(record)

    async def resume(self, name: str) -> AgentView:
        """Let a suspended agent go on, with what waited first; InvalidState for one that is not suspended."""
        record = self.registry.find(name)
        if isinstance(record.life, Running):
            return self._view(record)
        if record.config.desired != SUSPENDED:
            raise InvalidState(
                f"{record.name} is {state_name(record.life)}, not suspended",
                hint=f"start it: caxton agent start {record.name}",
            )
        self.claim(record, "resumed")
        try:
            async with record.changing:
                record.config = msgspec.structs.replace(record.config, desired=RUNNING)
                record.endpoint.suspended = False
                if isinstance(record.life, Suspended):
                    record.life = record.life.resume()
                self.changed(record, "resumed")
                if record.endpoint.port is not None and isinstance(record.life, Running):
                    self._bus.open(record.endpoint)
        finally:
            record.busy = False
        return self._view(record)

    async def remove(self, name: str) -> None:
        """Stop an agent at once and forget it; what the journal has of it stays."""
        record = self.registry.find(name)
        self.claim(record, "removed")
        try:
            if isinstance(record.life, Running | Suspended):
                await self._halt(record, drain=False, desired=STOPPED)
            self._bury_waiting(record, "agent_removed", f"{record.name} was removed")
            self._bus.endpoints.pop(record.endpoint.name, None)
            self._bus.agent_gone(record.endpoint.name, f"{record.name} was removed")
            record.snapshot_seq = None
            record.life = Unloaded()
            self.registry.drop(record)
            self.registry.save(record, self._clock.now_us(), state=REMOVED)
            for told in self.on_removed:
                told(record.endpoint.name)
            self.tell(record, "removed")
        finally:
            record.busy = False

    def attach(self) -> None:
        """After a start of the daemon: give every known agent its mailbox on the bus."""
        for record in self.registry.agents.values():
            self._bus.endpoints[record.endpoint.name] = record.endpoint
            record.endpoint.suspended = record.config.desired == SUSPENDED
            if record.config.desired == STOPPED:
                record.endpoint.refusal = ("agent_stopped", f"{record.name} is stopped")

    async def revive(self) -> None:
        """After a start of the daemon: bring back every agent that is wanted running, or suspended."""
        wanted = [one for one in self.registry.agents.values() if one.config.desired != STOPPED]
        for record in wanted:
            record.cell = self.instances.place()
            record.cell.endpoints[record.endpoint] = None
        # one that died already has its agents brought up by its return
        ways = [self.recovery.way(one, one.cell) for one in wanted if one.cell and one.cell.link is not None]
        await self.recovery.bring_all(ways, self._revived)

    async def close(self, drain_s: float = 5.0) -> None:
        """The daemon stops: let turns end, keep every state that can be kept, shut the guests down.

        What still waits stays in the journal and is delivered at the next start.
        """
        hosted = Running | Suspended
        running = [one for one in self.registry.agents.values() if isinstance(one.life, hosted)]
        for record in running:
            record.endpoint.open = False
        try:
            async with asyncio.timeout(drain_s):
                await asyncio.gather(*(self._rest(record) for record in running))
        except TimeoutError:
            log.warning("some agents did not end their turn in time", within_s=drain_s)

    # ------------------------------------------------------------------ steps

    async def _halt(self, record: AgentRecord, *, drain: bool, desired: str) -> None:
        """Take a running agent out of its cell."""
        endpoint, cell = record.endpoint, record.cell
        assert isinstance(record.life, Running | Suspended)
        endpoint.refusal = ("agent_stopped", f"{record.name} is stopped")
        record.config = msgspec.structs.replace(record.config, desired=desired)
        endpoint.suspended = False
        if drain and isinstance(record.life, Running):
            record.life = record.life.drain()
            self.tell(record, "draining")
            await endpoint.empty()
        endpoint.open = False
        self._bury_waiting(record, "agent_stopped", f"{record.name} was stopped")
        await endpoint.idle()
        # an instance or a cell that was lost meanwhile has given back what it had
        self._bury_waiting(record, "agent_stopped", f"{record.name} was stopped")
        await self.instances.keep_and_stop(record)
        if cell is not None:
            cell.endpoints.pop(endpoint, None)
        record.life = _without_instance(record.life)

    async def _rest(self, record: AgentRecord) -> None:
        """The daemon stops: after its turn, keep the agent's state and shut it down."""
        await record.endpoint.idle()
        await self.instances.keep_and_stop(record)

    # ------------------------------------------------------------------ what goes wrong

    def broken(self, record: AgentRecord, why: str) -> None:
        """An agent has lost its instance: start it again as soon as nothing is in its cell."""
        record.endpoint.open = False
        if record.mending is None:
            record.mending = asyncio.get_running_loop().create_future()
        self.spawn(self._mend(record, why, record.endpoint.slot))

    def _broken(self, endpoint: Endpoint, status: int, code: str, reason: str) -> None:
        """A turn cost the agent its instance."""
        record = self.registry.by_endpoint.get(endpoint)
        if record is not None:
            self.broken(record, f"{code}: {reason}")

    async def _mend(self, record: AgentRecord, why: str, slot: int) -> None:
        """Start a broken agent again with its memory, unless that happened too often."""
        try:
            async with record.changing:
                if record.endpoint.slot == slot:  # else another instance has taken over meanwhile
                    await self._mend_alone(record, why)
        finally:
            mending, record.mending = record.mending, None
            if mending is not None:
                mending.set_result(None)

    async def _mend_alone(self, record: AgentRecord, why: str) -> None:
        endpoint = record.endpoint
        await endpoint.idle()
        if not isinstance(record.life, Running | Suspended | Draining):
            return
        cell, life = record.cell, record.life
        if cell is None or cell.link is None:
            return  # the cell's own return brings it back
        now = self._clock.monotonic()
        if len(record.broken_at) == RESTARTS and now - record.broken_at[0] < WITHIN_S:
            self._give_up(record, f"broke down {RESTARTS + 1} times in {WITHIN_S:.0f} s; last: {why}")
            return
        record.broken_at.append(now)
        record.restarts += 1
        assert record.revision is not None
        way = RecoveryPlan(record, cell, life.slot, record.revision, record.config)
        await self.recovery.remember([way], _arrived)
        if isinstance(way.error, CellLost):
            return
        if way.error is not None:
            self._give_up(record, f"could not be started again: {way.error.message}")
        elif record.life is life:
            self.instances.plan_snapshot(record)
            self.tell(record, "restarted", reason=why, **_remembered(way))
            self._bus.open(endpoint)

    def _give_up(self, record: AgentRecord, reason: str) -> None:
        """No more restarts: what waits becomes dead letters, and so does what comes."""
        endpoint = record.endpoint
        if endpoint.trial is not None:
            endpoint.trial.lost(f"the agent failed: {reason}")
        if isinstance(record.life, Running | Suspended | Draining):
            record.life = record.life.fail(reason)
        endpoint.open = False
        endpoint.refusal = ("agent_failed", f"{record.name} failed: {reason}")
        if record.cell is not None:
            record.cell.endpoints.pop(endpoint, None)
        log.error("agent failed", agent=record.name, reason=reason)
        self._bury_waiting(record, "agent_failed", reason)
        self._bus.agent_gone(endpoint.name, f"{record.name} failed: {reason}")
        endpoint.wake()
        self.changed(record, "failed", reason=reason)

    def _cell_lost(self, cell: Cell) -> None:
        """A cell died: all that it had not answered waits again."""
        for endpoint in cell.endpoints:
            if endpoint.trial is not None:
                endpoint.trial.lost("its cell died")
            lost = endpoint.lose_cell(cell.in_hand)
            self._bus.counts.redelivered += len(lost)
            while endpoint.waiting and endpoint.waiting[0].tries >= TRIES:
                envelope = endpoint.waiting.popleft()
                self._bus.dead_letter(
                    endpoint.name, envelope, "poison", f"its cell died {TRIES} times in its turn"
                )
            endpoint.port = None

    async def _cell_ready(self, cell: Cell) -> None:
        """A cell is there, for the first time or again: bring its agents back."""
        records = [self.registry.by_endpoint[endpoint] for endpoint in cell.endpoints]
        for record in records:
            record.life = _without_instance(record.life)
        await self.recovery.bring_all([self.recovery.way(one, cell) for one in records], self._returned)

    def _returned(self, way: RecoveryPlan) -> None:
        """An agent whose cell died is back, or not."""
        record = way.record
        if isinstance(way.error, CellLost):
            return  # it died again; the next one brings it back
        if way.error is not None:
            self._stay_down(record, f"could not be started again: {way.error.message}")
            return
        record.restarts += 1
        self.tell(record, "restarted", reason="cell", **_remembered(way))

    def _revived(self, way: RecoveryPlan) -> None:
        """An agent is back after a start of the daemon, or not."""
        if isinstance(way.error, CellLost):
            return
        if way.error is not None:
            self._stay_down(way.record, f"could not be started: {way.error.message}")
            return
        if way.turns or way.reason:
            self.tell(way.record, "revived", **_remembered(way))

    def _stay_down(self, record: AgentRecord, reason: str) -> None:
        record.life = Failed(record.revision.sha256 if record.revision else "", reason)
        self._give_up(record, reason)

    # ------------------------------------------------------------------ snapshots

    def _snapshot_due(self, endpoint: Endpoint) -> None:
        record = self.registry.by_endpoint.get(endpoint)
        if record is None:
            endpoint.snapshot_at = NEVER
            return
        self.instances.plan_snapshot(record)
        record.snapshot_due = True
        if not record.snapshot_asked:
            record.snapshot_asked = True
            self.spawn(self._take_snapshots(record))

    async def _take_snapshots(self, record: AgentRecord) -> None:
        """Keep the agent's state, and once more where that was due again before the cell had answered."""
        try:
            # never: a deployment has begun, and keeps what is to be kept
            while record.snapshot_due and record.endpoint.snapshot_at != NEVER:
                record.snapshot_due = False
                if record.cell is not None and record.cell.link is not None:
                    await self._take_snapshot(record, record.cell.link)
        except CellLost:
            pass
        finally:
            record.snapshot_asked = False

    async def _take_snapshot(self, record: AgentRecord, link: CellLink) -> None:
        endpoint = record.endpoint
        # the frame stands behind every message that the cell has now, so the state is the one after them
        seq = endpoint.in_flight[-1].seq if endpoint.in_flight else endpoint.last_seq
        revision_no = endpoint.revision_no
        answer = await link.request(Kind.SNAPSHOT, endpoint.slot)
        if answer.status == Status.OK and revision_no == endpoint.revision_no:
            self.instances.keep(record, answer.payload, seq)
            self._bus.settle()
        elif answer.status in (Status.TRAP, Status.LIMIT, Status.BROKEN):
            fault = msgspec.json.decode(answer.payload, type=Fault)
            record.snapshot_due = False
            self.broken(record, f"snapshot: {fault.code}: {fault.reason}")

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside everything else; a defect in it goes to the log and no further."""
        self._group(self._guarded(work))

    @staticmethod
    async def _guarded(work: Coroutine[Any, Any, None]) -> None:
        """One agent's trouble must not end the daemon."""
        try:
            await work
        except Exception:
            log.exception("the supervisor stumbled")

    # ------------------------------------------------------------------ telling

    def claim(self, record: AgentRecord, to_be: str) -> None:
        """Say that an agent is being changed, until `record.busy` is taken back; InvalidState where it is already."""
        if record.busy:
            under_way = record.deployment
            raise InvalidState(
                f"{record.name} cannot be {to_be} now: {under_way or 'something else'} is changing it",
                hint=f"caxton deploy promote {under_way}, or abort" if under_way else "try again in a moment",
            )
        record.busy = True

    def _bury_waiting(self, record: AgentRecord, code: str, reason: str) -> None:
        waiting = record.endpoint.waiting
        while waiting:
            self._bus.dead_letter(record.endpoint.name, waiting.popleft(), code, reason)

    def changed(self, record: AgentRecord, what: str, **more: object) -> None:
        """Write an agent down and tell the viewers."""
        self.registry.save(record, self._clock.now_us())
        self.tell(record, what, **more)

    def tell(self, record: AgentRecord, what: str, **more: object) -> None:
        """Tell the viewers what happened to an agent."""
        log.info(what, agent=record.name, state=state_name(record.life), **more)
        self._bus.event(
            "agent",
            agent=record.endpoint.name,
            body={
                "agent": record.endpoint.name,
                "what": what,
                "state": state_name(record.life),
                "revision": record.revision.sha256 if record.revision else None,
                **more,
            },
        )
        self._bus.settle()

    def _view(self, record: AgentRecord) -> AgentView:
        endpoint, cell, config = record.endpoint, record.cell, record.config
        runs = isinstance(record.life, Running | Suspended | Draining)
        memory = cell.meters.slot_kib.get(endpoint.slot) if cell and cell.meters else None
        return AgentView(
            name=record.name,
            state=state_name(record.life),
            desired=config.desired,
            revision=None if isinstance(record.life, Unloaded) else record.life.revision,
            profile=config.profile,
            limits=config.limits,
            settings=config.settings,
            cell=cell.no if cell and runs else None,
            mailbox=endpoint.depth,
            in_flight=len(endpoint.in_flight),
            turns=endpoint.turns,
            failed_turns=endpoint.failed_turns,
            sent=endpoint.sent,
            fuel=endpoint.fuel,
            turn_us=endpoint.turn_us,
            memory_kib=memory if runs else 0,
            restarts=record.restarts,
            hooks=list(record.hooks),
            last_error=endpoint.last_error,
            snapshot_seq=record.snapshot_seq,
            kept_out=record.kept_out,
            created_us=record.created_us,
            updated_us=record.updated_us,
        )


def _arrived(way: RecoveryPlan) -> None:
    """Whoever waits for it looks at the way itself."""


def _remembered(way: RecoveryPlan) -> dict[str, str]:
    """What became of an agent's memory, for the viewers."""
    told = {"memory": way.memory}
    return {**told, "memory_reason": way.reason} if way.reason else told


def _without_instance(life: Life) -> Life:
    """What an agent is once its instance is gone."""
    match life:
        case Running() | Suspended():
            return life.halt()
        case Draining():
            return life.drained()
        case _:
            return life
