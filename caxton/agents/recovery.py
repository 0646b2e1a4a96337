"""How an agent's memory comes back: from a moment that was kept, and its later turns run once more.

In: agents without an instance, each with a place in a cell. Out: instances that remember what the journal says they
did, or less and the reason. Turns are deterministic, so the same messages in the same order make the same memory; what
they say this time is thrown away.

It rests on one promise, which everything here keeps: the latest snapshot row of an agent, and its turns after it that
left its instance alive (or of which a row of `own_turn` says that they are remembered), run on its present revision,
are its memory. Where it comes back with less, a row says so, and the next recovery begins there
(docs/decisions/0008-recovery-by-replay.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from caxton.agents.instances import Instances
from caxton.agents.life_messages import LifeMessages
from caxton.agents.past_turns import PastTurns, some_done
from caxton.agents.record import AgentRecord, RecoveryProgress
from caxton.agents.recovery_plan import RecoveryPlan
from caxton.bus import Bus
from caxton.cells import Cell, CellLost
from caxton.clock import Clock
from caxton.errors import CaxtonError, DeploymentError, InvalidState
from caxton.journal import FRESH, RESTORED, SnapshotRow

NEAR: Final = 20_000
"""Agents whose moment is so many numbers back at the most are brought back before the others."""
ONE_BY_ONE: Final = 8

log = structlog.get_logger("caxton.agents")


class Recovery:
    """Brings memories back. `most` turns are run once more for one agent, 0 for as many as there are."""

    def __init__(
        self, *, bus: Bus, instances: Instances, lives: LifeMessages, clock: Clock, most: int
    ) -> None:
        self._bus = bus
        self._journal = bus.journal
        self._instances = instances
        self._lives = lives
        self._clock = clock
        self._past = PastTurns(
            journal=bus.journal,
            instances=instances,
            clock=clock,
            most=most,
            make=self._make,
            tell=self._tell,
        )
        self._under_way: dict[AgentRecord, RecoveryPlan] = {}

    def place(self) -> Cell:
        """The cell for one more agent: agents that are started side by side spread over all."""
        return self._instances.place(
            way.cell for way in self._under_way.values() if way.record.endpoint not in way.cell.endpoints
        )

    async def bring(
        self, record: AgentRecord, cell: Cell, *, fresh: bool = False, given: bytes | None = None
    ) -> RecoveryPlan:
        """Make an agent's instance in a cell, with its memory or the one that is `given`, and let messages go to it.

        Raises what kept it from coming up: DeploymentError, InvalidState, CellLost.
        """
        way = self.way(record, cell, fresh=fresh, given=given)
        await self.bring_all([way], _nobody)
        if way.error is not None:
            raise way.error
        return way

    async def bring_all(self, ways: Sequence[RecoveryPlan], back: Callable[[RecoveryPlan], None]) -> None:
        """The same for many agents with one reading of the journal; `back` is told of each, at once, however it
        ended. One that takes long holds up no other."""

        def arrived(way: RecoveryPlan) -> None:
            record = way.record
            if self._under_way.get(record) is way:
                del self._under_way[record]
                record.recovered()
            if way.error is None:
                try:
                    assert way.loaded is not None
                    self._instances.seat(record, way.cell, way.link, way.slot, way.loaded)
                    if way.why is not None:
                        self._lives.recovered(way, way.why)
                    self._bus.open(record.endpoint)
                except CaxtonError as error:
                    way.fail(error)
            back(way)

        def done(way: RecoveryPlan) -> None:
            if self._under_way.get(way.record) is not way:
                way.abandon(CellLost(f"{way.record.name} comes back another time: its cell died meanwhile"))
            self._arrive(way, arrived)

        for way in ways:
            self._under_way[way.record] = way
            if not way.fresh:
                way.record.recovers(RecoveryProgress())
        await self._recall(ways, done)

    def abandon(self, record: AgentRecord) -> None:
        """That agent is not to come back: whoever brings it learns that with the turn that runs now."""
        way = self._under_way.pop(record, None)
        if way is not None:
            way.abandon(InvalidState(f"{record.name} was stopped while it was recovering"))
        record.recovered()

    def way(
        self,
        record: AgentRecord,
        cell: Cell,
        *,
        fresh: bool = False,
        given: bytes | None = None,
        why: str | None = None,
    ) -> RecoveryPlan:
        """An agent on its way to a new slot of that cell, as it was last told to be; `why` is for the agent."""
        assert record.revision is not None
        return RecoveryPlan(record, cell, cell.slot(), record.revision, record.config, fresh, given, why=why)

    async def remember(self, ways: Sequence[RecoveryPlan], arrived: Callable[[RecoveryPlan], None]) -> None:
        """Make instances with their memories, without letting messages go to them; `arrived` is told of each."""

        def done(way: RecoveryPlan) -> None:
            self._arrive(way, arrived)

        await self._recall(ways, done)

    async def recall(self, ways: Sequence[RecoveryPlan], upto: int | None = None) -> None:
        """Make instances and run their past in them, up to the turn on message `upto`, and nothing else: for builds
        beside the running ones."""
        await self._recall(ways, _nobody, upto)

    async def catch_up(self, way: RecoveryPlan, upto: int) -> None:
        """Run what was done meanwhile, up to the turn on message `upto`."""
        await self._journal.written()
        if way.replays and way.error is None:
            async with asyncio.TaskGroup() as tasks:
                await self._past.run([way], upto, _nobody, tasks)
        if way.error is not None:
            raise way.error

    async def _recall(
        self, ways: Sequence[RecoveryPlan], arrived: Callable[[RecoveryPlan], None], upto: int | None = None
    ) -> None:
        bases: dict[int, SnapshotRow] = {}
        since: dict[int, int] = {}
        if not all(way.fresh or way.config.recover == "fresh" for way in ways):
            # what is not on disk yet is part of the past too
            await self._journal.written()
            bases = await self._bases(ways)
            since = await self._journal.reader.memory_since({way.record.number for way in ways})
        async with asyncio.TaskGroup() as tasks:
            loads = {
                tasks.create_task(
                    self._load(way, bases.get(way.record.number), since.get(way.record.number, 0))
                ): way
                for way in ways
            }
            while loads:
                # those that are up go on while a slow one is still being made
                if not await some_done(loads):
                    await asyncio.wait(loads, return_when=asyncio.FIRST_COMPLETED)
                ready = [way for load, way in loads.items() if load.done()]
                loads = {load: way for load, way in loads.items() if not load.done()}
                await self._go_on(ready, arrived, self._bus.last_seq if upto is None else upto, tasks)

    async def _go_on(
        self,
        ways: Sequence[RecoveryPlan],
        arrived: Callable[[RecoveryPlan], None],
        upto: int,
        tasks: asyncio.TaskGroup,
    ) -> None:
        """Instances are there: run what they did, those first that have little of it."""
        for way in ways:
            if not way.replays:
                arrived(way)
        replaying = [way for way in ways if way.replays]
        horizon = self._bus.last_seq - NEAR
        near = [way for way in replaying if way.last_seq >= horizon]
        for group in (near, [way for way in replaying if way.last_seq < horizon]):
            if group:
                await self._past.run(group, upto, arrived, tasks)

    # ------------------------------------------------------------------ where to begin

    async def _bases(self, ways: Sequence[RecoveryPlan]) -> dict[int, SnapshotRow]:
        reader = self._journal.reader
        if len(ways) > ONE_BY_ONE:
            return await reader.latest_snapshots()
        found = [await self._latest(way) for way in ways]
        return {one.agent_no: one for one in found if one is not None}

    async def _latest(self, way: RecoveryPlan) -> SnapshotRow | None:
        reader, heir_no = self._journal.reader, way.record.heir_no
        if heir_no is None or heir_no == way.revision.no:
            return await reader.snapshot(way.record.number)
        # what was put down about its heir is no part of its memory
        rows = await reader.snapshots(way.record.number)
        return next((row for row in rows if row.revision_no != heir_no), None)

    async def _load(self, way: RecoveryPlan, latest: SnapshotRow | None, since: int) -> None:
        """Make the instance, and find out from where on it has to be told what it did."""
        recover = way.config.recover
        way.begin(self._clock.monotonic(), way.cell.link)
        if latest is not None:
            way.lose_count()
        if way.since is not None:
            latest = SnapshotRow(way.record.number, way.since, 0, way.revision.no, b"", FRESH)
        try:
            if way.given is not None:
                await self._make(
                    way, SnapshotRow(way.record.number, 0, 0, way.revision.no, way.given, RESTORED)
                )
                if not way.restored:
                    way.fail(DeploymentError("its build takes no state: it has no caxton_restore"))
                return
            if way.fresh or recover == "fresh":
                await self._make(way, None)
                return
            await self._make(way, latest)
            base = latest
            if base is not None and base.kind != FRESH and not way.restored:
                way.remember_less("its build takes no state")
                base = await self._beginning(base) if recover == "replay" else None
        except CaxtonError as error:
            way.fail(error)
            return
        if recover != "replay":
            return
        if base is None:
            way.remember_less(way.reason or "the journal does not say how its memory began")
        elif base.seq < since:
            way.remember_less(f"the journal has removed what it did up to message {since}")
        else:
            way.replay_from(base)

    async def _make(self, way: RecoveryPlan, base: SnapshotRow | None) -> None:
        state = base.data if base is not None and base.kind != FRESH else None
        if way.link is None:
            raise CellLost("the agent's cell is being started again", hint="try again in a moment")
        loaded = await self._instances.load(
            way.record, way.cell, way.slot, way.revision, way.config, state=state
        )
        way.made(loaded, base)

    async def _beginning(self, base: SnapshotRow) -> SnapshotRow | None:
        """The moment without a state that the memory goes back to, through states that only shorten the way."""
        for row in await self._journal.reader.snapshots(base.agent_no):
            if row.kind == FRESH:
                return row
            if row.kind == RESTORED:
                return None
        return None

    # ------------------------------------------------------------------ there

    def _tell(self, way: RecoveryPlan) -> None:
        """How far an agent is that comes back itself."""
        if self._under_way.get(way.record) is not way or way.base is None:
            return
        share = min(1.0, way.turns / way.ahead) if way.ahead else 0.0
        passed_s = self._clock.monotonic() - way.began
        left_s = round(passed_s / share * (1 - share), 1) if share > 0 else None
        way.record.recovers(
            RecoveryProgress(turns=way.turns, percent=min(99, int(share * 100)), left_s=left_s)
        )

    def _arrive(self, way: RecoveryPlan, arrived: Callable[[RecoveryPlan], None]) -> None:
        """Put down from where on the agent will remember, and pass it on."""
        record, endpoint = way.record, way.record.endpoint
        if way.error is None:
            if not way.replays:
                # everything before the first message that waits is past, and it remembers only what it was given
                way.reach(endpoint.past_upto(self._bus.last_seq))
                if way.restored:
                    assert way.base is not None
                    self._instances.keep(record, way.base.data, way.last_seq, RESTORED, way.revision.no)
                else:
                    self._instances.forget(record, way.last_seq, way.revision.no)
            endpoint.took_up(way.last_seq)
            # where it is not known, they go on behind all that may have been given
            endpoint.numbers_upto(self._bus.last_seq if way.number is None else way.number)
            if way.reason is not None:
                log.warning(
                    "an agent remembers less than it did",
                    agent=record.name,
                    memory=way.memory,
                    reason=way.reason,
                )
        arrived(way)


def _nobody(way: RecoveryPlan) -> None:
    """Whoever waits for it looks at the plan itself."""
