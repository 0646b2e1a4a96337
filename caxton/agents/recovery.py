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
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from caxton.agents.instances import Instances
from caxton.agents.record import AgentConfig, AgentRecord, Revision
from caxton.bus import Bus
from caxton.cells import Cell, CellLink, CellLost
from caxton.clock import Clock
from caxton.errors import CaxtonError
from caxton.journal import FRESH, RESTORED, OwnTurn, PastTurn, SnapshotRow
from caxton.sandbox.frames import Loaded
from caxton.turn_status import REDELIVERED, SURVIVED

NEAR: Final = 20_000
"""Agents whose moment is so many numbers back at the most are brought back before the others."""
BATCH_TURNS: Final = 256
BATCH_BYTES: Final = 1 << 20
PROGRESS_S: Final = 5.0
ONE_BY_ONE: Final = 8
LIVES: Final = 6
"""How often an instance is made, one turn of another revision left out more each time."""

log = structlog.get_logger("caxton.agents")


@dataclass(slots=True, eq=False)
class RecoveryPlan:
    """One agent on its way back; filled in as it goes."""

    record: AgentRecord
    cell: Cell
    slot: int
    revision: Revision
    config: AgentConfig
    fresh: bool = False
    """Whether it is to begin with nothing, whatever there is."""
    link: CellLink | None = None
    loaded: Loaded | None = None
    base: SnapshotRow | None = None
    """The moment that it begins from."""
    replays: bool = False
    turns: int = 0
    """How many turns were run once more."""
    last_seq: int = 0
    reason: str | None = None
    """Why it remembers less than it did."""
    error: CaxtonError | None = None
    broke: bool = False
    """Whether that is because a turn that went well once cost the instance."""
    brought_by: str | None = None
    """The deployment that brought this revision; None for the one that the agent is."""
    since: int | None = None
    """It began with nothing after this message, whatever the rows say."""
    strict: bool = False
    """Whether a turn that another revision did and that costs this one the instance is not simply left out."""
    lives: int = LIVES
    again: bool = False
    """Whether it begins again, without a turn."""
    own: dict[int, bool] = field(default_factory=dict[int, bool])
    """Turns of which it does not remember what their rows say."""

    @property
    def restored(self) -> bool:
        """Whether it has a state that was kept."""
        return self.loaded is not None and self.loaded.restored

    @property
    def memory(self) -> str:
        """What became of its memory, in a word or two."""
        if self.turns:
            return f"replayed {self.turns:,} turn{'s' if self.turns > 1 else ''}"
        return "snapshot" if self.restored else "fresh"

    @property
    def of(self) -> str:
        """The deployment under whose name its own turns stand."""
        return self.record.brought_by if self.brought_by is None else self.brought_by

    def holds(self, turn: PastTurn) -> bool:
        """Whether that turn is part of its memory."""
        return self.own.get(turn.seq, turn.status % REDELIVERED in SURVIVED)


class Recovery:
    """Brings memories back. `most` turns are run once more for one agent, 0 for as many as there are."""

    def __init__(self, *, bus: Bus, instances: Instances, clock: Clock, most: int) -> None:
        self._bus = bus
        self._journal = bus.journal
        self._instances = instances
        self._clock = clock
        self._most = most

    async def bring(self, record: AgentRecord, cell: Cell, *, fresh: bool = False) -> RecoveryPlan:
        """Make an agent's instance in a cell, with its memory, and let messages go to it.

        Raises what kept it from coming up: DeploymentError, InvalidState, CellLost.
        """
        way = self.way(record, cell, fresh=fresh)
        await self.bring_all([way], lambda way: None)
        if way.error is not None:
            raise way.error
        return way

    async def bring_all(self, ways: Sequence[RecoveryPlan], back: Callable[[RecoveryPlan], None]) -> None:
        """The same for many agents with one reading of the journal; `back` is told of each, at once, however it
        ended."""

        def arrived(way: RecoveryPlan) -> None:
            if way.error is None:
                try:
                    assert way.loaded is not None
                    self._instances.seat(way.record, way.cell, way.link, way.slot, way.loaded)
                except CaxtonError as error:
                    way.error = error
            back(way)

        await self.remember(ways, arrived)

    def way(self, record: AgentRecord, cell: Cell, *, fresh: bool = False) -> RecoveryPlan:
        """An agent on its way to a new slot of that cell, as it was last told to be."""
        assert record.revision is not None
        return RecoveryPlan(record, cell, cell.slot(), record.revision, record.config, fresh)

    async def remember(self, ways: Sequence[RecoveryPlan], arrived: Callable[[RecoveryPlan], None]) -> None:
        """Make instances with their memories, without letting messages go to them; `arrived` is told of each."""

        def done(way: RecoveryPlan) -> None:
            self._arrive(way, arrived)

        await self._recall(ways, done)

    async def recall(self, ways: Sequence[RecoveryPlan], upto: int | None = None) -> None:
        """Make instances and run their past in them, up to the turn on message `upto`, and nothing else: for builds
        beside the running ones."""
        await self._recall(ways, lambda way: None, upto)

    async def catch_up(self, way: RecoveryPlan, upto: int) -> None:
        """Run what was done meanwhile, up to the turn on message `upto`."""
        await self._journal.written()
        if way.replays and way.error is None:
            await self._replay([way], upto)
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
        await asyncio.gather(
            *(self._load(way, bases.get(way.record.number), since.get(way.record.number, 0)) for way in ways)
        )
        for way in ways:
            if not way.replays:
                arrived(way)
        replaying = [way for way in ways if way.replays]
        horizon = self._bus.last_seq - NEAR
        near = [way for way in replaying if way.last_seq >= horizon]
        for group in (near, [way for way in replaying if way.last_seq < horizon]):
            if group:
                await self._replay(group, self._bus.last_seq if upto is None else upto)
                for way in group:
                    arrived(way)

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
        way.link = way.cell.link
        if way.since is not None:
            latest = SnapshotRow(way.record.number, way.since, 0, way.revision.no, b"", FRESH)
        try:
            if way.fresh or recover == "fresh":
                await self._make(way, None)
                return
            await self._make(way, latest)
            base = latest
            if base is not None and base.kind != FRESH and not way.restored:
                way.reason = "its build takes no state"
                base = await self._beginning(base) if recover == "replay" else None
        except CaxtonError as error:
            way.error = error
            return
        if recover != "replay":
            return
        if base is None:
            way.reason = way.reason or "the journal does not say how its memory began"
        elif base.seq < since:
            way.reason = f"the journal has removed what it did up to message {since}"
        else:
            way.base, way.replays, way.last_seq, way.reason = base, True, base.seq, None

    async def _make(self, way: RecoveryPlan, base: SnapshotRow | None) -> None:
        state = base.data if base is not None and base.kind != FRESH else None
        if way.link is None:
            raise CellLost("the agent's cell is being started again", hint="try again in a moment")
        way.loaded = await self._instances.load(
            way.record, way.cell, way.slot, way.revision, way.config, state=state
        )
        way.base = base if way.loaded.restored else None

    async def _beginning(self, base: SnapshotRow) -> SnapshotRow | None:
        """The moment without a state that the memory goes back to, through states that only shorten the way."""
        for row in await self._journal.reader.snapshots(base.agent_no):
            if row.kind == FRESH:
                return row
            if row.kind == RESTORED:
                return None
        return None

    # ------------------------------------------------------------------ once more

    async def _replay(self, group: list[RecoveryPlan], upto: int) -> None:
        """Read the past of these agents once and run it; and once more for those that have to leave a turn out."""
        own = await self._journal.reader.own_turns({way.record.number for way in group})
        for way in group:
            way.own |= own.get((way.record.number, way.of), {})
        while group:
            await self._read(group, upto)
            group = [way for way in group if way.again]
            for way in group:
                await self._begin_again(way)

    async def _read(self, group: list[RecoveryPlan], upto: int) -> None:
        by_number = {way.record.number: way for way in group}
        began = told = self._clock.monotonic()
        pages = self._journal.past_turns(
            by_number,
            after_seq=min(way.last_seq for way in group),
            before_seq=upto + 1,
        )
        try:
            async for page in pages:
                await asyncio.gather(*(self._feed(way, turns) for way, turns in _shared_out(page, by_number)))
                now = self._clock.monotonic()
                if now - told >= PROGRESS_S:
                    told = now
                    done = sum(way.turns for way in group)
                    log.info("running turns once more", agents=len(group), turns=done, s=round(now - began))
        except CaxtonError as error:
            for way in group:
                way.error = way.error or error
        finally:
            await pages.aclose()

    async def _feed(self, way: RecoveryPlan, turns: list[PastTurn]) -> None:
        """Run some turns in an agent's instance; where one fails that went well once, do without."""
        try:
            for batch in batches(turns):
                if not way.replays or way.again or way.error is not None:
                    return
                assert way.link is not None
                if self._most and way.turns + len(batch) > self._most:
                    await self._do_without(way, f"it has had more than {self._most:,} turns since")
                    return
                answer = await self._instances.replay(way.link, way.slot, [body_of(turn) for turn in batch])
                way.turns += answer.done
                if answer.fault is not None:
                    broke = batch[answer.done]
                    if broke.revision_no != way.revision.no and not way.strict and way.lives > 1:
                        self._leave_out(way, broke)
                        return
                    way.broke = True
                    await self._do_without(
                        way,
                        f"its turn on message {broke.seq} went well once and now ended: {answer.fault.reason}",
                    )
                    return
        except CaxtonError as error:
            way.error = error

    def _leave_out(self, way: RecoveryPlan, turn: PastTurn) -> None:
        """Another revision did this turn, and it costs this one the instance: it would have cost it the turn then."""
        way.again, way.own[turn.seq] = True, False
        way.lives -= 1
        self._journal.batch.records.append(OwnTurn(way.record.number, way.of, turn.seq, held=False))

    async def _begin_again(self, way: RecoveryPlan) -> None:
        """A new instance in place of the one that is gone, from the same moment."""
        base, way.again = way.base, False
        assert base is not None
        try:
            await self._make(way, base)
        except CaxtonError as error:
            way.error = error
        way.base, way.turns, way.last_seq = base, 0, base.seq

    async def _do_without(self, way: RecoveryPlan, reason: str) -> None:
        """Begin again with the state that was kept, or with nothing."""
        way.replays, way.turns, way.reason = False, 0, reason
        base = way.base
        await self._make(way, base if base is not None and base.kind != FRESH else None)

    def _arrive(self, way: RecoveryPlan, arrived: Callable[[RecoveryPlan], None]) -> None:
        """Put down from where on the agent will remember, and pass it on."""
        record, endpoint = way.record, way.record.endpoint
        if way.error is None:
            if not way.replays:
                # everything before the first message that waits is past, and it remembers only what it was given
                way.last_seq = endpoint.waiting[0].seq - 1 if endpoint.waiting else self._bus.last_seq
                if way.restored:
                    assert way.base is not None
                    self._instances.keep(record, way.base.data, way.last_seq, RESTORED, way.revision.no)
                else:
                    self._instances.forget(record, way.last_seq, way.revision.no)
            endpoint.took_up(way.last_seq)
            if way.reason is not None:
                log.warning(
                    "an agent remembers less than it did",
                    agent=record.name,
                    memory=way.memory,
                    reason=way.reason,
                )
        arrived(way)


def body_of(turn: PastTurn) -> bytes:
    """The message as the agent was given it then."""
    return turn.body[:-1] + b',"redelivered":true}' if turn.status >= REDELIVERED else turn.body


def batches(turns: Iterable[PastTurn]) -> Iterator[list[PastTurn]]:
    """Turns in portions that one frame may hold."""
    batch: list[PastTurn] = []
    size = 0
    for turn in turns:
        if batch and (len(batch) >= BATCH_TURNS or size + len(turn.body) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(turn)
        size += len(turn.body)
    if batch:
        yield batch


def _shared_out(
    page: list[PastTurn], by_number: dict[int, RecoveryPlan]
) -> Iterable[tuple[RecoveryPlan, list[PastTurn]]]:
    """The turns of a page that are to be run, by agent."""
    shares: dict[int, list[PastTurn]] = {}
    for turn in page:
        way = by_number[turn.agent_no]
        if way.replays and turn.seq > way.last_seq:
            way.last_seq = turn.seq
            if way.holds(turn):
                shares.setdefault(turn.agent_no, []).append(turn)
    return [(by_number[number], turns) for number, turns in shares.items()]
