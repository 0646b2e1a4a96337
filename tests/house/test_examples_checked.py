"""The type check of the examples and templates looks at all of them, and finds a wrong call."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from .source import ROOT

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def step() -> ModuleType:
    spec = importlib.util.spec_from_file_location("typed", ROOT / ".ci" / "typed.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_template_and_agent_in_python_is_checked(step: ModuleType) -> None:
    (templates,) = ROOT.glob("caxton/devloop/**/templates")
    there = [*templates.rglob("*.py*"), *ROOT.glob("agents-examples/*/*.py")]
    assert len(step.checked()) == len(there)
    assert "{{" not in "".join(step.checked().values())


def test_a_wrong_call_in_an_agent_is_found(step: ModuleType, tmp_path: Path) -> None:
    agent = tmp_path / "agent.py"
    agent.write_text("from caxton_agent import reply\n\n\ndef handle(message):\n    reply(content=1)\n")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *step.AGENT, str(agent)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "performative" in done.stdout
