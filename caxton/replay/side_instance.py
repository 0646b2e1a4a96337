"""An instance beside the running ones, which goes through an agent's past.

In: a build, the moments of the agent's memory, the turns that are of interest. Out: how each of those went, from the
state that it met. What lies between is run too, because a state is all that was before it; what is said stays here. A
turn that costs the instance is left out from then on: the instance is made again and goes through the past without it,
as the supervisor would do it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from caxton.agents import AgentConfig, AgentRecord, Instances, Revision
from caxton.agents.past_turns import batches
from caxton.cells import Cell, CellLost
from caxton.errors import DeploymentError
from caxton.journal import FRESH, RESTORED, Journal, PastTurn, SnapshotRow
from caxton.replay.live import LiveQuestions
from caxton.replay.report import Start
from caxton.replay.time_box import TimeBox
from caxton.sandbox.frames import Loaded, Replayed, ReplayedTurn
from caxton.turn_status import REDELIVERED, SURVIVED, Status

QUICK_US: Final = 20_000
"""A frame that took less is followed by one with twice as many turns, so that the end of the time is seen."""
NOT_ASKED: Final = ReplayedTurn(Status.OK, 0, 0, None, 0)
"""How the turn about an answer goes that nobody asked for."""
LIVES: Final = 6
"""How often an instance is made: after that many traps the rest is not run."""


class Rerun(NamedTuple):
    """How a turn of interest went this time."""

    past: PastTurn
    now: ReplayedTurn
    output: bytes


class SideInstance:
    """One agent's past on one build."""

    def __init__(
        self,
        journal: Journal,
        instances: Instances,
        record: AgentRecord,
        revision: Revision,
        config: AgentConfig,
        wanted: Collection[int],
        time: TimeBox,
        live: LiveQuestions | None = None,
    ) -> None:
        self.results: dict[int, Rerun] = {}
        self.stumbled: list[int] = []
        self.start = Start(kind="beginning", seq=0)
        self._journal = journal
        self._instances = instances
        self._record = record
        self._revision = revision
        self._config = config
        self._wanted = frozenset(wanted)
        self._last = self._first = 0
        """The places of the last and the first turn of interest."""
        self._time = time
        self._live = live
        self._portion = 1
        """Turns of the next frame: few, while they take long."""
        self._skipped: set[int] = set()
        self._reached = 0
        """Turns up to this message have their results."""

    async def run(self) -> None:
        """Go through it, in a slot of its own. Raises DeploymentError where the build does not come up, CellLost."""
        cell = self._instances.place()
        slot = cell.slot()
        places = await self._journal.reader.places(self._record.number, self._wanted)
        # those that put their message back go by their place
        of_interest = [places.get(seq, abs(seq)) for seq in self._wanted]
        self._first, self._last = min(of_interest), max(of_interest)
        moments = await self._moments()
        try:
            for _ in range(LIVES):
                base = await self._begin(cell, slot, moments)
                if not await self._pass(cell, slot, base):
                    break
        finally:
            await self._instances.drop(cell, slot)

    # ------------------------------------------------------------------ where to begin

    async def _moments(self) -> list[SnapshotRow]:
        """The moments that lead to the state of the first turn, the nearest first; empty where none does."""
        first = self._first
        rows = await self._journal.reader.snapshots(self._record.number, before_seq=first)
        number = self._record.number
        trimmed = (await self._journal.reader.memory_since([number]))[number]
        found: list[SnapshotRow] = []
        why = "the journal does not say how the agent's memory began"
        if first <= trimmed:
            # they were spared, and between any moment and them something may be missing
            rows, why = [], f"the journal has removed what it did around them, up to message {trimmed}"
        for row in rows:
            if row.seq < trimmed:
                why = f"the journal has removed what it did up to message {trimmed}"
                break
            found.append(row)
            if row.kind in (FRESH, RESTORED):
                break
        if not found:
            self.start = Start(kind="beginning", seq=first - 1, exact=False, reason=why)
        return found

    async def _begin(self, cell: Cell, slot: int, moments: Sequence[SnapshotRow]) -> int:
        """An instance at the nearest moment that the build can begin from; the number of that message."""
        refused: str | None = None
        for row in moments:
            if row.kind == FRESH:
                await self._load(cell, slot, None)
                self.start = Start(kind="beginning", seq=row.seq)
                return row.seq
            try:
                loaded = await self._load(cell, slot, row.data)
            except CellLost:
                raise
            except DeploymentError as error:
                refused = f"the build does not take the state that was kept: {error.message}"
                continue
            if loaded.restored:
                self.start = Start(kind="snapshot", seq=row.seq)
                return row.seq
            refused = "the build takes no state, and the past without one is cut"
        await self._load(cell, slot, None)
        if moments:
            self.start = Start(kind="beginning", seq=self._first - 1, exact=False, reason=refused)
        else:
            self.start = msgspec.structs.replace(self.start, turns=0)
        return self.start.seq

    async def _load(self, cell: Cell, slot: int, state: bytes | None) -> Loaded:
        loaded = await self._instances.load(
            self._record, cell, slot, self._revision, self._config, state=state
        )
        self._time.spend(loaded.load_us)
        return loaded

    # ------------------------------------------------------------------ going through

    async def _pass(self, cell: Cell, slot: int, after: int) -> bool:
        """From a moment to the last turn of interest; whether the instance was lost before that."""
        pages = self._journal.past_turns([self._record.number], after_seq=after, before_seq=self._last + 1)
        try:
            async for page in pages:
                for batch in batches(self._due(page)):
                    while batch:
                        if self._time.is_over:
                            return False
                        many = 1 if self._live is not None else self._portion
                        portion, batch = batch[:many], batch[many:]
                        if await self._step(cell, slot, portion):
                            return True
                        if self._live is not None and await self._go_on(cell, slot, self._live, portion[0]):
                            return True
        finally:
            await pages.aclose()
        return False

    def _due(self, page: Sequence[PastTurn]) -> Iterator[PastTurn]:
        """What is to be run: what left its instance alive then, and what is of interest."""
        for turn in page:
            if turn.own_seq in self._skipped:
                continue
            if turn.status % REDELIVERED in SURVIVED or turn.own_seq in self._wanted:
                yield turn

    async def _go_on(self, cell: Cell, slot: int, live: LiveQuestions, turn: PastTurn) -> bool:
        """After a turn: ask what it asks anew, and run what follows from the answers; whether the instance was lost."""
        if turn.own_seq not in self._wanted:
            return False
        rerun = self.results[turn.own_seq]
        if live.found(turn.own_seq) is None:
            await live.went(turn.own_seq, rerun.past, rerun.now, rerun.output, follows=False)
        done = 0
        while done < len(live.following(turn.own_seq)):
            past = live.following(turn.own_seq)[done]
            answer, outputs = await self._rerun(cell, slot, [past], outputs=True)
            done += 1
            if answer.fault is not None:
                self.results[turn.own_seq] = Rerun(rerun.past, answer.turns[0], outputs[0])
                self._skipped.add(turn.own_seq)
                return True
            await live.went(turn.own_seq, past, answer.turns[0], outputs[0], follows=True)
        return False

    async def _rerun(
        self, cell: Cell, slot: int, batch: Sequence[PastTurn], *, outputs: bool
    ) -> tuple[Replayed, list[bytes]]:
        link = cell.link
        if link is None:
            raise CellLost("the cell of the replay died", hint="try again")
        bodies = [self._instances.told_again(turn, self._revision) for turn in batch]
        answer, said = await self._instances.rerun(link, slot, bodies, outputs=outputs)
        self._time.spend(answer.cpu_us)
        return answer, said

    async def _step(self, cell: Cell, slot: int, batch: list[PastTurn]) -> bool:
        asked = any(turn.own_seq in self._wanted and turn.place > self._reached for turn in batch)
        if self._live is not None and batch[0].own_seq in self._wanted:
            told = self._live.now(batch[0])
            if told is None:
                self.results[batch[0].own_seq] = Rerun(batch[0], NOT_ASKED, b"")
                self._reached = batch[0].place
                return False
            batch = [told]
        answer, outputs = await self._rerun(cell, slot, batch, outputs=asked)
        self._portion = self._portion * 2 if answer.cpu_us < QUICK_US else 1
        if asked:
            for past, now, output in zip(batch, answer.turns, outputs, strict=False):
                if past.own_seq in self._wanted and past.place > self._reached:
                    self.results[past.own_seq] = Rerun(past, now, output)
                    self._reached = past.place
        before = sum(1 for turn in batch[: answer.done] if turn.place < self._first)
        self.start = msgspec.structs.replace(self.start, turns=self.start.turns + before)
        if answer.fault is None:
            return False
        lost = batch[answer.done]
        self._skipped.add(lost.own_seq)
        if lost.own_seq not in self._wanted:
            self.stumbled.append(lost.seq)
        return True
