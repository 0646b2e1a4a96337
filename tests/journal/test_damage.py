"""A byte that has changed on the disk is refused or found, or nobody reads it; and a repair loses no more than it says.

`just flips` flips a thousand bits and prints what became of them.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from caxton.clock import SystemClock
from caxton.errors import JournalDamaged, JournalError
from caxton.journal import AgentRow, Journal
from caxton.journal.files import Files
from caxton.journal.integrity import guard
from caxton.journal.integrity.repair import repair
from caxton.journal.integrity.verify import verify
from caxton.journal.read.reader import Reader
from caxton.journal.write import commits
from caxton.journal.write.schema import PAGE_BYTES
from journal.history import START_US, Said, Talks, registry, turn

FLIPS = int(os.environ.get("FLIPS", "60"))
SEED = int(os.environ.get("FLIPS_SEED", "1"))
ROWS = 900
WHERE = {"journal.db": 10, "journal.db-wal": 7, "journal.sums": 2, "journal.head": 1, "journal.id": 1}
"""How often a bit of each file is flipped."""

Rows = dict[str, list[tuple[Any, ...]]]


def quiet(what: str, done: int, of: int) -> None:
    """Nobody looks."""


def say(journal: Journal, talks: Talks, first: int, upto: int) -> None:
    said = [Said(seq, f"talk-{seq // 30}", content="x" * 300) for seq in range(first, upto)]
    talks.say(journal.batch, said)
    for seq in range(first, upto):
        turn(journal.batch, seq, "seller@local")
    journal.batch.dead_letter(first, "idle@local", START_US, "gone", "is gone")
    journal.batch.client_key(f"key-{first}", first, START_US)
    journal.batch.snapshot(2, first, START_US, 1, b"state" * 2_000)
    journal.flush()


async def write(closed: Path, crashed: Path, patch: pytest.MonkeyPatch | None = None) -> None:
    """A journal that was closed, and the same as it lies there while its daemon runs: some of it in the log."""
    async with await Journal.open(closed, SystemClock()) as journal:
        talks = Talks()
        registry(journal.batch)
        journal.batch.records.append(AgentRow(9, "far@local", "running", 1, "{}", START_US, START_US))
        for first in range(1, ROWS, 100):
            say(journal, talks, first, first + 100)
            await journal.written()
            if patch is not None and first == 401:
                copied = journal.counts.checkpoints
                while journal.counts.checkpoints == copied:
                    await asyncio.sleep(0)
                patch.setattr(commits, "IDLE_S", 1e9)
        crashed.mkdir()
        for path in closed.glob("journal.*"):
            shutil.copy(path, crashed / path.name)


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("damage")
    found = {"closed": folder / "closed", "crashed": folder / "crashed"}
    with pytest.MonkeyPatch.context() as patch:
        # the log is copied after each of the first commits, and begins anew
        patch.setattr(commits, "IDLE_S", 0.0)
        asyncio.run(write(found["closed"], found["crashed"], patch))
    assert (found["crashed"] / "journal.db-wal").stat().st_size > 100_000
    return found


def rows(state: Path) -> Rows:
    """Every row that a reader could return."""
    with closing(sqlite3.connect(f"{(state / 'journal.db').as_uri()}?mode=ro", uri=True)) as db:
        names = [name for (name,) in db.execute("select name from sqlite_schema where type = 'table'")]
        return {name: db.execute(f"select * from {name}").fetchall() for name in names}


def flip(path: Path, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek(bit // 8)
        byte = file.read(1)[0]
        file.seek(bit // 8)
        file.write(bytes([byte ^ 1 << bit % 8]))


def became(state: Path, before: Rows) -> str:
    """What a start and `verify` say of it, and if nothing, what is read."""
    try:
        guard.ensure(Files(state), check_mib=512)
    except (JournalDamaged, JournalError):
        return "refused"
    try:
        if verify(state, quiet).findings:
            return "found"
    except (JournalDamaged, JournalError):
        return "found"
    assert rows(state) == before, "what is read has changed, and nobody noticed"
    return "harmless"


@pytest.mark.timeout(900)
def test_a_flipped_bit_is_noticed_or_nobody_reads_it(
    states: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pick = random.Random(SEED)
    before = {name: rows(state) for name, state in states.items()}
    table: Counter[tuple[str, str]] = Counter()
    for no in range(FLIPS):
        name = pick.choice(sorted(states))
        there = [
            file for file in WHERE if (states[name] / file).exists() and (states[name] / file).stat().st_size
        ]
        file = pick.choices(there, [WHERE[one] for one in there])[0]
        state = tmp_path / str(no)
        shutil.copytree(states[name], state)
        flip(state / file, pick.randrange(8 * (state / file).stat().st_size))
        outcome = became(state, before[name])
        table[file, outcome] += 1
        if file == "journal.db" and no % 10 == 0 and outcome != "harmless":
            report = repair(state, quiet)
            assert (len(report.mended), report.gone, report.lost_rows) == (1, [], 0)
            assert rows(state) == before[name], "one bit is put right"
        shutil.rmtree(state)
    assert table["journal.db", "refused"] > FLIPS // 8
    if "FLIPS" in os.environ:
        with capsys.disabled():
            for file in WHERE:
                counts = "  ".join(f"{how} {table[file, how]:>4}" for how in ("refused", "found", "harmless"))
                sys.stdout.write(f"\n{file:16} {counts}")


@pytest.fixture(params=["closed", "crashed"])
def state(request: pytest.FixtureRequest, states: dict[str, Path], tmp_path: Path) -> Path:
    shutil.copytree(states[request.param], tmp_path / "p" / ".caxton")
    return tmp_path / "p" / ".caxton"


def page_of(state: Path, table: str, key: int) -> int:
    """The page in the database that has that row; it has a content of its own."""
    content = (state / "journal.db").read_bytes()
    wanted = {"message": f'"m-{key}"'.encode()}[table]
    return content.index(wanted) // PAGE_BYTES


def test_nothing_is_found_where_nothing_is_wrong(state: Path) -> None:
    before = contents(state)
    assert verify(state, quiet).findings == []
    report = repair(state, quiet)
    assert (report.mended, report.gone, report.kept) == ([], [], None)
    assert contents(state) == before


def contents(state: Path) -> dict[str, bytes]:
    """What the files hold that matter; an empty log is none."""
    found = {path.name: path.read_bytes() for path in state.iterdir()}
    return {name: held for name, held in found.items() if held and not name.endswith(("shm", "lock"))}


async def test_a_lost_page_is_placed_and_taken_out(state: Path) -> None:
    page = page_of(state, "message", 100)
    with (state / "journal.db").open("r+b") as file:
        file.seek(PAGE_BYTES * page)
        file.write(b"\xa5" * PAGE_BYTES)
    with pytest.raises(JournalDamaged, match=f"page {page + 1} is not as it was written"):
        await Journal.open(state, SystemClock())
    (found,) = verify(state, quiet).findings
    assert (found.page, found.table, found.lost) == (page + 1, "message", True)
    assert found.first_seq is not None
    assert found.last_seq is not None
    assert found.first_seq <= 100 <= found.last_seq
    assert "talk-3" in found.conversations
    assert {"buyer@local", "seller@local"} <= set(found.agents)

    report = repair(state, quiet)
    assert (report.mended, report.lost_rows, len(report.gone)) == ([], 0, 1)
    assert report.kept is not None
    assert Path(report.kept).read_bytes()[PAGE_BYTES * page : PAGE_BYTES * page + 8] == b"\xa5" * 8, (
        "it is kept"
    )
    assert verify_after_start(state) == []
    gone = set(range(found.first_seq, found.last_seq + 1))
    async with await Journal.open(state, SystemClock()) as journal:
        seqs = [row.seq for row in await journal.reader.messages(limit=2_000)]
        assert seqs == [seq for seq in range(1, ROWS + 1) if seq not in gone]
        assert [len(await journal.reader.turns(seqs=[seq])) for seq in (1, 50, ROWS)] == [1, 1, 1]
        talk = await journal.reader.conversation("talk-29")
        assert talk is not None
        assert (talk.messages, talk.participants) == (30, ["buyer@local", "seller@local"])
        assert await journal.reader.memory_since([2]) == {2: found.last_seq}, "it remembers less, and knows"
        assert len(await journal.reader.snapshots(2)) > 2


def verify_after_start(state: Path) -> list[Any]:
    """A start makes the checksums; then all fits."""
    guard.ensure(Files(state), check_mib=512)
    guard.ensure_sums(Files(state))
    return verify(state, quiet).findings


def test_what_hangs_under_a_damaged_page_is_saved(states: dict[str, Path], tmp_path: Path) -> None:
    state = tmp_path / "s"
    shutil.copytree(states["closed"], state)
    before = rows(state)
    with closing(sqlite3.connect(f"{(state / 'journal.db').as_uri()}?mode=ro", uri=True)) as db:
        (root,) = db.execute("select rootpage from sqlite_schema where name = 'message'").fetchone()
    with (state / "journal.db").open("r+b") as file:
        file.seek(PAGE_BYTES * (root - 1))
        file.write(bytes(PAGE_BYTES))
    (found,) = verify(state, quiet).findings
    assert found.table == "message"
    repair(state, quiet)
    after = rows(state)
    assert after["message"] == before["message"]
    assert after["turn"] == before["turn"]


def test_a_repair_that_broke_off_goes_on(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = rows(state)
    flip(state / "journal.db", 8 * PAGE_BYTES * page_of(state, "message", 100) + 800)
    replace = Path.replace

    def killed(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    for broken in (killed, replace):
        monkeypatch.setattr(Path, "replace", broken)
        if broken is killed:
            with pytest.raises(KeyboardInterrupt):
                repair(state, quiet)
            with pytest.raises(JournalDamaged, match="is being repaired, and that broke off"):
                guard.ensure(Files(state), check_mib=512)
        else:
            repair(state, quiet)
    assert rows(state) == before
    assert verify_after_start(state) == []


SWAPS = {
    "an older database": ("journal.db", "older", "lost .* rows at the end|not of one time"),
    "an older database with its log": ("journal.db*", "older", "lost .* rows at the end"),
    "an older head": ("journal.head", "older", None),
    "older checksums": ("journal.sums", "older", "is damaged|not of one time"),
    "another's database": ("journal.db", "other", "belongs to another installation"),
    "another's checksums": ("journal.sums", "other", "is of another installation"),
    "another's log": ("journal.db-wal", "other", "is of another journal|another installation"),
}


@pytest.mark.parametrize("swap", SWAPS)
def test_swapped_files_are_told_apart(states: dict[str, Path], tmp_path: Path, swap: str) -> None:
    files, source, said = SWAPS[swap]
    state, of = tmp_path / "s", tmp_path / source
    shutil.copytree(states["closed"], state)
    if source == "older":
        shutil.copytree(states["crashed"], of)
        (of / "journal.db-wal").unlink()
        (of / "journal.head").write_text(f"{100:020d}\n")
    else:
        asyncio.run(write(tmp_path / "ignored", of))
    for path in of.glob(files):
        shutil.copy(path, state / path.name)
    if said is None:
        assert became(state, rows(states["closed"])) == "harmless", "it is written anew by the next commit"
        return
    with pytest.raises(JournalDamaged, match=said):
        guard.ensure(Files(state), check_mib=512)


async def test_reading_a_journal_that_nobody_runs_leaves_it_alone(
    states: dict[str, Path], tmp_path: Path
) -> None:
    state = tmp_path / "s"
    shutil.copytree(states["crashed"], state)
    before = (state / "journal.db-wal").read_bytes()
    reader = await Reader.open(state / "journal.db", alone=True)
    assert len(await reader.messages(limit=2_000)) == ROWS
    await reader.close()
    assert (state / "journal.db-wal").read_bytes() == before
    async with await Journal.open(state, SystemClock()) as journal:
        assert journal.committed == ROWS
