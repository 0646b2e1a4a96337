"""A damaged, foreign or vanished journal stops the start and is left as it is."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from caxton.clock import SystemClock
from caxton.errors import JournalDamaged, JournalError
from caxton.journal import Journal
from caxton.journal.files import Files
from caxton.journal.integrity import guard
from journal.history import Said, Talks

ROWS = 400


async def write(folder: Path, *, crash_to: Path | None = None) -> None:
    """A journal of two commits; with `crash_to` its files as they lie there while the daemon still runs."""
    async with await Journal.open(folder, SystemClock()) as journal:
        talks = Talks()
        for first in (1, ROWS // 2 + 1):
            talks.say(journal.batch, [Said(seq) for seq in range(first, first + ROWS // 2)])
            journal.flush()
            await journal.committed_upto(first + ROWS // 2 - 1)
        if crash_to is not None:
            crash_to.mkdir()
            for name in ("journal.db", "journal.db-wal", "journal.id", "journal.head"):
                shutil.copy(folder / name, crash_to / name)


async def reopen(folder: Path) -> int:
    async with await Journal.open(folder, SystemClock()) as journal:
        return journal.committed


def overwrite(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def rewrite(path: Path, change: Callable[[sqlite3.Connection], object]) -> None:
    db = sqlite3.connect(path)
    change(db)
    db.commit()
    db.close()


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def swap(folder: Path) -> None:
    (folder / "journal.id").write_text("0" * 32 + "\n")


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no database": (lambda f: (f / "journal.db").write_bytes(b"hello " * 100), "not a database"),
    "header garbage": (lambda f: overwrite(f / "journal.db", 0, b"\xff" * 100), "not a database"),
    "short": (lambda f: (f / "journal.db").write_bytes(b"SQLite format 3\0"), "not a database"),
    "empty": (lambda f: (f / "journal.db").write_bytes(b""), "is empty, though journal.id"),
    "missing": (lambda f: (f / "journal.db").unlink(), "is missing, though journal.id"),
    "half": (lambda f: half(f / "journal.db"), "is damaged"),
    "pages garbage": (lambda f: overwrite(f / "journal.db", 5 * 4096, b"\xa5" * 8192), "is damaged"),
    "foreign": (
        lambda f: rewrite(f / "journal.db", lambda db: db.execute("pragma application_id = 7")),
        "another program",
    ),
    "newer": (
        lambda f: rewrite(f / "journal.db", lambda db: db.execute("pragma user_version = 999")),
        "newer Caxton",
    ),
    "id file missing": (lambda f: (f / "journal.id").unlink(), "journal.id is missing"),
    "id file empty": (lambda f: (f / "journal.id").write_text(""), "journal.id is empty"),
    "id file of another": (swap, "another installation"),
    "head garbage": (lambda f: (f / "journal.head").write_text("many"), "not hold a number"),
    "rows removed at the end": (
        lambda f: rewrite(
            f / "journal.db", lambda db: db.execute(f"delete from message where seq > {ROWS - 30}")
        ),
        "lost 30 rows at the end",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_damage_stops_the_start(tmp_path: Path, damage: str) -> None:
    await write(tmp_path)
    do, said = DAMAGES[damage]
    do(tmp_path)
    before = {file.name: file.read_bytes() for file in tmp_path.glob("journal.*") if file.suffix != ".lock"}
    for _ in range(2):
        with pytest.raises(JournalDamaged, match=said) as refusal:
            await Journal.open(tmp_path, SystemClock())
        assert refusal.value.hint
        assert str(tmp_path) in refusal.value.message
    after = {file.name: file.read_bytes() for file in tmp_path.glob("journal.*") if file.suffix != ".lock"}
    assert {name: after[name] for name in before} == before, "nothing is repaired or recreated"


async def test_a_crashed_journal_opens_with_every_row(tmp_path: Path) -> None:
    crashed = tmp_path / "crashed"
    await write(tmp_path / "state", crash_to=crashed)
    assert await reopen(crashed) == ROWS


WAL_DAMAGES: dict[str, Callable[[Path], object]] = {
    "deleted": lambda wal: wal.unlink(),
    "emptied": lambda wal: wal.write_bytes(b""),
    "header zeroed": lambda wal: overwrite(wal, 0, bytes(32)),
    "bit flipped in the first commit": lambda wal: overwrite(wal, 32 + 24 + 2000, b"\x5a\xa5"),
    "cut in the first commit": lambda wal: wal.write_bytes(wal.read_bytes()[:5000]),
    "cut in the last commit": lambda wal: wal.write_bytes(wal.read_bytes()[:-5000]),
    "bit flipped in the last frame": lambda wal: overwrite(wal, wal.stat().st_size - 100, b"\x5a\xa5"),
}


@pytest.mark.parametrize("damage", WAL_DAMAGES)
async def test_a_lost_tail_is_noticed_although_sqlite_does_not(tmp_path: Path, damage: str) -> None:
    crashed = tmp_path / "crashed"
    await write(tmp_path / "state", crash_to=crashed)
    # what is acknowledged is marked
    assert guard.read_head(Files(crashed)) == ROWS
    WAL_DAMAGES[damage](crashed / "journal.db-wal")
    with pytest.raises(JournalDamaged, match=r"has lost \d+ rows at the end") as refusal:
        await reopen(crashed)
    assert refusal.value.details["lost"] >= ROWS // 2
    (crashed / "journal.head").unlink()
    assert await reopen(crashed) == (ROWS // 2 if "last" in damage else 0), (
        "the remedy that the hint names works"
    )


async def test_two_daemons_cannot_open_one_journal(tmp_path: Path) -> None:
    async with await Journal.open(tmp_path, SystemClock()):
        with pytest.raises(JournalError, match="open in another daemon"):
            await Journal.open(tmp_path, SystemClock())
    assert await reopen(tmp_path) == 0


async def test_a_start_that_broke_off_is_finished(tmp_path: Path) -> None:
    await write(tmp_path)
    files = Files(tmp_path)
    files.head.unlink()
    files.db.rename(files.fresh)
    assert await reopen(tmp_path) == ROWS, "the id file was there: the database only lacked its name"


async def test_a_start_that_broke_off_early_begins_anew(tmp_path: Path) -> None:
    Files(tmp_path).fresh.write_bytes(b"half a database")
    assert await reopen(tmp_path) == 0
    assert not Files(tmp_path).fresh.exists()


async def test_files_are_for_the_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    async with await Journal.open(folder, SystemClock()) as journal:
        Talks().say(journal.batch, [Said(1)])
        journal.flush()
        await journal.committed_upto(1)
        modes = {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}
    assert set(modes) >= {"journal.db", "journal.db-wal", "journal.id", "journal.head", "journal.lock"}
    assert set(modes.values()) == {0o600}
