"""The journal on the command line, with a real daemon: status, export, a backup and what it is worth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from agents.systems import tally

from caxton.cli import daemon_process

from .command import caxton

pytestmark = pytest.mark.system


@pytest.fixture
def projects(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    (first / "tally.wat").write_bytes(tally())
    (first / "caxton.toml").write_text('cells = 1\n[agents.tally]\nwasm = "tally.wat"\n')
    try:
        assert caxton("up", cwd=first).returncode == 0
        yield first, second
    finally:
        daemon_process.kill(first)
        if second.exists():
            daemon_process.kill(second)


def count(project: Path) -> int:
    said = caxton("msg", "send", "--to", "tally", "--wait", "-o", "json", cwd=project)
    assert said.returncode == 0, said.stderr
    return int(json.loads(said.stdout)["replies"][0]["message"]["content"])


def test_a_backup_of_a_running_project_goes_on_elsewhere(projects: tuple[Path, Path], tmp_path: Path) -> None:
    first, second = projects
    assert [count(first), count(first)] == [1, 2]
    shown = json.loads(caxton("journal", "status", "-o", "json", cwd=first).stdout)
    assert (shown["clock_doubt"], shown["memories"], shown["keep_days"]) == (None, [], 30)
    assert "removed up to 0" in caxton("journal", "status", cwd=first).stdout
    lines = caxton("journal", "export", cwd=first).stdout.splitlines()
    assert [json.loads(line)["message"]["performative"] for line in lines] == ["request", "inform"] * 2
    assert caxton("journal", "trust-clock", cwd=first).stderr == "the clock was trusted already\n"

    file = tmp_path / "project.caxton"
    said = caxton("backup", file, cwd=first)
    assert said.returncode == 0, said.stderr
    assert caxton("backup", file, cwd=first).returncode != 0, "nothing is written over"
    assert count(first) == 3
    said = caxton("restore", file, second, cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    # the module comes from the backup: the file that caxton.toml names is not there
    caxton("up", "--partial", cwd=second)
    assert count(second) == 3
    assert count(first) == 4
