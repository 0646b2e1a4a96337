"""The daemon gives way to terminals: its own session does, nobody else's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from caxton.config import load

SAY = """
import os, pathlib, sys
from caxton.daemon import give_way
before = os.nice(0)
give_way(int(sys.argv[1]))
group = pathlib.Path("/proc/self/autogroup")
print(os.nice(0) - before, group.read_text().split()[-1] if group.exists() else sys.argv[1])
"""


def said(nice: int, *, alone: bool) -> tuple[int, int]:
    """By how much a process gave way, and its session, where the system knows of sessions."""
    words = [sys.executable, "-c", SAY, str(nice)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, start_new_session=alone)
    own, session = done.stdout.split()
    return int(own), int(session)


def test_a_session_of_its_own_gives_way() -> None:
    assert said(7, alone=True) == (7, 7)


def test_not_at_all_where_that_is_wanted() -> None:
    own, session = said(0, alone=True)
    assert own == 0
    assert session == 0


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="Linux groups sessions here")
def test_a_session_with_others_in_it_stays_as_it_is() -> None:
    before = int(Path("/proc/self/autogroup").read_text().split()[-1])
    assert said(7, alone=False) == (0, before)
    assert os.getsid(0) != 0


def test_the_setting(tmp_path: Path) -> None:
    (tmp_path / "caxton.toml").write_text("nice = 12\n")
    assert load(tmp_path, environ={}).config.nice == 12
