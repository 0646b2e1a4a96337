"""The daemon gives way to terminals: its own session does, nobody else's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from caxton.cli import daemon_process
from caxton.config import load

from .command import caxton

pytestmark = pytest.mark.system

SAY = """
import os, pathlib, sys
from caxton.daemon import give_way
group = pathlib.Path("/proc/self/autogroup")
def session():
    # empty where the process belongs to no session, as on a machine whose shell never made one
    return group.read_text().split()[-1:] if group.exists() else []
own, before = os.nice(0), session()
give_way(int(sys.argv[1]))
print(os.nice(0) - own, before, session(), sep="|")
"""


def said(nice: int, *, alone: bool) -> tuple[int, str, str]:
    """By how much a process gave way; how much its session does, before and after (`[]`: it has none)."""
    words = [sys.executable, "-c", SAY, str(nice)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, start_new_session=alone)
    own, before, after = done.stdout.strip().split("|")
    return int(own), before, after


def test_a_session_of_its_own_gives_way() -> None:
    own, before, after = said(7, alone=True)
    assert own == 7
    assert (before, after) in {("['0']", "['7']"), ("[]", "[]")}


@pytest.mark.parametrize(("nice", "alone"), [(0, True), (7, False)], ids=["not wanted", "not alone"])
def test_it_stays_as_it_is(nice: int, *, alone: bool) -> None:
    own, before, after = said(nice, alone=alone)
    assert own == 0
    assert after == before


def test_the_setting(tmp_path: Path) -> None:
    (tmp_path / "caxton.toml").write_text("nice = 12\n")
    assert load(tmp_path, environ={}).config.nice == 12


def test_a_daemon_gives_way(tmp_path: Path) -> None:
    (tmp_path / "caxton.toml").touch()
    try:
        said = caxton("up", cwd=tmp_path, CAXTON_NICE="3")
        assert said.returncode == 0, said.stderr
        daemon = daemon_process.running(tmp_path)
        assert daemon is not None
        assert os.getpriority(os.PRIO_PROCESS, daemon) == os.getpriority(os.PRIO_PROCESS, 0) + 3
        assert caxton("down", cwd=tmp_path).returncode == 0
    finally:
        daemon_process.kill(tmp_path)
