"""Stopping, starting, removing: what waits is handled or told off, never forgotten."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from caxton.deploy import DeploymentRequest
from caxton.errors import AgentNotFound, DeploymentError
from caxton.limits import Limits

from .systems import (
    COUNTER,
    ROGUE,
    answers,
    ask,
    count,
    events,
    guest,
    home,
    instances,
    kill_cell,
    letters,
    link_of,
    reached,
)


async def test_a_drained_agent_handles_what_waits_and_takes_nothing_new(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        link = link_of(runtime)
        link.room = 0
        seqs = [runtime.bus.submit({"performative": "request", "receiver": "c"}).seq for _ in range(5)]
        stopping = asyncio.ensure_future(runtime.agents.stop("c"))
        await reached(runtime, lambda: runtime.agents.view("c").state == "draining")
        assert (await ask(runtime, "c"))["content"]["error"] == "agent_stopped"
        assert not stopping.done()
        link.room = 100
        runtime.bus.settle()
        view = await stopping
        assert (view.state, view.desired, view.cell, view.mailbox) == ("loaded", "stopped", None, 0)
        said = await answers(runtime)
        assert [said[seq][0]["content"] for seq in seqs] == [{"count": n} for n in range(1, 6)]
        assert await instances(runtime) == 0
        assert [one["what"] for one in await events(runtime, "agent")] == ["deployed", "draining", "stopped"]


async def test_without_draining_what_waits_becomes_dead_letters(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        link_of(runtime).room = 2
        seqs = [runtime.bus.submit({"performative": "request", "receiver": "c"}).seq for _ in range(5)]
        await runtime.agents.stop("c", drain=False)
        assert await letters(runtime) == [(seq, "c@local", "agent_stopped") for seq in seqs[2:]]
        said = await answers(runtime)
        assert [said[seq][0]["performative"] for seq in seqs] == ["inform"] * 2 + ["failure"] * 3


async def test_a_stopped_agent_starts_where_it_was(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        await count(runtime, add=4)
        await runtime.agents.stop("c")
        await runtime.agents.stop("c")
        assert (await ask(runtime, "c"))["content"]["error"] == "agent_stopped"
        view = await runtime.agents.start("c@local")
        assert (view.state, view.desired, view.cell) == ("running", "running", 1)
        assert await count(runtime) == 5
        assert (await runtime.agents.start("c")).state == "running", "twice is no error"
        assert (await runtime.agents.restart("c")).state == "running"
        assert await count(runtime) == 6
        assert await instances(runtime) == 1


async def test_an_agent_that_does_not_keep_its_state_starts_fresh(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER, recover="fresh"))
        await count(runtime, add=4)
        await runtime.agents.restart("c")
        assert await count(runtime) == 1


async def test_a_removed_agent_is_gone_and_a_new_one_of_its_name_is_new(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER, settings={"a": 1}))
        number = runtime.agents.registry.find("c").number
        await count(runtime, add=4)
        link_of(runtime).room = 0
        seq = runtime.bus.submit({"performative": "request", "receiver": "c"}).seq
        await runtime.agents.remove("c")
        assert [one for one in await letters(runtime) if one[0] == seq] == [(seq, "c@local", "agent_stopped")]
        link_of(runtime).room = 100
        with pytest.raises(AgentNotFound):
            runtime.agents.view("c")
        with pytest.raises(AgentNotFound):
            await runtime.agents.remove("c")
        assert (await ask(runtime, "c"))["content"]["error"] == "unknown_agent"
        assert await instances(runtime) == 0
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        assert runtime.agents.view("c").settings == {}
        assert runtime.agents.registry.find("c").number == number, "old turns keep their agent"
        assert await count(runtime) == 1


async def test_a_stopped_agent_can_be_removed(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        await runtime.agents.stop("c")
        await runtime.agents.remove("c")
        assert runtime.agents.views() == []
    async with home(tmp_path) as runtime:
        assert runtime.agents.views() == []


@pytest.mark.parametrize("step", ["start", "stop", "restart", "remove"])
async def test_nobody_of_that_name(tmp_path: Path, step: str) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        with pytest.raises(AgentNotFound, match="'d'") as caught:
            await getattr(runtime.agents, step)("d")
        assert caught.value.hint == "agents here: c"


async def test_what_a_dying_cell_gives_back_while_its_agent_is_stopped_is_not_forgotten(
    tmp_path: Path,
) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("r", ROGUE, limits=Limits(wall_ms=60_000, fuel=10**12)))
        seqs = [
            runtime.bus.submit({"performative": "request", "receiver": "r", "content": content}).seq
            for content in ({"spin": True}, 1, 2)
        ]
        stopping = asyncio.ensure_future(runtime.agents.stop("r", drain=False))
        await asyncio.sleep(0)
        kill_cell(runtime)
        view = await stopping
        assert (view.state, view.mailbox) == ("loaded", 0)
        assert await letters(runtime) == [(seq, "r@local", "agent_stopped") for seq in seqs]
        await runtime.cells.ready()


async def test_an_agent_that_cannot_be_started_says_that_it_is_stopped(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(
            DeploymentRequest("c", guest(restore="(return (i32.const -2))"), wat=True)
        )
        await count(runtime)
        await runtime.agents.stop("c")
        with pytest.raises(DeploymentError):
            await runtime.agents.start("c")
        assert runtime.agents.view("c").state == "loaded"
        assert (await ask(runtime, "c"))["content"]["error"] == "agent_stopped"
