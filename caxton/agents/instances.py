"""Instances of agents in cells: made there, kept in mind, taken away.

In: an agent's record, a cell, a revision. Out: frames to the cell, and an endpoint whose messages go there. What the
supervisor and the change engine both need; neither knows anything here of why.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from caxton.agents.record import AgentConfig, AgentRecord, Revision
from caxton.bus import Bus
from caxton.cells import Cell, CellLink, CellLost, CellPool
from caxton.clock import Clock
from caxton.errors import DeploymentError
from caxton.journal import FRESH, KEPT, PastTurn
from caxton.sandbox.compile.compiler import Compiler
from caxton.sandbox.frames import (
    Fault,
    Kind,
    Load,
    Replayed,
    cut,
    load_payload,
    replay_payload,
    split_payload,
)
from caxton.sandbox.frames import Loaded as LoadedAnswer
from caxton.sandbox.profiles import Profile
from caxton.turn_status import REDELIVERED, Status

MOST_DOUBLINGS: Final = 10
"""A state that cannot be kept is tried again after 1,024 times `snapshot_every` turns at the latest."""


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
        self._drawing: set[str] = set()

    def place(self, coming: Iterable[Cell] = ()) -> Cell:
        """The cell for one more instance, where others are on their way to these."""
        return self._pool.place(coming)

    def seat(
        self, record: AgentRecord, cell: Cell, link: CellLink | None, slot: int, loaded: LoadedAnswer
    ) -> None:
        """The instance in that slot is the agent's; the bus has still to let messages go to it."""
        if link is None or cell.link is not link:
            raise CellLost("the agent's cell is being started again", hint="try again in a moment")
        record.start(cell, link, slot, tuple(loaded.hooks))
        assert record.revision is not None
        record.endpoint.may_draw(draws=self.draws(record.revision))
        self.plan_snapshot(record)

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
        """Make an instance in a slot; what was there is shut down. `state` is restored, where the build can take it.

        Raises DeploymentError where the guest does not come up, CellLost where its cell dies.
        """
        link = cell.link
        if link is None:
            raise CellLost("the cell is being started again")
        load = Load(
            agent=record.endpoint.name,
            revision=revision.sha256,
            module=await self._module(revision),
            profile=config.profile,
            limits=config.limits,
            settings=config.settings,
            seeds=self._bus.seeds.texts,
            restore=state is not None,
        )
        answer = await link.request(Kind.LOAD, slot, load_payload(load, state or b""))
        if answer.status != Status.OK:
            fault = msgspec.json.decode(answer.payload, type=Fault)
            raise DeploymentError(fault.reason, hint=fault.hint, fault=fault.code)
        loaded = msgspec.json.decode(answer.payload, type=LoadedAnswer)
        if loaded.memory_kib is None:
            self._drawing.add(revision.sha256)
        return loaded

    def draws(self, revision: Revision) -> bool:
        """Whether a build that was loaded here may ask for randomness: a component; a core module imports nothing."""
        return revision.sha256 in self._drawing

    async def _module(self, revision: Revision) -> str:
        """The compiled module of a revision; compiled anew where the cache has lost it."""
        wasm = await self._compiler.wasm(revision.sha256)
        return str((await self._compiler.compile(wasm, Profile(revision.profile))).module_path)

    def told_again(self, turn: PastTurn, revision: Revision) -> bytes:
        """A message as the agent was given it then, for that build of it."""
        body = turn.body[:-1] + b',"redelivered":true}' if turn.status >= REDELIVERED else turn.body
        return self.numbered(body, turn.number, turn.place, revision)

    def numbered(self, body: bytes, number: int, place: int, revision: Revision) -> bytes:
        """A message for the turn of that number, for a build that may draw from it."""
        return self._bus.seeds.head(number, place) + body if self.draws(revision) else body

    async def replay(self, link: CellLink, slot: int, bodies: Sequence[bytes]) -> Replayed:
        """Run messages once more in a slot and throw away what is said; how far it came.

        Raises CellLost where the cell dies, DeploymentError where the slot has no instance.
        """
        answer, _ = await self.rerun(link, slot, bodies, outputs=False)
        return answer

    async def rerun(
        self, link: CellLink, slot: int, bodies: Sequence[bytes], *, outputs: bool
    ) -> tuple[Replayed, list[bytes]]:
        """The same, with what each turn wrote, for whoever wants to look at it."""
        answer = await link.request(Kind.REPLAY, slot, replay_payload(bodies, outputs=outputs))
        if answer.status != Status.OK:
            fault = msgspec.json.decode(answer.payload, type=Fault)
            raise DeploymentError(fault.reason, hint=fault.hint, fault=fault.code)
        replayed, said = split_payload(answer.payload, Replayed)
        return replayed, list(cut(said, [turn.length for turn in replayed.turns]))

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
        keep = self.keeps(record)
        try:
            answer = await link.request(Kind.STOP, endpoint.slot, msgspec.json.encode({"snapshot": keep}))
        except CellLost:
            return
        if not endpoint.in_flight:
            link.slots.pop(endpoint.slot, None)
        if keep and answer.status == Status.OK:
            self.keep(record, answer.payload, endpoint.last_seq)

    def keeps(self, record: AgentRecord) -> bool:
        """Whether the agent's state can be kept and given back to it."""
        return {"snapshot", "restore"} <= set(record.hooks) and record.config.recover != "fresh"

    def plan_snapshot(self, record: AgentRecord) -> None:
        """Say after which turn the agent's state is to be kept next: after twice as many with each failure."""
        keeps = self._snapshot_every and self.keeps(record)
        turns = self._snapshot_every << min(record.snapshot_failures, MOST_DOUBLINGS)
        record.endpoint.keep_state_after(turns if keeps else None)

    def keep(
        self, record: AgentRecord, data: bytes, seq: int, kind: str = KEPT, revision_no: int | None = None
    ) -> None:
        """Keep an agent's state as it was after its turn on message `seq`; `kind` is SnapshotRow's."""
        record.remembers_from(seq)
        number = record.endpoint.revision_no if revision_no is None else revision_no
        self._put_down(record, seq, number, data, kind)

    def forget(self, record: AgentRecord, seq: int, revision_no: int) -> None:
        """After message `seq` the agent began with nothing; what was kept before is of no use to it any more."""
        record.remembers_from(None)
        self._put_down(record, seq, revision_no, b"", FRESH)

    def _put_down(self, record: AgentRecord, seq: int, revision_no: int, data: bytes, kind: str) -> None:
        self._bus.journal.batch.snapshot(
            record.number, seq, self._clock.now_us(), revision_no, data, kind, record.endpoint.given_no
        )
