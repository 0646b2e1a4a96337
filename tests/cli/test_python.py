"""`caxton python`, and what the command line makes of a Python agent's source."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from caxton.cli import daemon_process
from caxton.devloop.builders.toolchains import Found, Missing, python
from caxton.sandbox.compile.python_source import unpack
from caxton.sandbox.python.runtime import BUILDER_VERSION, RuntimeFolder, how_to_install, runtime_name

from .command import ROOT, caxton

pytestmark = pytest.mark.system

EXAMPLE = ROOT / "agents-examples" / "python-counter" / "agent.py"


def test_an_agent_is_packed_without_a_runtime(tmp_path: Path) -> None:
    said = caxton("python", "pack", EXAMPLE, tmp_path / "a.wasm", XDG_CACHE_HOME=str(tmp_path))
    assert said.returncode == 0, said.stderr
    agent = unpack((tmp_path / "a.wasm").read_bytes())
    assert agent is not None
    assert (agent.source, agent.runtime) == (EXAMPLE.read_text(), runtime_name())


def test_what_cannot_be_packed_is_one_line(tmp_path: Path) -> None:
    said = caxton("python", "pack", tmp_path / "none.py", tmp_path / "a.wasm")
    assert (said.returncode, said.stderr) == (2, f"error: {tmp_path}/none.py: No such file or directory\n")
    (tmp_path / "bad.py").write_bytes(b"x = '\xff'\n")
    said = caxton("python", "pack", tmp_path / "bad.py", tmp_path / "a.wasm")
    assert said.returncode == 5
    assert "error: bad.py:1: the source is not UTF-8 text" in said.stderr


def test_a_runtime_that_is_not_built_is_shown_as_that(tmp_path: Path) -> None:
    said = caxton("python", "show", "-o", "json", XDG_CACHE_HOME=str(tmp_path))
    shown = json.loads(said.stdout)
    assert (shown["built"], shown["bytes"]) == (False, None)
    assert shown["built_with"] == f"componentize-py {BUILDER_VERSION}"


def test_the_doctor_knows_three_states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RuntimeFolder(tmp_path)
    monkeypatch.setattr("caxton.devloop.builders.toolchains.RuntimeFolder", lambda: folder)
    monkeypatch.setattr("caxton.devloop.builders.toolchains.find_spec", lambda name: None)
    missing = python(tmp_path)
    assert isinstance(missing, Missing)
    assert missing.remedy == how_to_install()
    monkeypatch.setattr("caxton.devloop.builders.toolchains.find_spec", lambda name: object())
    found = python(tmp_path)
    assert isinstance(found, Found)
    assert "not built yet: caxton python build" in found.shown
    folder.component(runtime_name()).write_bytes(b"")
    found = python(tmp_path)
    assert isinstance(found, Found)
    assert str(tmp_path) in found.shown


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("python_runtime")
def test_the_example_from_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "caxton.toml").write_text("cells = 1\n")
    try:
        assert caxton("up", cwd=tmp_path).returncode == 0
        said = caxton("agent", "deploy", "counter", EXAMPLE, cwd=tmp_path)
        assert said.returncode == 0, said.stderr
        ask = ("msg", "send", "--to", "counter", "--performative", "request", "--wait", "--content")
        for wish, answer in (
            ('{"do": "count", "name": "apples"}', '{"name":"apples","count":1}'),
            ('{"do": "total"}', '{"total":1}'),
            ('{"do": "later", "after_ms": 10}', '{"rang":true}'),
        ):
            said = caxton(*ask, wish, cwd=tmp_path)
            assert answer in said.stdout, (said.stdout, said.stderr)
        said = caxton(*ask, '{"do": "count"}', cwd=tmp_path)
        assert "KeyError: 'name'" in said.stderr
        log = caxton("agent", "logs", "counter", cwd=tmp_path).stdout.splitlines()
        assert log[0].endswith("Traceback (most recent call last):")
        assert any(line.startswith("      File") and "in handle" in line for line in log)
        said = caxton("replay", "--last", "10", "--with", EXAMPLE, "--agent", "counter", cwd=tmp_path)
        assert said.returncode == 0, said.stdout
        assert " 0 changed, 0 illegal" in said.stdout
        assert caxton("down", cwd=tmp_path).returncode == 0
    finally:
        daemon_process.kill(tmp_path)
