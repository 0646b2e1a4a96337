"""Instances of agents in cells: made there, kept in mind, taken away.

In: an agent's record, a cell, a revision. Out: frames to the cell, and an endpoint whose messages go there. What the
supervisor and the change engine both need; neither knows anything here of why.
"""

from __future__ import annotations

import msgspec

from caxton.agents.life import Loaded, state_name
from caxton.agents.registry import NO_REVISION, SUSPENDED, AgentConfig, AgentRecord, Revision
from caxton.bus import Bus
from caxton.bus.endpoint import NEVER
from caxton.cells import Cell, CellLost, CellPool
from caxton.clock import Clock
from caxton.errors import AgentError, DeploymentError, InvalidState
from caxton.sandbox.compiler import Compiler
from caxton.sandbox.frames import Fault, Kind, Load, Status, load_payload
from caxton.sandbox.frames import Loaded as LoadedAnswer
from caxton.sandbox.profiles import Profile


class Instances:
    """What brings an agent's build into a cell, and its state out of it. `snapshot_every`: turns, 0 for never."""

    def __init__(
        self, *, bus: Bus, pool: CellPool, compiler: Compiler, clock: Clock, snapshot_every: int
    ) -> None:
        self._bus = bus
        self._pool = pool
        self._compiler = compiler
        self._clock = clock
        self._snapshot_every = snapshot_every

    def place(self) -> Cell:
        """The cell for one more agent."""
        return self._pool.place()

    async def bring(self, record: AgentRecord, cell: Cell, *, restore: bool) -> LoadedAnswer:
        """Make an instance in a cell and let messages go to it; what the cell says of the instance."""
        assert record.revision is not None
        if not isinstance(record.life, Loaded):
            raise InvalidState(f"{record.name} is {state_name(record.life)}, it cannot be started")
        link = cell.link
        if link is None:
            raise AgentError("the agent's cell is being started again", hint="try again in a moment")
        endpoint = record.endpoint
        slot = cell.slot()
        state = record.snapshot if restore else None
        loaded = await self.load(record, cell, slot, record.revision, record.config, state=state)
        record.hooks = tuple(loaded.hooks)
        record.cell = cell
        cell.endpoints.add(endpoint)
        link.slots[slot] = endpoint
        endpoint.slot = slot
        endpoint.outlet = link
        endpoint.revision_no = record.revision.no
        running = record.life.start(cell.no, slot)
        record.life = running.suspend() if record.config.desired == SUSPENDED else running
        self.plan_snapshot(record)
        self._bus.open(endpoint)
        return loaded

    async def load(
        self,
        record: AgentRecord,
        cell: Cell,
        slot: int,
        revision: Revision,
        config: AgentConfig,
        *,
        state: bytes | None,
    ) -> LoadedAnswer:
        """Make an instance in a slot; what was there is shut down. `state` is restored, where the agent keeps states.

        Raises DeploymentError where the guest does not come up, CellLost where its cell dies.
        """
        link = cell.link
        if link is None:
            raise CellLost("the cell is being started again")
        snapshot = state if config.recover == "snapshot" else None
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

    async def drop(self, cell: Cell, slot: int) -> None:
        """Shut down what is in a slot, if anything is."""
        try:
            if cell.link is not None:
                await cell.link.request(Kind.STOP, slot)
        except CellLost:
            pass

    async def keep_and_stop(self, record: AgentRecord) -> None:
        """Shut an agent's instance down and keep its state, where it can be had."""
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
            self.keep(record, answer.payload, endpoint.last_seq)

    def plan_snapshot(self, record: AgentRecord) -> None:
        """Say after which turn the agent's state is to be kept next."""
        keeps = "snapshot" in record.hooks and self._snapshot_every and record.config.recover == "snapshot"
        record.endpoint.snapshot_at = record.endpoint.turns + self._snapshot_every if keeps else NEVER

    def keep(self, record: AgentRecord, data: bytes, seq: int) -> None:
        """Keep an agent's state as it was after its turn on message `seq`."""
        record.snapshot, record.snapshot_seq = data, seq
        self._bus.journal.batch.snapshot(
            record.number, seq, self._clock.now_us(), record.endpoint.revision_no, data
        )

    def forget(self, record: AgentRecord) -> None:
        """The kept state is nobody's any more; a row without a revision says so after a power cut, too."""
        record.snapshot = record.snapshot_seq = None
        self._bus.journal.batch.snapshot(record.number, 0, self._clock.now_us(), NO_REVISION, b"")
