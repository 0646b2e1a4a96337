"""A backup is one moment of a journal that goes on, and a project again."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from caxton.clock import VirtualClock
from caxton.errors import JournalDamaged, JournalError
from caxton.journal import Journal, backup
from journal.history import Said, Talks

COUNT = 3_000


def quiet(done: int, total: int) -> None:
    assert 0 <= done <= total


async def say(journal: Journal, talks: Talks, first: int, count: int) -> None:
    said = [Said(seq, conversation=f"c-{seq % 50}", content="x" * 500) for seq in range(first, first + count)]
    talks.say(journal.batch, said)
    journal.flush()
    await journal.committed_upto(first + count - 1)


async def made(folder: Path) -> Path:
    """A project with a module, settings, and a backup that was made while it went on."""
    state, file = folder / ".caxton", folder / "backup.caxton"
    (state / "modules").mkdir(parents=True)
    (state / "modules" / f"{'a' * 64}.wasm").write_bytes(b"\0asm")
    (state / "modules" / "key").write_bytes(b"a secret stays here")
    (folder / "caxton.toml").write_text("cells = 1\n")
    async with await Journal.open(state, VirtualClock()) as journal:
        talks = Talks()
        await say(journal, talks, 1, COUNT)
        loop_free = iter(range(COUNT + 1, COUNT + 1_000))

        def meanwhile(done: int, total: int) -> None:
            # another connection commits between two portions
            db = sqlite3.connect(state / "journal.db", isolation_level=None)
            db.execute("insert into meta values (?, 1)", (f"meanwhile-{next(loop_free)}",))
            db.close()

        assert backup.back_up(folder, state, file, meanwhile) == COUNT
        await say(journal, talks, COUNT + 1, 10)
    return file


async def test_a_backup_of_a_journal_that_goes_on_is_one_moment_of_it(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir()
    second.mkdir()
    file = await made(first)
    assert file.stat().st_mode & 0o777 == 0o600
    assert backup.restore(file, second, second / ".caxton", quiet) == COUNT
    assert (second / "caxton.toml").read_text() == "cells = 1\n"
    modules = second / ".caxton" / "modules"
    assert [path.name for path in modules.iterdir()] == [f"{'a' * 64}.wasm"]
    async with await Journal.open(second / ".caxton", VirtualClock()) as journal:
        assert journal.committed == COUNT
        rows = await journal.reader.messages(limit=COUNT + 100)
        assert [row.seq for row in rows] == list(range(1, COUNT + 1))
        found = await journal.reader.conversation("c-7")
        assert found is not None
        assert found.messages == COUNT // 50
        await say(journal, Talks(), COUNT + 1, 5)
    db = sqlite3.connect(second / ".caxton" / "journal.db")
    assert db.execute("select count(*) from meta where key like 'meanwhile%'").fetchone() == (0,)
    assert db.execute("pragma integrity_check").fetchone() == ("ok",)
    db.close()


async def test_nothing_is_written_over(tmp_path: Path) -> None:
    file = await made(tmp_path)
    before = file.read_bytes()
    with pytest.raises(JournalError, match="is there already"):
        backup.back_up(tmp_path, tmp_path / ".caxton", file, quiet)
    assert file.read_bytes() == before
    with pytest.raises(JournalError, match="has a journal already"):
        backup.restore(file, tmp_path, tmp_path / ".caxton", quiet)


async def test_what_is_no_sound_backup_is_refused_and_leaves_no_journal(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir()
    file = await made(first)
    whole = file.read_bytes()
    damaged = tmp_path / "damaged"
    at = whole.index(b"\0asm")
    wrong = {
        "half": whole[: len(whole) // 2],
        "a page": whole[: 5 * 4096] + b"\xa5" * 8192 + whole[7 * 4096 :],
        "a module": whole[:at] + b"\1" + whole[at + 1 :],
        "a journal": (first / ".caxton" / "journal.db").read_bytes(),
        "no database": b"hello" * 1000,
    }
    for name, content in wrong.items():
        damaged.write_bytes(content)
        with pytest.raises(JournalDamaged):
            backup.restore(damaged, second, second / ".caxton", quiet)
        assert not (second / ".caxton" / "journal.db").exists(), name
    assert backup.restore(file, second, second / ".caxton", quiet) == COUNT
