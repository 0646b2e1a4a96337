"""A process that is killed at a named stage of a commit, a copy of the log, a removal, an upgrade, a backup.

The gate runs a few of them, `just check-long` all.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from caxton.clock import SystemClock
from caxton.journal import Journal
from caxton.journal.files import Files
from caxton.journal.integrity import guard
from caxton.journal.integrity.verify import verify
from caxton.journal.pages.page_sums import BEGIN, SUM

pytestmark = pytest.mark.crash

KILL = """
import importlib, os, pathlib, signal, sys
state, module, owner, name, when, left = sys.argv[1:7]
of = importlib.import_module(module)
of = getattr(of, owner) if owner else of
wanted, count = getattr(of, name), int(left)
def stage(*arguments, **named):
    global count
    count -= 1
    if when == "before" and count == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    result = wanted(*arguments, **named)
    if when == "after" and count == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return result
setattr(of, name, stage)
"""
WRITE = (
    KILL
    + """
import asyncio
from caxton.clock import SystemClock
from caxton.journal import Journal, JournalSettings
from caxton.journal.write import commits, writer
commits.IDLE_S, commits.FEW_UNINDEXED, writer.CHECKPOINT_BYTES = 0.0, 100, 200_000
async def life():
    settings = JournalSettings(keep_mib=1, retention_every_s=0.0)
    journal = await Journal.open(pathlib.Path(state), SystemClock(), settings)
    seq = journal.committed
    for _ in range(80):
        for _ in range(50):
            seq += 1
            journal.batch.message(seq, seq, seq % 100, 0, 0, 0, b'{"receiver": [], "x": "%s"}' % (b"x" * 800))
        journal.batch.meta("low_water", seq - 50)
        journal.flush()
        await journal.committed_upto(seq)
        os.write(1, b"%d\\n" % seq)
    await journal.close()
async def main():
    await life()
    await life()
asyncio.run(main())
"""
)
SUMS = "caxton.journal.pages.page_sums"
STAGES = {
    "a commit": ("caxton.journal.write.commits", "Committer", "commit", 20),
    "the sync of the head mark": ("caxton.journal.write.writer", "", "synced", 20),
    "the sync of the checksums": (SUMS, "", "synced", 6),
    "what the checksums know": (SUMS, "PageSums", "_know", 3),
    "the copy of the log": ("caxton.journal.write.checkpoint", "Checkpointer", "copy_rest", 3),
    "the taking in of checksums": (SUMS, "PageSums", "take_in", 3),
    "the end of the checksums": (SUMS, "PageSums", "close", 1),
    "an index chunk": ("caxton.journal.write.deferred_index", "", "index_chunk", 3),
    "a removal": ("caxton.journal.retention.retention", "", "remove_range", 3),
    "the first row of another start": ("caxton.journal.retention.age", "Age", "save", 3),
    "the first checksums": ("caxton.journal.integrity.guard", "", "build", 1),
}


def killed(script: str, state: Path, stage: tuple[str, str, str, int], when: str, *more: str) -> bytes:
    """Run a script that is killed at that stage; what it said before."""
    module, owner, name, left = stage
    command = [sys.executable, "-c", script, str(state), module, owner, name, when, str(left), *more]
    child = subprocess.run(command, capture_output=True, check=False)
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()
    return child.stdout


def stages(of: Iterable[str], *short: tuple[str, str]) -> pytest.MarkDecorator:
    """Before and after each; all but `short` take part in long runs only."""
    every = [(when, stage) for stage in of for when in ("before", "after")]
    return pytest.mark.parametrize(
        ("when", "stage"),
        [pytest.param(*one, marks=() if one in short else pytest.mark.long) for one in every],
    )


@stages(
    STAGES,
    ("before", "the sync of the checksums"),
    ("after", "what the checksums know"),
    ("before", "a removal"),
    ("after", "the first row of another start"),
    ("after", "the end of the checksums"),
)
async def test_what_was_acknowledged_is_there(tmp_path: Path, stage: str, when: str) -> None:
    state = tmp_path / ".caxton"
    said = killed(WRITE, state, STAGES[stage], when).split()
    acknowledged = int(said[-1]) if said else 0
    if (state / "journal.sums").exists() and (state / "journal.head").exists():
        assert verify(state, lambda what, done, of: None).findings == []
    async with await Journal.open(state, SystemClock()) as journal:
        assert journal.committed >= acknowledged
        stats = await journal.reader.stats()
        rows = await journal.reader.messages(limit=10_000)
        assert [row.seq for row in rows] == list(range(stats.trimmed_upto + 1, journal.committed + 1))
    assert verify(state, lambda what, done, of: None).findings == []


KEPT_BEFORE = WRITE.replace(
    "asyncio.run(main())",
    """
import shutil
from caxton.journal.pages.page_sums import PageSums
take_in = PageSums.take_in
def kept(self, frames):
    shutil.copy(state + "/journal.sums", state + "/before.sums")
    take_in(self, frames)
PageSums.take_in = kept
asyncio.run(main())
""",
)


def test_checksums_of_which_the_power_left_only_some(tmp_path: Path) -> None:
    """Before they are synced any of them may be on the disk and any not; what they know of the log is as before."""
    state = tmp_path / ".caxton"
    killed(KEPT_BEFORE, state, STAGES["the sync of the checksums"], "before")
    old, new = (state / "before.sums").read_bytes(), (state / "journal.sums").read_bytes()
    assert old[:BEGIN] == new[:BEGIN]
    assert old != new
    old += bytes(len(new) - len(old))
    for seed in range(10):
        pick = random.Random(seed)
        parts = [pick.choice([old, new])[at : at + SUM] for at in range(BEGIN, len(new), SUM)]
        (state / "journal.sums").write_bytes(old[:BEGIN] + b"".join(parts))
        guard.ensure(Files(state), check_mib=512)
        assert verify(state, lambda what, done, of: None).findings == []


UPGRADE = (
    KILL + "\nfrom caxton.journal import files, upgrade\nupgrade.upgrade(files.Files(pathlib.Path(state)))\n"
)
UPGRADES = {
    "the migrations": ("caxton.journal.write.schema", "", "migrate", 1),
    "the old file's new name": ("pathlib", "Path", "rename", 1),
    "the new file's name": ("pathlib", "Path", "rename", 2),
}


@stages(UPGRADES, ("before", "the migrations"), ("after", "the old file's new name"))
async def test_an_upgrade_goes_on(tmp_path: Path, stage: str, when: str) -> None:
    state = tmp_path / ".caxton"
    state.mkdir()
    with tarfile.open(next(Path(__file__).with_name("versions").glob("*.tar.gz"))) as archive:
        archive.extractall(state, filter="data")
    killed(UPGRADE, state, UPGRADES[stage], when)
    async with await Journal.open(state, SystemClock()) as journal:
        assert [row.seq for row in await journal.reader.messages(limit=100)][:14] == list(range(5, 19))
    assert len([*state.glob("journal-schema*.db")]) == 1
    assert verify(state, lambda what, done, of: None).findings == []


BACKUP = (
    KILL
    + """
from caxton.journal.backup import back_up, restore
folder = pathlib.Path(state).parent
if sys.argv[7] == "back_up":
    back_up(folder, pathlib.Path(state), folder / "b.caxton", lambda done, of: None)
else:
    restore(folder / "b.caxton", folder / "again", folder / "again" / ".caxton", lambda done, of: None)
"""
)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_backup_is_whole_or_not_there_and_so_is_a_restored_project(tmp_path: Path, when: str) -> None:
    state, file = tmp_path / ".caxton", tmp_path / "b.caxton"
    async with await Journal.open(state, SystemClock()) as journal:
        journal.batch.message(1, 1, 1, 0, 0, 0, b'{"receiver": []}')
        journal.flush()
        await journal.committed_upto(1)
    naming = ("pathlib", "Path", "rename", 1)
    killed(BACKUP, state, naming, when, "back_up")
    assert file.exists() == (when == "after")
    if when == "before":
        finished = subprocess.run(
            [sys.executable, "-c", BACKUP, str(state), *map(str, (*naming[:3], when, 99)), "back_up"],
            check=False,
        )
        assert finished.returncode == 0
    again = tmp_path / "again" / ".caxton"
    os.makedirs(again)
    killed(BACKUP, state, naming, when, "restore")
    assert Files(again).db.exists() == (when == "after")
    async with await Journal.open(again, SystemClock()) as journal:
        assert journal.committed == 1
