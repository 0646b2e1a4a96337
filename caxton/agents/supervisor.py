"""The supervisor: brings agents to cells, keeps them there, and takes them away.

In: what people want (deploy, start, stop, restart, remove) and what goes wrong (a turn cost an instance, a cell died).
Out: agents that run again from their last snapshot, or that failed with a reason. It promises: an agent's mailbox
stays while its instance changes; a deployment that does not work leaves the old revision running; five restarts in
30 s are enough, the sixth breakdown makes the agent Failed (security.md's restart intensity).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

import msgspec
import structlog

from caxton.agents.deployments import Deployments
from caxton.agents.life import Draining, Failed, Life, Loaded, Running, Unloaded, state_name
from caxton.agents.registry import REMOVED, AgentConfig, AgentRecord, Registry, Revision
from caxton.agents.views import AgentView, DeploymentView
from caxton.bus import Bus, Endpoint
from caxton.bus.endpoint import NEVER
from caxton.cells import Cell, CellLost, CellPool
from caxton.clock import Clock
from caxton.errors import AgentError, CaxtonError, DeploymentError, InvalidState
from caxton.limits import Limits
from caxton.sandbox.compiler import Compiled, Compiler
from caxton.sandbox.frames import Fault, Kind, Load, Status, load_payload
from caxton.sandbox.frames import Loaded as LoadedAnswer
from caxton.sandbox.profiles import Profile

RESTARTS: Final = 5
WITHIN_S: Final = 30.0
TRIES: Final = 3
"""A message that was first in line when its cell died this often is a dead letter."""

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
        compiler: Compiler,
        registry: Registry,
        clock: Clock,
        limits: Limits,
        snapshot_every: int,
        spawn: Spawn,
    ) -> None:
        self.registry = registry
        self.deployments = Deployments(bus.journal, clock)
        self._bus = bus
        self._pool = pool
        self._compiler = compiler
        self._clock = clock
        self._limits = limits
        self._snapshot_every = snapshot_every
        self._group = spawn
        bus.on_broken = self._broken
        bus.on_snapshot_due = self._snapshot_due
        pool.on_lost = self._cell_lost
        pool.on_ready = self._cell_ready

    # ------------------------------------------------------------------ views

    def views(self) -> list[AgentView]:
        """Every agent, by name."""
        return [self._view(record) for _, record in sorted(self.registry.agents.items())]

    def view(self, name: str) -> AgentView:
        """One agent; raises AgentNotFound."""
        return self._view(self.registry.find(name))

    def states(self) -> list[tuple[str, str]]:
        """Full name and state of every agent, for the ams."""
        return [(record.endpoint.name, state_name(record.life)) for record in self.registry.agents.values()]

    # ------------------------------------------------------------------ what people want

    async def deploy(
        self,
        name: str,
        wasm: bytes,
        *,
        wat: bool = False,
        settings: dict[str, Any] | None = None,
        limits: Limits | None = None,
        profile: str = "standard",
        strategy: str = "direct",
        recover: str = "snapshot",
    ) -> DeploymentView:
        """Bring a revision to an agent, new or running; it is journalled from its first step to its last.

        Raises DeploymentError (or InvalidModule, ResourceError) where the module does not work; then a new agent is
        not made, and an old one goes on with its old revision. The state of a running agent is carried over where
        the old revision has the snapshot hook and the new one the restore hook.
        """
        if strategy != "direct":
            raise DeploymentError(
                f"there is no strategy {strategy!r}", hint="direct is the one there is so far"
            )
        record = self.registry.agents.get(name)
        if record is not None:
            self._claim(record, "deployed")
        try:
            began = self._clock.monotonic()
            compiled = await self._compiler.compile(wasm, Profile(profile), wat=wat)
            compile_ms = (self._clock.monotonic() - began) * 1000
            old = record.config if record is not None else AgentConfig(limits=self._limits)
            config = AgentConfig(
                limits=limits or old.limits,
                settings=old.settings if settings is None else settings,
                profile=profile,
                recover=recover,
            )
            if record is None:
                # another deployment of the same new name may have come first while this one compiled
                record = self.registry.agents.get(name)
                if record is not None:
                    self._claim(record, "deployed")
            return await self._deploy(name, record, compiled, config, len(wasm), compile_ms, strategy)
        finally:
            if record is not None:
                record.busy = False

    async def is_current(
        self,
        record: AgentRecord,
        wasm: bytes,
        *,
        wat: bool,
        settings: dict[str, Any],
        limits: Limits,
        profile: str,
    ) -> bool:
        """Whether an agent is what these bytes and this configuration would make of it."""
        config = record.config
        if record.revision is None or (config.settings, config.limits, config.profile) != (
            settings,
            limits,
            profile,
        ):
            return False
        compiled = await self._compiler.compile(wasm, Profile(profile), wat=wat)
        return compiled.sha256 == record.revision.sha256

    async def start(self, name: str) -> AgentView:
        """Start an agent that is stopped or failed."""
        record = self.registry.find(name)
        if isinstance(record.life, Running):
            return self._view(record)
        self._claim(record, "started")
        try:
            if isinstance(record.life, Failed):
                record.life = record.life.reset()
                record.broken_at.clear()
            record.config = msgspec.structs.replace(record.config, desired="running")
            record.endpoint.refusal = None
            await self._bring(record, self._pool.place(), restore=True)
            self._changed(record, "started")
        finally:
            record.busy = False
        return self._view(record)

    async def stop(self, name: str, drain: bool = True) -> AgentView:
        """Stop an agent: with `drain` it handles what waits first, else that becomes dead letters."""
        record = self.registry.find(name)
        if not isinstance(record.life, Running):
            if isinstance(record.life, Failed):
                record.life = record.life.reset()
                record.config = msgspec.structs.replace(record.config, desired="stopped")
                self._changed(record, "stopped")
            return self._view(record)
        self._claim(record, "stopped")
        try:
            await self._halt(record, drain=drain, desired="stopped")
            self._changed(record, "stopped")
        finally:
            record.busy = False
        return self._view(record)

    async def restart(self, name: str) -> AgentView:
        """Stop an agent after what waits, and start it again from the state it had."""
        await self.stop(name)
        return await self.start(name)

    async def remove(self, name: str) -> None:
        """Stop an agent at once and forget it; what the journal has of it stays."""
        record = self.registry.find(name)
        self._claim(record, "removed")
        try:
            if isinstance(record.life, Running):
                await self._halt(record, drain=False, desired="stopped")
            self._bury_waiting(record, "agent_removed", f"{record.name} was removed")
            self._bus.endpoints.pop(record.endpoint.name, None)
            record.life = Unloaded()
            self.registry.drop(record)
            self.registry.save(record, self._clock.now_us(), state=REMOVED)
            self._tell(record, "removed")
        finally:
            record.busy = False

    def attach(self) -> None:
        """After a start of the daemon: give every known agent its mailbox on the bus."""
        for record in self.registry.agents.values():
            self._bus.endpoints[record.endpoint.name] = record.endpoint
            if record.config.desired != "running":
                record.endpoint.refusal = ("agent_stopped", f"{record.name} is stopped")

    async def revive(self) -> None:
        """After a start of the daemon: bring back every agent that is wanted running."""
        wanted = [one for one in self.registry.agents.values() if one.config.desired == "running"]
        for record in wanted:
            record.cell = self._pool.place()
            record.cell.endpoints.add(record.endpoint)
        await asyncio.gather(*(self._revive(record) for record in wanted))

    async def close(self, drain_s: float = 5.0) -> None:
        """The daemon stops: let turns end, keep every state that can be kept, shut the guests down.

        What still waits stays in the journal and is delivered at the next start.
        """
        running = [one for one in self.registry.agents.values() if isinstance(one.life, Running)]
        for record in running:
            record.endpoint.open = False
        try:
            async with asyncio.timeout(drain_s):
                await asyncio.gather(*(self._rest(record) for record in running))
        except TimeoutError:
            log.warning("some agents did not end their turn in time", within_s=drain_s)

    # ------------------------------------------------------------------ steps

    async def _deploy(
        self,
        name: str,
        record: AgentRecord | None,
        compiled: Compiled,
        config: AgentConfig,
        size: int,
        compile_ms: float,
        strategy: str,
    ) -> DeploymentView:
        now = self._clock.now_us()
        revision = self.registry.revision(
            compiled.sha256, config.profile, size, compiled.module_path.name, now
        )
        fresh = record is None
        if record is None:
            record = self.registry.add(name, config, now)
            record.busy = True
        journey = self.deployments.begin(record, revision, strategy, compile_ms, cached=compiled.cached)
        self.registry.save(record, now)
        try:
            began = self._clock.monotonic()
            journey.move("deploying")
            if isinstance(record.life, Running):
                journey.memory, journey.pause_us = await self._change(record, revision, compiled, config)
            else:
                await self._begin(record, revision, compiled, config)
            journey.load_ms = (self._clock.monotonic() - began) * 1000
        except (CaxtonError, CellLost) as error:
            reason = (
                error.message
                if isinstance(error, CaxtonError)
                else "the cell died while it loaded the module"
            )
            journey.move("failed", reason)
            if fresh:
                self._bus.endpoints.pop(record.endpoint.name, None)
                self.registry.drop(record)
                self.registry.save(record, self._clock.now_us(), state=REMOVED)
            self._bus.event(
                "deployment", agent=record.endpoint.name, body=msgspec.to_builtins(journey.view())
            )
            self._bus.settle()
            if isinstance(error, CaxtonError):
                raise
            raise DeploymentError(reason, hint="try again") from None
        journey.move("running")
        self._bus.event("deployment", agent=record.endpoint.name, body=msgspec.to_builtins(journey.view()))
        self._changed(record, "deployed")
        record.busy = False
        return journey.view()

    async def _begin(
        self, record: AgentRecord, revision: Revision, compiled: Compiled, config: AgentConfig
    ) -> None:
        """The first revision of an agent, or one for an agent that does not run."""
        old = (record.revision, record.config, record.life)
        record.revision, record.config = revision, config
        record.life = Loaded(revision.sha256)
        record.endpoint.limits = config.limits
        try:
            await self._bring(record, self._pool.place(), restore=record.snapshot is not None)
        except (CaxtonError, CellLost):
            record.revision, record.config, record.life = old
            record.endpoint.limits = old[1].limits
            raise
        record.endpoint.refusal = None
        self._bus.endpoints[record.endpoint.name] = record.endpoint

    async def _change(
        self, record: AgentRecord, revision: Revision, compiled: Compiled, config: AgentConfig
    ) -> tuple[str, int]:
        """Another revision for a running agent, between two turns. Returns what became of the state, and the pause."""
        cell, endpoint = record.cell, record.endpoint
        assert cell is not None
        assert isinstance(record.life, Running)
        link = cell.link
        if link is None:
            raise DeploymentError("the agent's cell is being started again", hint="try again in a moment")
        slot = cell.slot()
        loaded = await self._load(record, cell, slot, revision, config, restore=False)
        carry = "snapshot" in record.hooks and "restore" in loaded.hooks and config.recover == "snapshot"
        began = self._clock.monotonic()
        endpoint.open = False
        try:
            await endpoint.idle()
            if not isinstance(record.life, Running) or cell.link is not link:
                raise DeploymentError("the agent broke down while it was changed over", hint="try again")
            swap = msgspec.json.encode({"from": endpoint.slot, "carry": carry})
            answer = await link.request(Kind.SWAP, slot, swap)
            if answer.status != Status.OK:
                fault = msgspec.json.decode(answer.payload, type=Fault)
                raise DeploymentError(
                    f"the new revision did not take over the state: {fault.reason}",
                    hint=fault.hint or "the old revision goes on",
                )
            link.slots.pop(endpoint.slot, None)
            endpoint.slot = slot
            link.slots[slot] = endpoint
            record.life = record.life.swap(revision.sha256, slot)
            record.revision, record.config = revision, config
            record.hooks = tuple(loaded.hooks)
            endpoint.revision_no = revision.no
            endpoint.limits = config.limits
            if not carry:
                record.snapshot = record.snapshot_seq = None
            self._plan_snapshot(record)
        finally:
            if isinstance(record.life, Running) and cell.link is link:
                self._bus.open(endpoint)
        pause_us = int((self._clock.monotonic() - began) * 1e6)
        return ("carried" if carry else "fresh"), pause_us

    async def _bring(self, record: AgentRecord, cell: Cell, *, restore: bool) -> None:
        """Make an instance in a cell and let messages go to it."""
        assert record.revision is not None
        if not isinstance(record.life, Loaded):
            raise InvalidState(f"{record.name} is {state_name(record.life)}, it cannot be started")
        link = cell.link
        if link is None:
            raise AgentError("the agent's cell is being started again", hint="try again in a moment")
        endpoint = record.endpoint
        slot = cell.slot()
        loaded = await self._load(record, cell, slot, record.revision, record.config, restore=restore)
        record.hooks = tuple(loaded.hooks)
        record.cell = cell
        cell.endpoints.add(endpoint)
        link.slots[slot] = endpoint
        endpoint.slot = slot
        endpoint.outlet = link
        endpoint.revision_no = record.revision.no
        record.life = record.life.start(cell.no, slot)
        self._plan_snapshot(record)
        self._bus.open(endpoint)

    async def _load(
        self,
        record: AgentRecord,
        cell: Cell,
        slot: int,
        revision: Revision,
        config: AgentConfig,
        *,
        restore: bool,
    ) -> LoadedAnswer:
        link = cell.link
        if link is None:
            raise CellLost("the cell is being started again")
        snapshot = record.snapshot if restore else None
        load = Load(
            agent=record.endpoint.name,
            revision=revision.sha256,
            module=await self._module(revision),
            profile=config.profile,
            limits=config.limits,
            settings=config.settings,
            restore=snapshot is not None,
        )
        answer = await link.request(Kind.LOAD, slot, load_payload(load, snapshot or b""))
        if answer.status != Status.OK:
            fault = msgspec.json.decode(answer.payload, type=Fault)
            raise DeploymentError(fault.reason, hint=fault.hint, fault=fault.code)
        return msgspec.json.decode(answer.payload, type=LoadedAnswer)

    async def _module(self, revision: Revision) -> str:
        """The compiled module of a revision; compiled anew where the cache has lost it."""
        wasm = await self._compiler.wasm(revision.sha256)
        return str((await self._compiler.compile(wasm, Profile(revision.profile))).module_path)

    async def _halt(self, record: AgentRecord, *, drain: bool, desired: str) -> None:
        """Take a running agent out of its cell."""
        endpoint, cell = record.endpoint, record.cell
        assert isinstance(record.life, Running)
        endpoint.refusal = ("agent_stopped", f"{record.name} is stopped")
        record.config = msgspec.structs.replace(record.config, desired=desired)
        if drain:
            record.life = record.life.drain()
            self._tell(record, "draining")
            await endpoint.empty()
        endpoint.open = False
        self._bury_waiting(record, "agent_stopped", f"{record.name} was stopped")
        await endpoint.idle()
        await self._keep_and_stop(record)
        if cell is not None:
            cell.endpoints.discard(endpoint)
        record.life = _without_instance(record.life)

    async def _rest(self, record: AgentRecord) -> None:
        """The daemon stops: after its turn, keep the agent's state and shut it down."""
        await record.endpoint.idle()
        await self._keep_and_stop(record)

    async def _keep_and_stop(self, record: AgentRecord) -> None:
        cell, endpoint = record.cell, record.endpoint
        link = cell.link if cell is not None else None
        if link is None:
            return
        keep = "snapshot" in record.hooks and record.config.recover == "snapshot"
        try:
            answer = await link.request(Kind.STOP, endpoint.slot, msgspec.json.encode({"snapshot": keep}))
        except CellLost:
            return
        link.slots.pop(endpoint.slot, None)
        if keep and answer.status == Status.OK:
            self._keep(record, answer.payload, endpoint.last_seq)

    # ------------------------------------------------------------------ what goes wrong

    def _broken(self, endpoint: Endpoint, status: int, code: str, reason: str) -> None:
        """A turn cost the agent its instance."""
        record = self.registry.by_endpoint.get(endpoint)
        if record is not None:
            self._spawn(self._mend(record, f"{code}: {reason}"))

    async def _mend(self, record: AgentRecord, why: str) -> None:
        """Start a broken agent again from its last snapshot, unless that happened too often."""
        endpoint = record.endpoint
        await endpoint.idle()
        if not isinstance(record.life, Running | Draining):
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
        try:
            await self._load(record, cell, life.slot, record.revision, record.config, restore=True)
        except CellLost:
            return
        except CaxtonError as error:
            self._give_up(record, f"could not be started again: {error.message}")
            return
        if record.life is life:
            self._plan_snapshot(record)
            self._tell(record, "restarted", reason=why, memory="snapshot" if record.snapshot else "fresh")
            self._bus.open(endpoint)

    def _give_up(self, record: AgentRecord, reason: str) -> None:
        """No more restarts: what waits becomes dead letters, and so does what comes."""
        endpoint = record.endpoint
        if isinstance(record.life, Running | Draining):
            record.life = record.life.fail(reason)
        endpoint.open = False
        endpoint.refusal = ("agent_failed", f"{record.name} failed: {reason}")
        if record.cell is not None:
            record.cell.endpoints.discard(endpoint)
        log.error("agent failed", agent=record.name, reason=reason)
        self._bury_waiting(record, "agent_failed", reason)
        endpoint.wake()
        self._changed(record, "failed", reason=reason)

    def _cell_lost(self, cell: Cell) -> None:
        """A cell died: all that it had not answered waits again."""
        for endpoint in cell.endpoints:
            lost = endpoint.lose_cell()
            self._bus.counts.redelivered += len(lost)
            while endpoint.waiting and endpoint.waiting[0].tries >= TRIES:
                envelope = endpoint.waiting.popleft()
                self._bus.bury(
                    endpoint.name, envelope, "poison", f"its cell died {TRIES} times while it was handled"
                )
            endpoint.outlet = None

    async def _cell_ready(self, cell: Cell) -> None:
        """A cell is there, for the first time or again: bring its agents back."""
        records = [self.registry.by_endpoint[endpoint] for endpoint in cell.endpoints]
        await asyncio.gather(*(self._return(record, cell) for record in records))

    async def _return(self, record: AgentRecord, cell: Cell) -> None:
        record.life = _without_instance(record.life)
        try:
            await self._bring(record, cell, restore=True)
        except CellLost:
            return  # it died again; the next one brings it back
        except CaxtonError as error:
            record.life = Failed(record.revision.sha256 if record.revision else "", error.message)
            self._give_up(record, f"could not be started again: {error.message}")
            return
        record.restarts += 1
        self._tell(record, "restarted", reason="cell", memory="snapshot" if record.snapshot else "fresh")

    async def _revive(self, record: AgentRecord) -> None:
        assert record.cell is not None
        try:
            await self._bring(record, record.cell, restore=True)
        except CaxtonError as error:
            record.life = Failed(record.revision.sha256 if record.revision else "", error.message)
            self._give_up(record, f"could not be started: {error.message}")

    # ------------------------------------------------------------------ snapshots

    def _plan_snapshot(self, record: AgentRecord) -> None:
        keeps = "snapshot" in record.hooks and self._snapshot_every and record.config.recover == "snapshot"
        record.endpoint.snapshot_at = record.endpoint.turns + self._snapshot_every if keeps else NEVER

    def _snapshot_due(self, endpoint: Endpoint) -> None:
        record = self.registry.by_endpoint.get(endpoint)
        if record is None:
            endpoint.snapshot_at = NEVER
            return
        self._plan_snapshot(record)
        if not record.snapshot_asked and record.cell is not None and record.cell.link is not None:
            record.snapshot_asked = True
            self._spawn(self._take_snapshot(record, record.cell))

    async def _take_snapshot(self, record: AgentRecord, cell: Cell) -> None:
        try:
            link = cell.link
            if link is None:
                return
            endpoint = record.endpoint
            # the frame stands behind every message that the cell has now, so the state is the one after them
            seq = endpoint.in_flight[-1].seq if endpoint.in_flight else endpoint.last_seq
            answer = await link.request(Kind.SNAPSHOT, endpoint.slot)
            if answer.status == Status.OK:
                self._keep(record, answer.payload, seq)
                self._bus.settle()
            elif answer.status in (Status.TRAP, Status.LIMIT, Status.BROKEN):
                fault = msgspec.json.decode(answer.payload, type=Fault)
                endpoint.open = False
                self._spawn(self._mend(record, f"snapshot: {fault.code}: {fault.reason}"))
        except CellLost:
            pass
        finally:
            record.snapshot_asked = False

    def _keep(self, record: AgentRecord, data: bytes, seq: int) -> None:
        record.snapshot, record.snapshot_seq = data, seq
        self._bus.journal.batch.snapshot(
            record.number, seq, self._clock.now_us(), record.endpoint.revision_no, data
        )

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._group(self._guarded(work))

    @staticmethod
    async def _guarded(work: Coroutine[Any, Any, None]) -> None:
        """One agent's trouble must not end the daemon."""
        try:
            await work
        except Exception:
            log.exception("the supervisor stumbled")

    # ------------------------------------------------------------------ telling

    def _claim(self, record: AgentRecord, to_be: str) -> None:
        if record.busy:
            raise InvalidState(
                f"{record.name} cannot be {to_be} now: something else is changing it",
                hint="try again in a moment",
            )
        record.busy = True

    def _bury_waiting(self, record: AgentRecord, code: str, reason: str) -> None:
        waiting = record.endpoint.waiting
        while waiting:
            self._bus.bury(record.endpoint.name, waiting.popleft(), code, reason)

    def _changed(self, record: AgentRecord, what: str, **more: object) -> None:
        """Write an agent down and tell the viewers."""
        self.registry.save(record, self._clock.now_us())
        self._tell(record, what, **more)

    def _tell(self, record: AgentRecord, what: str, **more: object) -> None:
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
        memory = cell.meters.slot_kib.get(endpoint.slot, 0) if cell and cell.meters else 0
        return AgentView(
            name=record.name,
            state=state_name(record.life),
            desired=config.desired,
            revision=record.revision.sha256 if record.revision else None,
            profile=config.profile,
            limits=config.limits,
            settings=config.settings,
            cell=cell.no if cell and isinstance(record.life, Running | Draining) else None,
            mailbox=endpoint.depth,
            in_flight=len(endpoint.in_flight),
            turns=endpoint.turns,
            failed_turns=endpoint.failed_turns,
            sent=endpoint.sent,
            fuel=endpoint.fuel,
            turn_us=endpoint.turn_us,
            memory_kib=memory,
            restarts=record.restarts,
            hooks=list(record.hooks),
            last_error=endpoint.last_error,
            snapshot_seq=record.snapshot_seq,
            created_us=record.created_us,
            updated_us=record.updated_us,
        )


def _without_instance(life: Life) -> Life:
    """What an agent is once its instance is gone."""
    match life:
        case Running():
            return life.halt()
        case Draining():
            return life.drained()
        case _:
            return life
