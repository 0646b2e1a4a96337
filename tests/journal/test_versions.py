"""Journals of earlier versions, made by those versions: each release adds one to `versions`.

What is in them: seven requests to the example `counter`, with idempotency keys, the first conversation pinned; a
message to nobody; a timer that is not due, which that version passed over when it was stopped.
"""

from __future__ import annotations

import shutil
import sqlite3
import tarfile
from pathlib import Path

import pytest

from caxton.clock import SystemClock
from caxton.errors import DiskTrouble
from caxton.journal import Journal, upgrade
from caxton.journal.files import Files
from caxton.journal.write import schema

from agents.systems import count, home  # isort: skip

VERSIONS = sorted(Path(__file__).with_name("versions").glob("*.tar.gz"))
pytestmark = pytest.mark.system


def state_of(version: Path, folder: Path) -> Path:
    """The state's folder of a project that this version left."""
    state = folder / ".caxton"
    state.mkdir(mode=0o700)
    with tarfile.open(version) as archive:
        archive.extractall(state, filter="data")
    return state


def schema_of(path: Path) -> int:
    db = sqlite3.connect(path)
    try:
        return int(db.execute("pragma user_version").fetchone()[0])
    finally:
        db.close()


@pytest.mark.parametrize("version", VERSIONS, ids=lambda path: path.name)
async def test_everything_is_there_and_agents_remember(tmp_path: Path, version: Path) -> None:
    state = state_of(version, tmp_path)
    before = (state / "journal.db").read_bytes()
    async with home(tmp_path) as runtime:
        reader = runtime.journal.reader
        rows = await reader.messages(limit=100)
        assert [row.seq for row in rows][:14] == list(range(5, 19))
        assert len(await reader.pins()) == 1
        assert len(await reader.dead_letters()) == 1
        assert await reader.client_key("key-7") is not None
        assert [talk.messages for talk in await reader.conversations(agent="counter@local")][:7] == [2] * 7
        assert await count(runtime, "counter") == 8
    (kept,) = state.glob("journal-schema*.db")
    assert kept.read_bytes() == before
    assert schema_of(state / "journal.db") == len(schema.MIGRATIONS)


@pytest.mark.parametrize("version", VERSIONS, ids=lambda path: path.name)
async def test_an_upgrade_that_was_killed_goes_on(tmp_path: Path, version: Path) -> None:
    state = state_of(version, tmp_path)
    files = Files(state)
    # before the new file was whole
    files.fresh.write_bytes(files.db.read_bytes()[: 20 * 4096])
    async with await Journal.open(state, SystemClock()) as journal:
        last = journal.committed
    # between the two names
    (kept,) = state.glob("journal-schema*.db")
    kept.unlink()
    files.db.rename(files.fresh)
    async with await Journal.open(state, SystemClock()) as journal:
        assert journal.committed == last


def test_without_room_nothing_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = state_of(VERSIONS[0], tmp_path)
    before = {path.name: path.read_bytes() for path in state.iterdir() if path.is_file()}
    little = shutil.disk_usage(state)._replace(free=1 << 20)

    def disk_usage(path: Path) -> object:
        return little

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)
    with pytest.raises(DiskTrouble, match="no room to upgrade it: 1 MiB are free, 8 MiB are needed"):
        upgrade.upgrade(Files(state))
    assert {path.name: path.read_bytes() for path in state.iterdir() if path.is_file()} == before
