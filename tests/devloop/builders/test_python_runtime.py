"""For which agents the development loop makes the Python runtime, and what it says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from caxton.devloop import Event
from caxton.devloop.builders.python_runtime import RuntimeOnDemand
from caxton.devloop.builders.recipe import Recipe
from caxton.devloop.builders.targets import Target
from caxton.devloop.events import Preparing
from caxton.sandbox.python import build as python_build
from caxton.sandbox.python.progress import COMPONENT

pytestmark = pytest.mark.system


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a runtime, on which the builder soon gives up."""
    parts = tmp_path / "parts"
    parts.mkdir()
    (parts / "agent.wit").write_text("this is no WIT")
    monkeypatch.setattr(python_build, "PARTS", parts)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.usefixtures("empty_cache")
@pytest.mark.parametrize("kind", ["a source", "a command that writes one", "one that stands there", "C"])
async def test_it_is_made_for_what_is_python_and_said(kind: str, tmp_path: Path) -> None:
    agent, module = tmp_path / "agent.py", tmp_path / "agent.wasm"
    target = {
        "a source": Target(
            module, ["a"], Recipe("python", "agent.py", tmp_path, ("true",), module, needs="python")
        ),
        "a command that writes one": Target(
            agent, ["a"], Recipe("command", "cp", tmp_path, ("true",), agent)
        ),
        "one that stands there": Target(agent, ["a"], None),
        "C": Target(module, ["a"], Recipe("c", "agent.c", tmp_path, ("true",), module)),
    }[kind]
    said: list[Event] = []
    # that it could not be made is for the build to say, which tries again
    await RuntimeOnDemand(said.append).see_to_it(target)
    first = [one for one in said if isinstance(one, Preparing) and one.begins]
    if kind == "C":
        assert said == []
    else:
        assert [one.agents for one in first] == [["a"]]
        assert first[0].left_s == pytest.approx(67, abs=1)
        assert first[0].what == f"Python runtime, only once: {COMPONENT}, about 65 s left"
