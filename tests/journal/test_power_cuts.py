"""The power goes: what was acknowledged is there, whatever the disk had time for, and a start is never refused.

`just power-cuts 1000` tries so many moments and states.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from caxton.clock import SystemClock
from caxton.journal import Journal
from caxton.journal.integrity.verify import verify

from .power_cuts import TRACER, Step, after_a_cut, steps

pytestmark = [
    pytest.mark.crash,
    pytest.mark.skipif(
        shutil.which("strace") is None, reason="strace is not installed: power cuts are NOT tested"
    ),
]

CUTS = int(os.environ.get("POWER_CUTS", "25"))
FIRST = int(os.environ.get("POWER_CUTS_SEED", "0"))
WRITE = """
import asyncio, os, pathlib, sys
from caxton.clock import SystemClock
from caxton.journal import Journal, JournalSettings
from caxton.journal.write import commits, writer
commits.IDLE_S, commits.FEW_UNINDEXED, writer.CHECKPOINT_BYTES = 0.0, 100, 60_000
async def main():
    settings = JournalSettings(keep_mib=1, retention_every_s=0.0)
    for _ in range(2):
        journal = await Journal.open(pathlib.Path(sys.argv[1]), SystemClock(), settings)
        seq = journal.committed
        for _ in range(30):
            for _ in range(25):
                seq += 1
                journal.batch.message(seq, seq, seq % 100, 0, 0, 0, b'{"receiver": [], "x": "%s"}' % (b"x" * 800))
            journal.flush()
            await journal.committed_upto(seq)
            os.write(1, b"%d\\n" % seq)
        await journal.close()
asyncio.run(main())
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    folder = tmp_path_factory.mktemp("power")
    command = [*TRACER, str(folder / "trace"), sys.executable, "-c", WRITE, str(folder / "state")]
    run = subprocess.run(command, capture_output=True, check=False)
    if run.returncode and b"ptrace" in run.stderr.lower():
        pytest.skip("strace may not trace here: power cuts are NOT tested")
    assert run.returncode == 0, run.stderr.decode()
    done = list(steps(folder / "trace", folder / "state"))
    # with everything on the disk the files are those that are there
    whole = after_a_cut(
        [*done, *(Step("fsync", path.name) for path in (folder / "state").iterdir())], random.Random()
    )
    there = {
        path.name: path.read_bytes() for path in (folder / "state").iterdir() if path.name != "journal.lock"
    }
    assert {name: whole.get(name, b"") for name in there} == there
    return done


def acknowledged(of: list[Step]) -> int:
    return max((int(step.data) for step in of if step.call == "said"), default=0)


@pytest.mark.timeout(3600)
async def test_what_was_acknowledged_is_there(written: list[Step], tmp_path: Path) -> None:
    for seed in range(FIRST, FIRST + CUTS):
        pick = random.Random(seed)
        cut = written[: pick.randrange(_first(written), len(written))]
        state = tmp_path / str(seed)
        state.mkdir()
        for name, content in after_a_cut(cut, pick).items():
            if not name.endswith("-shm"):
                (state / name).write_bytes(content)
        await _check(state, acknowledged(cut), f"seed {seed}")
        shutil.rmtree(state)


def _first(written: list[Step]) -> int:
    """Before something was acknowledged there may be no journal."""
    return next(no for no, step in enumerate(written) if step.call == "said")


async def _check(state: Path, least: int, what: str) -> None:
    quiet: Callable[[str, int, int], None] = lambda step, done, of: None  # noqa: E731
    async with await Journal.open(state, SystemClock()) as journal:
        assert journal.committed >= least, what
        stats = await journal.reader.stats()
        found = [row.seq for row in await journal.reader.messages(limit=10_000)]
        assert found == list(range(stats.trimmed_upto + 1, journal.committed + 1)), what
        journal.batch.message(journal.committed + 1, 1, 1, 0, 0, 0, b'{"receiver": []}')
        await journal.written()
    assert verify(state, quiet).findings == [], what
