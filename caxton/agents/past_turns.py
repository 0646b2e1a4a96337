"""An agent's journalled turns, run once more in an instance that is made for it.

In: instances at the moments that their memories begin from. Out: the same with the turns since. Many agents are read
for at once; one whose turns take long is left behind and goes on by itself, so that it holds up no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from typing import Final

import structlog

from caxton.agents.instances import Instances
from caxton.agents.recovery_plan import RecoveryPlan
from caxton.clock import Clock
from caxton.errors import CaxtonError
from caxton.journal import FRESH, Journal, OwnTurn, PastTurn, SnapshotRow

BATCH_TURNS: Final = 256
BATCH_BYTES: Final = 1 << 20
PROGRESS_S: Final = 5.0
SLOW_S: Final = 0.25
"""An agent that holds up others for longer goes on by itself."""
QUICK_S: Final = 0.05
"""A frame of turns that took less is followed by a larger one."""

log = structlog.get_logger("caxton.agents")


class PastTurns:
    """Runs them, `most` for one agent, 0 for as many as there are. `make` makes its instance at a moment, or fresh;
    `tell` is told of an agent that takes long that it is further."""

    def __init__(
        self,
        *,
        journal: Journal,
        instances: Instances,
        clock: Clock,
        most: int,
        make: Callable[[RecoveryPlan, SnapshotRow | None], Awaitable[None]],
        tell: Callable[[RecoveryPlan], None],
    ) -> None:
        self._journal = journal
        self._instances = instances
        self._clock = clock
        self._most = most
        self._make = make
        self._tell = tell

    async def run(
        self,
        group: list[RecoveryPlan],
        upto: int,
        arrived: Callable[[RecoveryPlan], None],
        tasks: asyncio.TaskGroup,
    ) -> None:
        """Read the past of these agents once and run it; and once more for those that have to leave a turn out.

        Returns when those are through that take no longer than others; the rest goes on in `tasks`.
        """
        own = await self._journal.reader.own_turns({way.record.number for way in group})
        for way in group:
            way.learn(own.get((way.record.number, way.of), {}))
        for way, feed in await self._read(group, upto, tasks):
            group.remove(way)
            tasks.create_task(self._go_alone(way, feed, upto, arrived, tasks))
        for way in group:
            while way.again:
                await self._begin_again(way)
                await self._read([way], upto, tasks)
            arrived(way)

    async def _go_alone(
        self,
        way: RecoveryPlan,
        feed: asyncio.Task[None],
        upto: int,
        arrived: Callable[[RecoveryPlan], None],
        tasks: asyncio.TaskGroup,
    ) -> None:
        """An agent whose turns take long is read for by itself from where it is, so that it holds up no other."""
        await feed
        while way.again or (way.replays and way.error is None and way.last_seq < upto):
            if way.again:
                await self._begin_again(way)
            await self._read([way], upto, tasks)
            if not way.again:
                break
        arrived(way)

    async def _read(
        self, group: Sequence[RecoveryPlan], upto: int, tasks: asyncio.TaskGroup
    ) -> list[tuple[RecoveryPlan, asyncio.Task[None]]]:
        """Read and run; those that were left behind, each with what still runs of it."""
        by_number = {way.record.number: way for way in group}
        behind: list[tuple[RecoveryPlan, asyncio.Task[None]]] = []
        began = told = self._clock.monotonic()
        pages = self._journal.past_turns(
            by_number,
            after_seq=min(way.last_seq for way in group),
            before_seq=upto + 1,
        )
        try:
            async for page in pages:
                feeds = {
                    tasks.create_task(self._feed(way, turns, upto)): way
                    for way, turns in _shared_out(page, by_number)
                }
                if feeds and not await some_done(feeds, all_of=True, patient=len(by_number) == 1):
                    for feed, way in feeds.items():
                        if not feed.done():
                            del by_number[way.record.number]
                            behind.append((way, feed))
                if not by_number:
                    break
                now = self._clock.monotonic()
                if now - told >= PROGRESS_S:
                    told = now
                    done = sum(way.turns for way in group)
                    log.info("running turns once more", agents=len(group), turns=done, s=round(now - began))
        except CaxtonError as error:
            for way in by_number.values():
                way.fail(error)
        finally:
            await pages.aclose()
        return behind

    async def _feed(self, way: RecoveryPlan, turns: list[PastTurn], upto: int) -> None:
        """Run some turns in an agent's instance; where one fails that went well once, do without."""
        try:
            for batch in batches(turns):
                while batch:
                    if not way.replays or way.again or way.error is not None:
                        return
                    began = self._clock.monotonic()
                    portion, batch = batch[: way.portion], batch[way.portion :]
                    if not await self._run(way, portion):
                        return
                    now = self._clock.monotonic()
                    way.pace(min(BATCH_TURNS, way.portion * 2) if now - began < QUICK_S else 1)
                    if way.ahead is None and way.base is not None and now - way.began > SLOW_S:
                        way.has_ahead(
                            await self._journal.count_past_turns(
                                way.record.number, after_seq=way.base.seq, before_seq=upto + 1
                            )
                        )
                    self._tell(way)
        except CaxtonError as error:
            way.fail(error)

    async def _run(self, way: RecoveryPlan, batch: list[PastTurn]) -> bool:
        """Run a few turns; whether it is to go on with the next."""
        assert way.link is not None
        if self._most and way.turns + len(batch) > self._most:
            way.do_without(f"it has had more than {self._most:,} turns since", broke=False)
            await self._make_from(way, way.base)
            return False
        answer = await self._instances.replay(
            way.link, way.slot, [self._instances.told_again(turn, way.revision) for turn in batch]
        )
        way.ran(answer.done)
        if answer.fault is None:
            return True
        broke = batch[answer.done]
        if broke.revision_no != way.revision.no and not way.strict and way.lives > 1:
            # another revision did this turn, and it would have cost this one its instance then, too
            way.leave_out(broke.own_seq)
            self._journal.batch.records.append(OwnTurn(way.record.number, way.of, broke.own_seq, held=False))
            return False
        why = f"its turn on message {broke.seq} went well once and now ended: {answer.fault.reason}"
        way.do_without(why, broke=True)
        await self._make_from(way, way.base)
        return False

    async def _begin_again(self, way: RecoveryPlan) -> None:
        """A new instance in place of the one that is gone, from the same moment."""
        base = way.base
        assert base is not None
        try:
            await self._make(way, base)
        except CaxtonError as error:
            way.fail(error)
        way.begin_again(base)

    async def _make_from(self, way: RecoveryPlan, base: SnapshotRow | None) -> None:
        """Make it with the state that was kept, or with nothing."""
        await self._make(way, base if base is not None and base.kind != FRESH else None)


async def some_done(
    work: Collection[asyncio.Task[None]], *, all_of: bool = False, patient: bool = False
) -> bool:
    """Whether some of it, or all, is done after a moment; with `patient` wait for all."""
    done, _ = await asyncio.wait(work, timeout=None if patient else SLOW_S)
    return len(done) == len(work) if all_of else bool(done)


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
        way = by_number.get(turn.agent_no)
        if way is not None and way.replays and turn.place > way.last_seq:
            way.reach(turn.place, turn.number)
            if way.holds(turn):
                shares.setdefault(turn.agent_no, []).append(turn)
    return [(by_number[number], turns) for number, turns in shares.items()]
