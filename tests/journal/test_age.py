"""Nothing goes for its age because a clock was wrong; what is old goes all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from caxton.clock import VirtualClock
from caxton.journal import Journal, JournalSettings
from journal.history import Said, Talks, registry

DAY_S = 86_400.0
HOUR_S = 3_600.0
SETTINGS = JournalSettings(keep_days=30, keep_mib=0, retention_every_s=60)
JUMPS = [HOUR_S, -HOUR_S, DAY_S, -DAY_S, 60 * DAY_S, -60 * DAY_S]


async def opened(folder: Path, clock: VirtualClock) -> Journal:
    return await Journal.open(folder, clock, SETTINGS)


async def say(journal: Journal, first: int, clock: VirtualClock, count: int = 10) -> None:
    if first == 1:
        registry(journal.batch)
    said = [Said(seq, conversation=f"c-{seq}", at_us=clock.now_us()) for seq in range(first, first + count)]
    Talks().say(journal.batch, said)
    journal.batch.meta("low_water", first + count - 1)
    journal.flush()
    await journal.committed_upto(first + count - 1)


async def pass_time(journal: Journal, clock: VirtualClock, seconds: float) -> None:
    """The daemon runs for so long, and looks what is old every hour."""
    for _ in range(round(seconds / HOUR_S)):
        clock.advance(HOUR_S)
        await looked(journal)


async def looked(journal: Journal) -> None:
    """The writer has looked at what is old, and has nothing more to do."""
    before = journal.counts.commits
    journal.batch.meta("touched", before)
    await journal.written()
    journal.batch.meta("touched", before + 1)
    await journal.written()


async def left(journal: Journal) -> int:
    return len(await journal.reader.messages(limit=1000))


@pytest.mark.parametrize("jump_s", JUMPS)
async def test_a_start_with_a_wrong_clock_loses_nothing(tmp_path: Path, jump_s: float) -> None:
    clock = VirtualClock()
    async with await opened(tmp_path, clock) as journal:
        await say(journal, 1, clock)
    clock.set_by(jump_s)
    clock.advance(60)
    async with await opened(tmp_path, clock) as journal:
        await say(journal, 11, clock)
        await pass_time(journal, clock, HOUR_S)
        assert (journal.kept.doubt is not None) == (abs(jump_s) > DAY_S)
        assert await left(journal) == 20
    clock.set_by(-jump_s)
    async with await opened(tmp_path, clock) as journal:
        await pass_time(journal, clock, HOUR_S)
        assert await left(journal) == 20


@pytest.mark.parametrize("jump_s", JUMPS)
async def test_a_clock_that_is_set_while_the_daemon_runs_loses_nothing(tmp_path: Path, jump_s: float) -> None:
    clock = VirtualClock()
    async with await opened(tmp_path, clock) as journal:
        await say(journal, 1, clock)
        clock.set_by(jump_s)
        await pass_time(journal, clock, 2 * HOUR_S)
        assert (journal.kept.doubt is not None) == (abs(jump_s) > DAY_S)
        if abs(jump_s) > DAY_S:
            assert journal.kept.doubt is not None
            assert "60 days while the daemon ran" in journal.kept.doubt
        assert await left(journal) == 10


async def test_what_is_old_by_both_clocks_goes(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with await opened(tmp_path, clock) as journal:
        await say(journal, 1, clock)
        await pass_time(journal, clock, 29 * DAY_S)
        assert await left(journal) == 10
        await pass_time(journal, clock, DAY_S + 2 * HOUR_S)
        assert await left(journal) == 0


async def test_nothing_is_old_until_the_clock_is_trusted(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with await opened(tmp_path, clock) as journal:
        await say(journal, 1, clock)
        clock.set_by(60 * DAY_S)
        await pass_time(journal, clock, 31 * DAY_S)
        assert await left(journal) == 10
    async with await opened(tmp_path, clock) as journal:
        assert journal.kept.doubt is not None, "a restart does not forget it"
        journal.trust_clock()
        await pass_time(journal, clock, HOUR_S)
        assert journal.kept.doubt is None
        assert await left(journal) == 0


async def test_rows_of_a_future_that_was_none_can_be_trusted_too(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with await opened(tmp_path, clock) as journal:
        clock.set_by(60 * DAY_S)
        await say(journal, 1, clock)
        clock.set_by(-60 * DAY_S)
    async with await opened(tmp_path, clock) as journal:
        assert journal.kept.doubt == "it stands 60 days before the newest row"
        journal.trust_clock()
        await looked(journal)
    async with await opened(tmp_path, clock) as journal:
        assert journal.kept.doubt is None


async def test_a_machine_that_was_away(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with await opened(tmp_path, clock) as journal:
        await say(journal, 1, clock)
        await pass_time(journal, clock, 28 * DAY_S)
    # a weekend off, and another boot
    clock = VirtualClock(clock.now_us() + round(3 * DAY_S * 1e6), boot="second")
    async with await opened(tmp_path, clock) as journal:
        await pass_time(journal, clock, HOUR_S)
        assert await left(journal) == 0, "a weekend needs no word"
        await say(journal, 11, clock)
    clock = VirtualClock(clock.now_us() + round(90 * DAY_S * 1e6), boot="third")
    async with await opened(tmp_path, clock) as journal:
        await pass_time(journal, clock, 23 * HOUR_S)
        assert await left(journal) == 10, "a clock that is right for a day is right"
        assert journal.kept.doubt is None
        await pass_time(journal, clock, 3 * HOUR_S)
        assert await left(journal) == 0
