"""The way of a batch to the disk: group commit, waiting, congestion, a full disk, closing."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

from caxton.clock import SystemClock
from caxton.errors import JournalError
from caxton.journal import Batch, Journal, JournalSettings
from caxton.journal.journal import CONGESTED_ROWS
from caxton.journal.records.query import Query
from caxton.journal.store import FileStore
from caxton.journal.write import schema
from caxton.journal.write.writer import Writer
from journal.history import Said, Talks

pytestmark = pytest.mark.system

QUICK = JournalSettings(keep_days=0, keep_mib=0, retry_s=0.01)


async def open_journal(folder: Path, chosen: JournalSettings = QUICK) -> Journal:
    return await Journal.open(folder, SystemClock(), chosen)


def stored(folder: Path) -> list[int]:
    db = sqlite3.connect(folder / "journal.db")
    try:
        return [row[0] for row in db.execute("select seq from message order by seq")]
    finally:
        db.close()


def writer(journal: Journal) -> Writer:
    store = journal._store
    assert isinstance(store, FileStore)
    return store._writer


async def test_what_is_acknowledged_is_on_disk(tmp_path: Path) -> None:
    async with await open_journal(tmp_path) as journal:
        talks = Talks()
        for seq in range(1, 30):
            talks.say(journal.batch, [Said(seq)])
            journal.flush()
            await journal.committed_upto(seq)
            assert journal.committed == seq
            assert stored(tmp_path) == list(range(1, seq + 1))


async def test_rows_that_come_while_the_writer_works_go_with_one_commit(tmp_path: Path) -> None:
    async with await open_journal(tmp_path) as journal:
        talks, batches = Talks(), list[list[int]]()
        journal.on_commit.append(lambda batch: batches.append([row[0] for row in batch.messages]))
        # no await in between: the loop cannot learn of the first commit before all are appended
        for seq in range(1, 501):
            talks.say(journal.batch, [Said(seq)])
            journal.flush()
        await journal.committed_upto(500)
        assert batches == [[1], list(range(2, 501))]
        assert journal.counts.commits == 2
        assert journal.counts.messages == 500


async def test_an_empty_flush_commits_nothing(tmp_path: Path) -> None:
    async with await open_journal(tmp_path) as journal:
        journal.flush()
        await journal.committed_upto(0)
        assert journal.waiting_rows == 0
        assert journal.counts.commits == 0


async def test_waiters_are_told_in_order_and_may_be_cancelled(tmp_path: Path) -> None:
    async with await open_journal(tmp_path) as journal:
        told: list[int] = []

        async def wait(seq: int) -> None:
            await journal.committed_upto(seq)
            told.append(seq)

        tasks = [asyncio.ensure_future(wait(seq)) for seq in (3, 1, 2, 4)]
        gone = asyncio.ensure_future(wait(2))
        await asyncio.sleep(0)
        gone.cancel()
        Talks().say(journal.batch, [Said(seq) for seq in range(1, 4)])
        journal.flush()
        await asyncio.gather(*tasks[:3])
        assert told == [1, 2, 3]
        assert gone.cancelled()
        assert not tasks[3].done()
    with pytest.raises(JournalError):
        await tasks[3]


async def test_congestion_and_relief(tmp_path: Path) -> None:
    async with await open_journal(tmp_path) as journal:
        relieved = asyncio.Event()
        journal.on_relieved.append(relieved.set)
        batch = journal.batch
        for seq in range(1, CONGESTED_ROWS + 1):
            batch.message(seq, seq, 1, 0, 0, 0, b"{}")
        assert not journal.congested
        batch.message(CONGESTED_ROWS + 1, seq, 1, 0, 0, 0, b"{}")
        assert journal.congested
        journal.flush()
        assert journal.congested, "rows in the writer are not on disk yet"
        await relieved.wait()
        assert not journal.congested
        assert journal.committed == CONGESTED_ROWS + 1


async def test_large_bodies_congest_too(tmp_path: Path) -> None:
    async with await open_journal(tmp_path) as journal:
        body = b'"' + b"x" * (1 << 20) + b'"'
        for seq in range(1, 34):
            journal.batch.message(seq, seq, 1, 0, 0, 0, body)
        assert journal.congested
        journal.flush()
        await journal.committed_upto(33)
        message = await journal.reader.message(33)
        assert message is not None
        assert message.body == body


async def test_a_full_disk_keeps_the_rows_and_goes_on_by_itself(tmp_path: Path) -> None:
    async with await open_journal(tmp_path) as journal:
        talks, failing, fine, order = Talks(), asyncio.Event(), asyncio.Event(), list[int]()
        journal.on_state.append(lambda reason: (failing if reason else fine).set())
        journal.on_commit.append(lambda batch: order.extend(row[0] for row in batch.messages))
        talks.say(journal.batch, [Said(1)])
        journal.flush()
        await journal.committed_upto(1)

        disk = writer(journal)._db
        pages = disk.execute("pragma page_count").fetchone()[0]
        disk.execute(f"pragma max_page_count = {pages}")
        talks.say(journal.batch, [Said(seq, content="x" * 500) for seq in range(2, 200)])
        journal.flush()
        await failing.wait()
        assert journal.failed is not None
        assert "full" in journal.failed
        talks.say(journal.batch, [Said(seq) for seq in range(200, 300)])
        journal.flush()
        assert journal.committed == 1
        assert stored(tmp_path) == [1], "no part of a batch is there"
        assert [message.seq for message in await journal.reader.messages()] == [1], "reading goes on"

        disk.execute("pragma max_page_count = 1000000")
        await journal.committed_upto(299)
        assert fine.is_set()
        assert journal.failed is None
        assert order == stored(tmp_path) == list(range(1, 300))


async def test_closing_with_a_full_disk_says_what_was_not_written(tmp_path: Path) -> None:
    journal = await open_journal(tmp_path)
    Talks().say(journal.batch, [Said(1)])
    journal.flush()
    await journal.committed_upto(1)
    disk = writer(journal)._db
    disk.execute(f"pragma max_page_count = {disk.execute('pragma page_count').fetchone()[0]}")
    Talks().say(journal.batch, [Said(seq, content="x" * 500) for seq in range(2, 100)])
    journal.flush()
    waiting = asyncio.ensure_future(journal.committed_upto(99))
    with pytest.raises(JournalError, match="98 rows could not be written"):
        await journal.close(give_up_s=0.05)
    with pytest.raises(JournalError):
        await waiting
    assert stored(tmp_path) == [1]


@pytest.mark.parametrize("events_only", [False, True])
async def test_a_commit_that_went_through_is_not_repeated(tmp_path: Path, events_only: bool) -> None:
    """The disk may fail after the rows were in; the second attempt must see them."""
    async with await open_journal(tmp_path) as journal:
        failures: list[str | None] = []
        journal.on_state.append(failures.append)
        committer = writer(journal)._committer
        write = committer._write

        def write_and_fail(batch: Batch) -> None:
            write(batch)
            committer._write = write  # type: ignore[method-assign]
            raise sqlite3.OperationalError("disk I/O error")

        committer._write = write_and_fail  # type: ignore[method-assign]
        if events_only:
            for seq in (1, 2):
                journal.batch.event(seq, 1, "cell")
        else:
            Talks().say(journal.batch, [Said(1), Said(2)])
        journal.flush()
        await journal.committed_upto(2)
        assert len(await journal.reader.stream(0)) == 2
        assert failures == ["OperationalError: disk I/O error", None]


async def test_closing_twice_and_cancelled_loses_nothing(tmp_path: Path) -> None:
    journal = await open_journal(tmp_path)
    Talks().say(journal.batch, [Said(seq) for seq in range(1, 2000)])
    closing = asyncio.ensure_future(journal.close())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    await journal.close()
    async with await open_journal(tmp_path) as again:
        assert again.committed == 1999
    assert stored(tmp_path) == list(range(1, 2000))


async def test_every_connection_that_writes_is_durable_and_the_reader_cannot_write(tmp_path: Path) -> None:
    async with await open_journal(tmp_path) as journal:
        for db in (writer(journal)._db, schema.durable_connection(journal.path)):
            assert db.execute("pragma synchronous").fetchone() == (2,)
            assert db.execute("pragma journal_mode").fetchone() == ("wal",)
        db.close()
        query: Query = journal.reader._query
        with pytest.raises(JournalError, match="readonly"):
            await query.all("delete from message")


def test_a_file_system_without_wal_is_refused() -> None:
    with pytest.raises(JournalError, match="journal_mode"):
        schema.durable_connection(Path(":memory:"))


ACKNOWLEDGE = """
import asyncio, os, pathlib, sys
from caxton.clock import SystemClock
from caxton.journal import Journal
async def main():
    async with await Journal.open(pathlib.Path(sys.argv[1]), SystemClock()) as journal:
        for seq in range(1, 21):
            journal.batch.message(seq, seq, 1, 0, 0, 0, b"{}")
            journal.flush()
            await journal.committed_upto(seq)
            os.write(1, b"acknowledged")
asyncio.run(main())
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_the_log_is_synced_before_every_acknowledgement(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    calls = ["strace", "-f", "-y", "-o", str(trace), "-e", "trace=pwrite64,write,fdatasync,fsync"]
    child = subprocess.run(
        [*calls, sys.executable, "-c", ACKNOWLEDGE, str(tmp_path / "state")], capture_output=True, text=True
    )
    if "Operation not permitted" in child.stderr or "PTRACE" in child.stderr:
        pytest.skip("strace may not trace here")
    assert child.returncode == 0, child.stderr
    synced, acknowledged = False, 0
    for line in trace.read_text().splitlines():
        if "pwrite64(" in line and "journal.db-wal" in line:
            synced = False
        elif "sync(" in line and "journal.db-wal" in line:
            synced = True
        elif '"acknowledged"' in line:
            acknowledged += 1
            assert synced, line
    assert acknowledged == 20


STEP = st.one_of(
    st.tuples(st.just("message"), st.integers(1, 40)),
    st.tuples(st.just("event"), st.integers(1, 3)),
    st.tuples(st.just("flush"), st.just(0)),
    st.tuples(st.just("wait"), st.just(0)),
    st.tuples(st.just("reopen"), st.just(0)),
)


@settings(max_examples=examples(25), deadline=None)
@given(st.lists(STEP, max_size=30))
def test_the_journal_is_a_list(steps: list[tuple[str, int]]) -> None:
    """Whatever is appended, flushed, awaited and reopened: the rows come back, all of them, in order."""

    async def run(folder: Path) -> None:
        model: list[tuple[int, bytes]] = []
        journal = await open_journal(folder)
        talks = Talks()
        for what, count in steps:
            for _ in range(count):
                seq = len(model) + 1
                if what == "message":
                    said = Said(seq, conversation=f"c-{seq % 3}", content="é" * (seq % 17))
                    talks.say(journal.batch, [said])
                    model.append((seq, said.body))
                else:
                    body = b'{"n": %d}' % seq
                    journal.batch.event(seq, seq, "test", body=body)
                    model.append((seq, body))
            if what == "flush":
                journal.flush()
            elif what == "wait":
                journal.flush()
                await journal.committed_upto(len(model))
                assert journal.committed == len(model)
            elif what == "reopen":
                await journal.close()
                journal = await open_journal(folder)
                assert journal.committed == len(model)
        await journal.close()
        journal = await open_journal(folder)
        rows = await journal.reader.stream(0, 10_000)
        assert [(row.seq, row.body) for row in rows] == model
        await journal.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder)))
