"""An agent whose cell dies while it is brought its first build: it is brought it again by itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from caxton.example_modules import folder
from caxton.runtime import deploy_configured
from caxton.testing import System, runtime

STEPS = (1, 25, 60)


async def deployed_while_the_cell_dies(system: System, steps: int) -> None:
    """Bring the configured agents what they are to be; after so many steps of the loop the cell dies."""
    bringing = asyncio.ensure_future(deploy_configured(system.runtime))
    for _ in range(steps):
        await asyncio.sleep(0)
    system.kill_cell()
    await bringing


@pytest.mark.parametrize("steps", STEPS)
def test_whenever_the_cell_dies_the_agent_runs_soon(steps: int) -> None:
    wasm = str((folder("counter") / "counter.wasm").resolve())
    with runtime({}, config={"agents": {"c": {"wasm": wasm}}}) as system:
        system.run(deployed_while_the_cell_dies(system, steps))
        view = system.runtime.agents.view("c")
        assert view.state == "running" or view.retry_us is not None, view
        system.advance(3)
        assert system.runtime.agents.view("c").state == "running"
        assert system.ask({"add": 2}, to="c")["content"] == {"count": 2}


def test_a_new_agent_goes_to_a_cell_that_lives() -> None:
    wasm = (folder("counter") / "counter.wasm").read_bytes()
    with runtime({"a": wasm}, cells=2) as system:
        system.kill_cell(2)
        system.deploy("b", wasm)
        assert system.cell_of("b") == 1


async def asked_while_it_comes(system: System) -> None:
    bringing = asyncio.ensure_future(deploy_configured(system.runtime))
    await asyncio.sleep(0)
    message: dict[str, object] = {
        "receiver": ["c", "bad"],
        "performative": "request",
        "content": {"add": 1},
        "conversation_id": "k",
    }
    system.runtime.bus.submit(message)
    await bringing


def test_what_is_said_to_an_agent_on_its_way_waits_for_it(tmp_path: Path) -> None:
    (tmp_path / "bad.wasm").write_bytes(b"no module")
    wasm = str((folder("counter") / "counter.wasm").resolve())
    agents = {"c": {"wasm": wasm}, "bad": {"wasm": str(tmp_path / "bad.wasm")}}
    with runtime({}, config={"agents": agents}) as system:
        system.run(asked_while_it_comes(system))
        system.until_quiet()
        said = {one["sender"]: one["content"] for one in system.messages(conversation_id="k")}
        assert said["c@local"] == {"count": 1}
        assert said["ams@local"]["error"] == "agent_failed"


def test_a_build_that_is_none_is_not_tried_again(tmp_path: Path) -> None:
    (tmp_path / "bad.wasm").write_bytes(b"no module")
    with runtime({}, config={"agents": {"c": {"wasm": str(tmp_path / "bad.wasm")}}}) as system:
        system.run(deploy_configured(system.runtime))
        assert system.runtime.agents.view("c").retry_us is None
