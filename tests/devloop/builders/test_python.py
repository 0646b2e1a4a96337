"""Agents in Python in the development loop: a save is checked by the runtime itself, and taken in with the state."""

from __future__ import annotations

from pathlib import Path

import pytest

from caxton.devloop.builders.source_builders import in_folder, source_of
from caxton.devloop.events import BuildFailed, Built, Deployed, DeployFailed, Running, Unchanged, Watching
from devloop.project import looping

SOURCE = """
state.setdefault("count", 0)

def handle(message):
    state["count"] += 1
    reply("inform", state)
"""


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("python_runtime")
async def test_saves_of_an_agent_in_python(tmp_path: Path) -> None:
    folder = tmp_path / "counting"
    folder.mkdir()
    (folder / "agent.py").write_text(SOURCE)
    (folder / "test_agent.py").write_text("def test_nothing(): pass\n")
    async with looping(folder) as project:
        built = await project.next(Built)
        assert built.size < 1000
        running = await project.next(Running)
        assert running.revision == built.revision
        await project.next(Watching)

        project.save("agent.py", SOURCE + "# nothing that matters, but another source\n")
        deployed = await project.next(Deployed)
        assert (deployed.previous, deployed.state) == (running.revision, "carried")

        project.save("agent.py", SOURCE + "def broken(:\n    pass\n")
        failed = await project.next(BuildFailed)
        assert (failed.error.file, failed.error.line, failed.error.column) == ("agent.py", 7, 12)
        assert failed.error.message == "SyntaxError: invalid syntax"
        assert failed.keeps == {"counting": deployed.revision}

        project.save("agent.py", "import numpy\n" + SOURCE)
        refused = await project.next(DeployFailed)
        assert "agent.py:1: ModuleNotFoundError: No module named 'numpy'" in refused.reason
        assert refused.keeps == deployed.revision

        project.save("agent.py", SOURCE + "# nothing that matters, but another source\n")
        await project.next(Unchanged)

        # what it imports belongs to it
        (folder / "helper.py").write_text("hello = 1\n")
        project.save("agent.py", "import helper\n" + SOURCE)
        first = await project.next(Deployed)
        project.save("helper.py", "hello = 2\n")
        assert (await project.next(Deployed)).previous == first.revision
        project.save("helper.py", "hello = \n")
        wrong = (await project.next(BuildFailed)).error
        assert (wrong.file, wrong.line, wrong.message) == ("helper.py", 1, "SyntaxError: invalid syntax")


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("python_runtime")
async def test_a_command_may_write_an_agent_in_python(tmp_path: Path) -> None:
    (tmp_path / "agent.src").write_text(SOURCE)
    (tmp_path / "caxton.toml").write_text(
        'cells = 1\n[agents.made]\nsource = "agent.src"\nwasm = "made.py"\n'
        'build = { command = ["cp", "agent.src", "made.py"], output = "made.py", watch = ["agent.src"] }\n'
    )
    async with looping(tmp_path) as project:
        running = await project.next(Running)
        await project.next(Watching)
        assert (tmp_path / "made.py").read_text() == SOURCE

        project.save("agent.src", SOURCE + "# another source\n")
        deployed = await project.next(Deployed)
        assert (deployed.previous, deployed.state) == (running.revision, "carried")


def test_only_agent_py_is_a_source_by_itself(tmp_path: Path) -> None:
    (tmp_path / "build.py").touch()
    (tmp_path / "seller.py").touch()
    assert in_folder(tmp_path) is None
    assert source_of(None, tmp_path / "seller.wasm") is None
    # a module that is named as source text is its own source
    assert source_of(None, tmp_path / "seller.py") == tmp_path / "seller.py"
    assert source_of(tmp_path / "seller.py", tmp_path / "seller.wasm") == tmp_path / "seller.py"
    (tmp_path / "agent.py").touch()
    (tmp_path / "agent.c").touch()
    assert in_folder(tmp_path) == tmp_path / "agent.py"
