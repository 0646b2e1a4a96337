"""Stopping, starting, removing: what waits is handled or told off, never forgotten."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from caxton.deploy import DeploymentRequest
from caxton.errors import AgentNotFound, DeploymentError
from caxton.limits import Limits

from .homes import (
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
    async with home(tmp_path) as house:
        await house.engine.deploy(DeploymentRequest("c", COUNTER))
        link = link_of(house)
        link.room = 0
        seqs = [house.bus.submit({"performative": "request", "receiver": "c"}).seq for _ in range(5)]
        stopping = asyncio.ensure_future(house.agents.stop("c"))
        await reached(house, lambda: house.agents.view("c").state == "draining")
        assert (await ask(house, "c"))["content"]["error"] == "agent_stopped"
        assert not stopping.done()
        link.room = 100
        house.bus.settle()
        view = await stopping
        assert (view.state, view.desired, view.cell, view.mailbox) == ("loaded", "stopped", None, 0)
        said = await answers(house)
        assert [said[seq][0]["content"] for seq in seqs] == [{"count": n} for n in range(1, 6)]
        assert await instances(house) == 0
        assert [one["what"] for one in await events(house, "agent")] == ["deployed", "draining", "stopped"]


async def test_without_draining_what_waits_becomes_dead_letters(tmp_path: Path) -> None:
    async with home(tmp_path) as house:
        await house.engine.deploy(DeploymentRequest("c", COUNTER))
        link_of(house).room = 2
        seqs = [house.bus.submit({"performative": "request", "receiver": "c"}).seq for _ in range(5)]
        await house.agents.stop("c", drain=False)
        assert await letters(house) == [(seq, "c@local", "agent_stopped") for seq in seqs[2:]]
        said = await answers(house)
        assert [said[seq][0]["performative"] for seq in seqs] == ["inform"] * 2 + ["failure"] * 3


async def test_a_stopped_agent_starts_where_it_was(tmp_path: Path) -> None:
    async with home(tmp_path) as house:
        await house.engine.deploy(DeploymentRequest("c", COUNTER))
        await count(house, add=4)
        await house.agents.stop("c")
        await house.agents.stop("c")
        assert (await ask(house, "c"))["content"]["error"] == "agent_stopped"
        view = await house.agents.start("c@local")
        assert (view.state, view.desired, view.cell) == ("running", "running", 1)
        assert await count(house) == 5
        assert (await house.agents.start("c")).state == "running", "twice is no error"
        assert (await house.agents.restart("c")).state == "running"
        assert await count(house) == 6
        assert await instances(house) == 1


async def test_an_agent_that_does_not_keep_its_state_starts_fresh(tmp_path: Path) -> None:
    async with home(tmp_path) as house:
        await house.engine.deploy(DeploymentRequest("c", COUNTER, recover="fresh"))
        await count(house, add=4)
        await house.agents.restart("c")
        assert await count(house) == 1


async def test_a_removed_agent_is_gone_and_a_new_one_of_its_name_is_new(tmp_path: Path) -> None:
    async with home(tmp_path) as house:
        await house.engine.deploy(DeploymentRequest("c", COUNTER, settings={"a": 1}))
        number = house.agents.registry.find("c").number
        await count(house, add=4)
        link_of(house).room = 0
        seq = house.bus.submit({"performative": "request", "receiver": "c"}).seq
        await house.agents.remove("c")
        assert [one for one in await letters(house) if one[0] == seq] == [(seq, "c@local", "agent_stopped")]
        link_of(house).room = 100
        with pytest.raises(AgentNotFound):
            house.agents.view("c")
        with pytest.raises(AgentNotFound):
            await house.agents.remove("c")
        assert (await ask(house, "c"))["content"]["error"] == "unknown_agent"
        assert await instances(house) == 0
        await house.engine.deploy(DeploymentRequest("c", COUNTER))
        assert house.agents.view("c").settings == {}
        assert house.agents.registry.find("c").number == number, "old turns keep their agent"
        assert await count(house) == 1


async def test_a_stopped_agent_can_be_removed(tmp_path: Path) -> None:
    async with home(tmp_path) as house:
        await house.engine.deploy(DeploymentRequest("c", COUNTER))
        await house.agents.stop("c")
        await house.agents.remove("c")
        assert house.agents.views() == []
    async with home(tmp_path) as house:
        assert house.agents.views() == []


@pytest.mark.parametrize("step", ["start", "stop", "restart", "remove"])
async def test_nobody_of_that_name(tmp_path: Path, step: str) -> None:
    async with home(tmp_path) as house:
        await house.engine.deploy(DeploymentRequest("c", COUNTER))
        with pytest.raises(AgentNotFound, match="'d'") as caught:
            await getattr(house.agents, step)("d")
        assert caught.value.hint == "agents here: c"


async def test_what_a_dying_cell_gives_back_while_its_agent_is_stopped_is_not_forgotten(
    tmp_path: Path,
) -> None:
    async with home(tmp_path) as house:
        await house.engine.deploy(DeploymentRequest("r", ROGUE, limits=Limits(wall_ms=60_000, fuel=10**12)))
        seqs = [
            house.bus.submit({"performative": "request", "receiver": "r", "content": content}).seq
            for content in ({"spin": True}, 1, 2)
        ]
        stopping = asyncio.ensure_future(house.agents.stop("r", drain=False))
        await asyncio.sleep(0)
        kill_cell(house)
        view = await stopping
        assert (view.state, view.mailbox) == ("loaded", 0)
        assert await letters(house) == [(seq, "r@local", "agent_stopped") for seq in seqs]
        await house.cells.ready()


async def test_an_agent_that_cannot_be_started_says_that_it_is_stopped(tmp_path: Path) -> None:
    async with home(tmp_path) as house:
        await house.engine.deploy(DeploymentRequest("c", guest(restore="(return (i32.const -2))"), wat=True))
        await count(house)
        await house.agents.stop("c")
        with pytest.raises(DeploymentError):
            await house.agents.start("c")
        assert house.agents.view("c").state == "loaded"
        assert (await ask(house, "c"))["content"]["error"] == "agent_stopped"
