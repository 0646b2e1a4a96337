"""A disk that is full, read-only or fails is told in one sentence, and what was acknowledged is there afterwards."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from caxton.clock import SystemClock
from caxton.daemon_socket import ABOUT, About, claim
from caxton.errors import DiskTrouble
from caxton.journal import Journal
from caxton.journal.files import Files
from journal.history import Said, Talks


def test_a_disk_without_room_for_the_daemons_own_files(tmp_path: Path) -> None:
    (tmp_path / f"{ABOUT}.new").symlink_to("/dev/full")
    with (
        pytest.raises(DiskTrouble, match="No space left on device") as refusal,
        claim(tmp_path, About(1, "0", 0)),
    ):
        pytest.fail("it is not claimed")
    assert refusal.value.hint is not None
    assert "Free space" in refusal.value.hint


async def test_a_disk_that_fails_is_not_a_damaged_journal(tmp_path: Path) -> None:
    async with await Journal.open(tmp_path, SystemClock()):
        pass
    files = Files(tmp_path)
    files.db.unlink()
    # reading it at the beginning is an I/O error of the operating system
    files.db.symlink_to("/proc/self/mem")
    with pytest.raises(DiskTrouble, match="Input/output error") as refusal:
        await Journal.open(tmp_path, SystemClock())
    assert "dmesg" in str(refusal.value.hint)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1,200 KiB."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1200k", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        yield tmp_path
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def fill(folder: Path, left: int) -> Path:
    """Leave so many bytes of that disk."""
    path, stat = folder / "fill", os.statvfs(folder)
    path.write_bytes(bytes(max(0, stat.f_bavail * stat.f_frsize - left)))
    return path


@pytest.mark.system
@pytest.mark.parametrize("kib", [0, 4, 16, 40, 100, 160])
async def test_a_start_on_a_full_disk_can_be_tried_again(small_disk: Path, kib: int) -> None:
    state = small_disk / "state"
    state.mkdir()
    filled = fill(small_disk, kib << 10)
    with pytest.raises(DiskTrouble) as refusal:
        await Journal.open(state, SystemClock())
    assert "full" in refusal.value.message or "No space" in refusal.value.message
    filled.unlink()
    async with await Journal.open(state, SystemClock()) as journal:
        assert journal.committed == 0


@pytest.mark.system
async def test_what_was_acknowledged_is_there_when_space_is_back(small_disk: Path) -> None:
    async with await Journal.open(small_disk / "state", SystemClock()) as journal:
        filled = fill(small_disk, 150 << 10)
        talks, told = Talks(), 0
        for seq in range(1, 40):
            talks.say(journal.batch, [Said(seq, content="x" * 20_000)])
            journal.flush()
            try:
                await wait(journal, seq)
            except TimeoutError:
                break
            told = seq
        assert journal.failed is not None
        assert "full" in journal.failed
        filled.unlink()
        await journal.committed_upto(told + 1)
        assert journal.failed is None
    async with await Journal.open(small_disk / "state", SystemClock()) as journal:
        assert journal.committed == told + 1


async def wait(journal: Journal, seq: int) -> None:
    async with asyncio.timeout(0.3):
        await journal.committed_upto(seq)
