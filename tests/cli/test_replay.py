"""`caxton replay` against a real daemon."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from agents.systems import tally

from caxton.cli import daemon_process

from .command import ROOT, caxton

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("p")
    shutil.copy(ROOT / "agents-examples" / "echo" / "echo.wasm", folder)
    (folder / "tally.wat").write_bytes(tally())
    (folder / "same.wat").write_bytes(tally(tag="two"))
    (folder / "other.wat").write_bytes(tally(step=2))
    (folder / "caxton.toml").write_text(
        'cells = 1\n[agents.tally]\nwasm = "tally.wat"\n[agents.echo]\nwasm = "echo.wasm"\n'
    )
    try:
        assert caxton("up", cwd=folder).returncode == 0
        for _ in range(2):
            said = caxton("msg", "send", "--to", "tally", "--performative", "request", "--wait", cwd=folder)
            assert said.returncode == 0, said.stderr
        yield folder
        assert caxton("down", cwd=folder).returncode == 0
    finally:
        daemon_process.kill(folder)


def conversation(project: Path) -> str:
    """The newest one."""
    said = caxton("conv", "list", "--agent", "tally", "-n", "1", "-o", "json", cwd=project)
    return str(json.loads(said.stdout)[0]["id"])


def test_the_build_that_runs_says_the_same(project: Path) -> None:
    said = caxton("replay", conversation(project), cwd=project)
    assert said.returncode == 0, said.stderr
    assert "1 same, 0 changed, 0 illegal, fuel as before" in said.stdout
    assert "from its beginning with 1 turn before" in said.stdout


def test_a_build_that_says_the_same_is_no_difference(project: Path) -> None:
    said = caxton("replay", "--last", "2", "--with", "same.wat", cwd=project)
    assert said.returncode == 0, said.stderr
    assert "2 same" in said.stdout


def test_a_difference_is_shown_and_is_exit_code_6(project: Path) -> None:
    said = caxton("replay", "--last", "2", "--with", "other.wat", "--agent", "tally", cwd=project)
    assert said.returncode == 6
    assert '[0].content  "00000001" → "00000002"' in said.stdout
    assert '[0].content  "00000002" → "00000004"' in said.stdout
    assert "0 same, 2 changed, 0 illegal" in said.stdout
    assert said.stderr == ""


def test_as_json_and_as_lines(project: Path) -> None:
    said = caxton("replay", "--last", "2", "--with", "other.wat", "-o", "json", cwd=project)
    report = json.loads(said.stdout)
    assert said.returncode == 6
    assert report["totals"]["changed"] == 2
    assert [turn["verdict"] for turn in report["turns"]] == ["changed", "changed"]
    assert report["turns"][0]["before"]["memory_kib"] == 64
    said = caxton("replay", "--last", "2", "--with", "other.wat", "-o", "jsonl", cwd=project)
    assert [json.loads(line) for line in said.stdout.splitlines()] == report["turns"]


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        ([], 2, "it is not said what to replay"),
        (["nothing"], 2, "nothing of conversation 'nothing' is in the journal"),
        (["--last", "1", "--with", "nowhere.wasm"], 2, "nowhere.wasm cannot be read"),
        (
            ["--last", "1", "--with", "caxton.toml"],
            5,
            "the text of the module is wrong, line 1, column 1: expected `(`\nhint: ",
        ),
        (["--last", "1", "--agent", "nobody"], 5, "there is no agent 'nobody'"),
    ],
)
def test_what_cannot_be_replayed_is_one_clear_error(
    project: Path, words: list[str], code: int, text: str
) -> None:
    said = caxton("replay", *words, cwd=project)
    assert said.returncode == code
    assert text in said.stderr
    assert "Traceback" not in said.stderr
