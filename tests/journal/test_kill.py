"""`kill -9` of a process that writes: what it acknowledged is there, nothing is missing in between."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from caxton.clock import SystemClock
from caxton.journal import Journal

pytestmark = pytest.mark.crash

WRITER = """
import asyncio, os, pathlib, sys
from caxton.clock import SystemClock
from caxton.journal import Journal
async def main():
    journal = await Journal.open(pathlib.Path(sys.argv[1]), SystemClock())
    journal.on_commit.append(lambda batch: os.write(1, b"%d\\n" % batch.last_seq))
    seq = journal.committed
    while True:
        for _ in range(50):
            seq += 1
            if seq % 10:
                journal.batch.message(seq, seq, seq % 100, 0, 0, 0, b'{"n": %d}' % seq)
            else:
                journal.batch.event(seq, seq, "tick")
        journal.flush()
        if journal.waiting_rows > 500:
            await journal.committed_upto(seq)
        await asyncio.sleep(0)
asyncio.run(main())
"""


async def test_five_kills_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    pick = random.Random(5)
    acknowledged = 0
    for _ in range(5):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert child.stdout is not None
        assert child.stderr is not None
        said: list[bytes] = []
        for _ in range(pick.randrange(1, 60)):
            said.append(child.stdout.readline())
            assert said[-1], child.stderr.read()
        child.send_signal(signal.SIGKILL)
        said += child.stdout.read().splitlines(keepends=True)
        child.wait()
        child.stdout.close()
        child.stderr.close()
        acknowledged = max([acknowledged, *(int(line) for line in said if line.endswith(b"\n"))])

        async with await Journal.open(tmp_path, SystemClock()) as journal:
            last = journal.committed
            assert last >= acknowledged > 0
            after = 0
            while after < last:
                rows = await journal.reader.stream(after, 10_000)
                assert [row.seq for row in rows] == list(range(after + 1, after + 1 + len(rows)))
                after = rows[-1].seq
        acknowledged = last
