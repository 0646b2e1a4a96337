"""`caxton journal verify` while the journal is written."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from caxton.clock import SystemClock
from caxton.journal import Journal
from journal.history import Talks
from journal.test_damage import say

pytestmark = pytest.mark.system


async def test_a_running_journal_is_verified(tmp_path: Path) -> None:
    (tmp_path / "caxton.toml").write_text("cells = 1\n")
    talks = Talks()
    async with await Journal.open(tmp_path / ".caxton", SystemClock()) as journal:
        say(journal, talks, 1, 500)
        command = [sys.executable, "-m", "caxton.cli", "-p", str(tmp_path), "journal", "verify"]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        ending = asyncio.ensure_future(asyncio.to_thread(child.communicate))
        first = 500
        while not ending.done():
            say(journal, talks, first, first + 100)
            first += 100
            await journal.written()
        out, err = await ending
        assert (child.returncode, out) == (0, ""), err
        assert "are as they were written" in err
