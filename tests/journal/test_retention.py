"""What retention removes, and what it must not."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from caxton.clock import VirtualClock
from caxton.journal import ClientKey, Journal, JournalSettings, Pin, Unpin
from caxton.journal.retention.retention import CHUNK, Keep, Retention
from caxton.journal.write.schema import writing_connection
from journal.history import Said, Talks, registry, turn

DAY_US = 86_400_000_000
AT_ONCE = 0.001


async def trimmed(journal: Journal, upto: int, clock: VirtualClock | None = None) -> None:
    """Return when the writer has removed everything up to that number; with a clock, time passes meanwhile."""
    while (await journal.reader.stats()).trimmed_upto < upto:
        if clock is not None:
            clock.advance(AT_ONCE)
        assert journal.trouble is None


async def write(
    journal: Journal,
    count: int,
    clock: VirtualClock,
    *,
    low_water: int,
    content: str = "",
    keys: bool = False,
    waiting: int = 1 << 62,
) -> None:
    """One conversation per ten messages, one that spans all, a turn a message below `waiting`, an event at the end."""
    registry(journal.batch)
    start, talks = clock.now_us(), Talks()
    for seq in range(1, count + 1):
        conversation = "c-long" if seq % 100 == 1 else f"c-{seq // 10}"
        said = Said(seq, conversation=conversation, at_us=start + seq * 1000, content=content)
        talks.say(journal.batch, [said])
        if seq < waiting:
            turn(journal.batch, seq, "seller@local")
        if keys:
            journal.batch.client_key(f"k-{seq}", seq, said.time)
    journal.batch.dead_letter(5, "seller@local", start, "trap", "It trapped.")
    journal.batch.event(count + 1, start + count * 1000, "end")
    journal.batch.meta("low_water", low_water)
    journal.flush()
    await journal.committed_upto(count + 1)


async def test_old_rows_go_with_all_that_belongs_to_them_but_nothing_unfinished(tmp_path: Path) -> None:
    clock = VirtualClock()
    settings = JournalSettings(keep_days=1, keep_mib=0, retention_every_s=AT_ONCE)
    journal = await Journal.open(tmp_path, clock, settings)
    await write(journal, 950, clock, low_water=905, keys=True, waiting=906)
    await journal.close()
    clock.advance(2 * 86_400)
    async with await Journal.open(tmp_path, clock, settings) as journal:
        reader = journal.reader
        await trimmed(journal, 905, clock)
        assert [row.seq for row in await reader.messages(limit=2000)] == list(range(906, 951))
        assert await reader.turns(limit=2000) == []
        assert await reader.dead_letters() == []
        at_us = 1_700_000_000_000_000 + 905_000
        assert await reader.client_key("k-905") == ClientKey("k-905", 905, at_us), (
            "keys have days of their own"
        )
        outlived = await reader.outlived("k-905")
        assert outlived is not None
        assert json.loads(outlived.body)["id"] == "m-905"
        assert await reader.outlived("k-906") is None
        # one of its messages is above the mark? c-long spoke last at 901: it is gone with its last message
        ids = [talk.id for talk in await reader.conversations(limit=2000)]
        assert ids == ["c-95", "c-94", "c-93", "c-92", "c-91", "c-90"]
        assert await reader.conversation("c-long") is None
        left = await reader.conversation("c-90")
        assert left is not None
        assert (left.messages, left.first_seq, left.last_seq) == (4, 900, 909)
        assert left.participants == ["buyer@local", "seller@local"]
        assert [talk.id for talk in await reader.conversations(agent="buyer@local")] == ids
        assert journal.counts.trimmed_rows > 3 * 905
        assert journal.committed == 951


async def test_pinned_conversations_stay_until_they_are_pinned_no_more(tmp_path: Path) -> None:
    clock = VirtualClock()
    settings = JournalSettings(keep_days=1, keep_mib=0, retention_every_s=AT_ONCE)
    async with await Journal.open(tmp_path, clock, settings) as journal:
        await write(journal, 200, clock, low_water=100, waiting=101)
        # what a turn of a pinned conversation said in another one
        elsewhere = Said(202, conversation="c-20", cause=33, at_us=clock.now_us())
        Talks(known={"c-20"}, members={("buyer@local", "c-20"), ("seller@local", "c-20")}).say(
            journal.batch, [elsewhere]
        )
        journal.batch.records.extend([Pin("c-3", 1), Pin("c-0", 1), Pin("c-not-there", 1)])
        journal.flush()
        await journal.committed_upto(202)
    clock.advance(2 * 86_400)
    three = list(range(30, 40))
    async with await Journal.open(tmp_path, clock, settings) as journal:
        reader = journal.reader
        await trimmed(journal, 100, clock)
        kept = [*range(2, 10), *three]
        assert [row.seq for row in await reader.messages(limit=100)][: len(kept)] == kept
        assert [row.seq for row in await reader.turns(limit=1000) if row.seq <= 100] == kept
        assert [row.seq for row in await reader.messages(conversation="c-3")] == three
        left = await reader.conversation("c-3")
        assert left is not None
        assert (left.messages, left.participants) == (10, ["buyer@local", "seller@local"])
        assert [letter.seq for letter in await reader.dead_letters()] == [5]
        assert await reader.conversation("c-4") is None
        # one is let go, and what waited is handled
        journal.batch.records.append(Unpin("c-0"))
        for seq in range(101, 201):
            turn(journal.batch, seq, "seller@local")
        journal.flush()
        while len(await reader.messages(limit=1000)) > 11:
            clock.advance(AT_ONCE)
        assert [row.seq for row in await reader.messages(limit=1000)] == [*three, 202]
        assert [row.seq for row in await reader.turns(limit=1000)] == three
        assert await reader.dead_letters() == []
        assert {talk.id for talk in await reader.conversations()} == {"c-3", "c-20"}


async def test_young_rows_stay(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with await Journal.open(tmp_path, clock, JournalSettings(keep_days=1, keep_mib=0)) as journal:
        await write(journal, 100, clock, low_water=100)
    clock.advance(86_400 + 0.0505)
    settings = JournalSettings(keep_days=1, keep_mib=0, retention_every_s=AT_ONCE)
    async with await Journal.open(tmp_path, clock, settings) as journal:
        await trimmed(journal, 50)
        assert [row.seq for row in await journal.reader.messages()] == list(range(51, 101))


async def test_a_journal_that_is_too_large_loses_its_oldest_rows(tmp_path: Path) -> None:
    clock = VirtualClock()
    settings = JournalSettings(keep_days=0, keep_mib=3, retention_every_s=AT_ONCE)
    async with await Journal.open(tmp_path, clock, JournalSettings(keep_days=0, keep_mib=0)) as journal:
        await write(journal, 12_000, clock, low_water=12_000, content="x" * 400)
        assert (await journal.reader.stats()).used_bytes > 5 << 20
    async with await Journal.open(tmp_path, clock, settings) as journal:
        while (await journal.reader.stats()).used_bytes > 3 << 20:
            clock.advance(AT_ONCE)
            assert journal.trouble is None
        left = await journal.reader.messages(limit=1, newest_first=True)
        assert left[0].seq == 12_000, "the newest stay"
        file_bytes = (await journal.reader.stats()).file_bytes
        await write_more(journal, 12_002, 2_000)
        assert (await journal.reader.stats()).file_bytes <= file_bytes, "freed pages are used again"


async def write_more(journal: Journal, first: int, count: int) -> None:
    Talks().say(
        journal.batch,
        [Said(seq, conversation="c-more", content="x" * 400) for seq in range(first, first + count)],
    )
    journal.flush()
    await journal.committed_upto(first + count - 1)


async def test_numbers_go_on_after_everything_was_removed(tmp_path: Path) -> None:
    clock = VirtualClock()
    settings = JournalSettings(keep_days=1, keep_mib=0, retention_every_s=AT_ONCE)
    async with await Journal.open(tmp_path, clock, JournalSettings(keep_days=0, keep_mib=0)) as journal:
        await write(journal, 30, clock, low_water=31)
    clock.advance(5 * 86_400)
    async with await Journal.open(tmp_path, clock, settings) as journal:
        await trimmed(journal, 31, clock)
        assert await journal.reader.stream(0) == []
    async with await Journal.open(tmp_path, clock, settings) as journal:
        assert journal.committed == 31
        assert (await journal.reader.stats()).last_seq == 31


@pytest.mark.parametrize(("count", "size"), [(120, 60_000), (20_000, 60)])
async def test_the_size_is_kept_without_any_pause(tmp_path: Path, count: int, size: int) -> None:
    clock = VirtualClock()
    settings = JournalSettings(keep_days=0, keep_mib=2)
    talks, content, largest = Talks(), "x" * size, 0
    async with await Journal.open(tmp_path, clock, settings) as journal:
        for first in range(1, count, count // 60):
            last = first + count // 60 - 1
            talks.say(
                journal.batch,
                [Said(seq, conversation=f"c-{seq}", content=content) for seq in range(first, last + 1)],
            )
            journal.batch.meta("low_water", last)
            journal.flush()
            await journal.committed_upto(last)
            largest = max(largest, (await journal.reader.stats()).used_bytes)
        assert largest < 5 << 20, f"{largest / (1 << 20):.1f} MiB"
        while (await journal.reader.stats()).used_bytes > 2 << 20:
            clock.advance(AT_ONCE)


@pytest.mark.parametrize(("count", "turns"), [(4_000, 1), (400, 50)])
async def test_a_step_changes_few_rows_however_quick_those_before_it_were(
    tmp_path: Path, count: int, turns: int
) -> None:
    clock, talks = VirtualClock(), Talks()
    async with await Journal.open(tmp_path, clock, JournalSettings(keep_days=0, keep_mib=0)) as journal:
        batch, start = journal.batch, clock.now_us()
        for seq in range(1, count + 1):
            talks.say(batch, [Said(seq, conversation=f"c-{seq % 2}", at_us=start)])
            batch.turns += [(seq, agent, 1, start, 0, 0, 0, 1, 0, 0) for agent in range(turns)]
            batch.client_key(f"k-{seq}", seq, start)
        batch.records.append(Pin("c-0", 1))
        batch.meta("low_water", count)
        journal.flush()
        await journal.committed_upto(count)
    clock.advance(30 * 86_400)
    left = {True: count // 2, False: 0}
    with closing(writing_connection(tmp_path / "journal.db")) as db:
        for pinned in left:
            if not pinned:
                db.execute("delete from pin")
            # on this clock no step takes any time, so each may take more bytes than the one before
            retention, steps = Retention(db, Keep(days=1, mib=0, keys_days=2), clock), [0]
            while retention.due():
                steps.append(retention.step(count))
            assert max(steps) <= CHUNK * 1.2
            assert db.execute("select count(*) from message").fetchone() == (left[pinned],)
        assert db.execute("select count(*) from client_key").fetchone() == (0,)


async def test_space_goes_back_to_the_file_system(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with await Journal.open(tmp_path, clock, JournalSettings(keep_days=0, keep_mib=0)) as journal:
        await write(journal, 8_000, clock, low_water=8_000, content="x" * 800)
    before = (tmp_path / "journal.db").stat().st_size
    assert before > 8 << 20
    async with await Journal.open(tmp_path, clock, JournalSettings(keep_days=0, keep_mib=1)) as journal:
        while (await journal.reader.stats()).file_bytes > 3 << 20:
            assert journal.trouble is None
    assert (tmp_path / "journal.db").stat().st_size < 3 << 20


async def test_a_key_has_days_of_its_own(tmp_path: Path) -> None:
    clock = VirtualClock()
    settings = JournalSettings(keep_days=1, keep_mib=0, keys_days=3, retention_every_s=AT_ONCE)
    async with await Journal.open(tmp_path, clock, settings) as journal:
        await write(journal, 30, clock, low_water=31, keys=True)
    clock.advance(2 * 86_400)
    async with await Journal.open(tmp_path, clock, settings) as journal:
        await trimmed(journal, 30, clock)
        assert await journal.reader.client_key("k-7") is not None
        outlived = await journal.reader.outlived("k-7")
        assert outlived is not None
        assert json.loads(outlived.body)["content"] is None
        clock.advance(86_400)
        while await journal.reader.client_key("k-30") is not None:
            clock.advance(AT_ONCE)
