"""The moments of an agent's memory that the journal keeps, and the turns after them."""

from __future__ import annotations

from pathlib import Path

from caxton.clock import VirtualClock
from caxton.journal import CARRIED, FRESH, KEPT, Journal, SnapshotRow
from caxton.journal.read.past import PAGE


async def written(folder: Path, rows: list[SnapshotRow]) -> list[tuple[int, str]]:
    """What is left of an agent's rows, oldest first."""
    async with await Journal.open(folder, VirtualClock()) as journal:
        for row in rows:
            journal.batch.records.append(row)
            await journal.written()
        left = await journal.reader.snapshots(rows[0].agent_no)
    return [(row.seq, row.kind) for row in reversed(left)]


async def test_kept_states_are_thinned_and_beginnings_stay(tmp_path: Path) -> None:
    rows = [SnapshotRow(5, 1, 0, 1, b"", FRESH), SnapshotRow(5, 20, 0, 2, b"x", CARRIED)]
    rows += [SnapshotRow(5, 100 + n, 0, 2, b"state", KEPT) for n in range(100)]
    left = await written(tmp_path, rows)
    assert left[:2] == [(1, FRESH), (20, CARRIED)]
    assert left[-1] == (199, KEPT)
    kept = [seq for seq, kind in left if kind == KEPT]
    assert 8 <= len(kept) <= 16
    assert kept[0] < 140, "some old ones stay"


async def test_beginnings_are_bounded(tmp_path: Path) -> None:
    left = await written(tmp_path, [SnapshotRow(5, n, 0, 1, b"", FRESH) for n in range(1, 50)])
    assert [seq for seq, _ in left] == list(range(18, 50))


async def test_the_latest_of_every_agent(tmp_path: Path) -> None:
    async with await Journal.open(tmp_path, VirtualClock()) as journal:
        for agent in (3, 4):
            for seq in (agent, agent + 10):
                journal.batch.snapshot(agent, seq, 0, 1, bytes([agent, seq]))
        await journal.written()
        latest = await journal.reader.latest_snapshots()
        assert {no: (row.seq, row.data) for no, row in latest.items()} == {
            3: (13, b"\3\15"),
            4: (14, b"\4\16"),
        }
        assert await journal.reader.snapshot(5) is None


async def test_the_past_of_some_agents_comes_in_pages_and_in_order(tmp_path: Path) -> None:
    many = PAGE + 10
    async with await Journal.open(tmp_path, VirtualClock()) as journal:
        for seq in range(1, many + 1):
            journal.batch.message(seq, seq, 1, 0, 0, 0, b"%d" % seq)
            for agent in (16, 17, 18):
                journal.batch.turns.append((seq, agent, 1, 0, 0, 0, 7, 1, 0, 0))
        await journal.written()
        pages = [page async for page in journal.past_turns([18, 16], after_seq=3, before_seq=many)]
    turns = [turn for page in pages for turn in page]
    assert [(turn.seq, turn.agent_no) for turn in turns] == [
        (seq, agent) for seq in range(4, many) for agent in (16, 18)
    ]
    assert {len(page) for page in pages[:-1]} == {PAGE}
    assert turns[0].body == b"4"


async def test_what_was_appended_before_is_on_disk_when_it_is_written(tmp_path: Path) -> None:
    async with await Journal.open(tmp_path, VirtualClock()) as journal:
        await journal.written()
        for seq in range(1, 4):
            journal.batch.message(seq, seq, 1, 0, 0, 0, b"{}")
            journal.flush()
            journal.batch.turns.append((seq, 16, 1, 0, 0, 0, 7, 1, 0, 0))
            await journal.written()
            assert len(await journal.reader.turns()) == seq
