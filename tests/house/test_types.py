"""A wrong step in an agent's life is an error of both type checkers; a right one is not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .source import ROOT

SNIPPET = """
from caxton.agents.life import Draining, Failed, Life, Loaded, Running, Suspended, Unloaded
from caxton.acl import Performative
from caxton.limits import Limits


def right(unloaded: Unloaded) -> Life:
    loaded: Loaded = unloaded.load("sha")
    running: Running = loaded.start(1, 2)
    running = running.swap("other", 3)
    running = running.suspend().swap("third", 4).resume()
    draining: Draining = running.drain()
    loaded = draining.drained()
    failed: Failed = loaded.start(1, 2).fail("why")
    failed = loaded.start(1, 2).drain().fail("why")
    return failed.reset().unload()


def look(life: Life) -> int:
    match life:
        case Running() | Suspended() | Draining():
            return life.slot
        case Unloaded() | Loaded() | Failed():
            return 0


Unloaded().start(1, 2)  # wrong
Unloaded().drain()  # wrong
Loaded("sha").drain()  # wrong
Loaded("sha").load("sha")  # wrong
Loaded("sha").slot  # wrong
Loaded("sha").fail("why")  # wrong
Running("sha", 1, 2).start(1, 2)  # wrong
Running("sha", 1, 2).unload()  # wrong
Running("sha", 1, 2).drained()  # wrong
Draining("sha", 1, 2).swap("other", 3)  # wrong
Draining("sha", 1, 2).drain()  # wrong
Draining("sha", 1, 2).suspend()  # wrong
Loaded("sha").suspend()  # wrong
Suspended("sha", 1, 2).drain()  # wrong
Running("sha", 1, 2).resume()  # wrong
Failed("sha", "why").start(1, 2)  # wrong
Failed("sha", "why").halt()  # wrong
Running("sha", 1, 2).drain().start(1, 2)  # wrong
Running("sha", "one", 2)  # wrong
Running("sha", 1, 2).slot = 3  # wrong
Limits(fuel="much")  # wrong
Limits(fule=1)  # wrong
Limits().fuel = 1  # wrong
act: Performative = "request"  # wrong
"""


def wrong_lines(text: str) -> list[int]:
    return [number for number, line in enumerate(text.splitlines(), 1) if line.endswith("# wrong")]


@pytest.fixture(scope="module")
def snippet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("types") / "snippet.py"
    path.write_text(SNIPPET)
    return path


def test_pyright_finds_every_wrong_step_and_no_other(snippet: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson", str(snippet)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(done.stdout)["generalDiagnostics"]
    ours = {one["range"]["start"]["line"] + 1 for one in found if one["severity"] == "error"}
    assert sorted(ours) == wrong_lines(snippet.read_text()), done.stdout + done.stderr


def test_mypy_finds_every_wrong_step_and_no_other(snippet: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--follow-imports=silent", "--output=json", str(snippet)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    ours = {one["line"] for one in found if Path(one["file"]).name == snippet.name}
    assert sorted(ours) == wrong_lines(snippet.read_text()), done.stdout + done.stderr
