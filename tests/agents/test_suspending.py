"""A suspended agent takes no turn and loses nothing: its mail waits, also over restarts, deployments and breakdowns."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from caxton.deploy import DeploymentRequest
from caxton.errors import AgentNotFound, InvalidState
from caxton.house import House
from caxton.limits import Limits

from .homes import (
    COUNTER,
    COUNTER_2,
    answers,
    commit,
    count,
    events,
    home,
    instances,
    kill_cell,
    letters,
    link_of,
    reached,
)


def send(house: House, many: int = 1) -> list[int]:
    return [house.bus.submit({"performative": "request", "receiver": "c"}).seq for _ in range(many)]


async def counted(house: House, seqs: list[int]) -> list[dict[str, Any]]:
    """What the counter said to each of these, once it has said it all."""
    await reached(house, lambda: house.agents.view("c").mailbox == 0)
    said = await answers(house)
    return [said[seq][0]["content"] for seq in seqs]


async def test_its_mail_waits_and_is_handled_in_order_when_it_goes_on(tmp_path: Path) -> None:
    async with home(tmp_path) as house:
        await house.engine.deploy(DeploymentRequest("c", COUNTER))
        await count(house, add=4)
        view = await house.agents.suspend("c")
        assert (view.state, view.desired, view.cell) == ("suspended", "suspended", 1)
        seqs = send(house, 5)
        await commit(house)
        assert house.agents.view("c").mailbox == 5
        assert house.agents.view("c").turns == 1
        assert await letters(house) == []
        assert (await house.agents.suspend("c")).state == "suspended", "twice is no error"
        assert (await house.agents.resume("c@local")).state == "running"
        assert await counted(house, seqs) == [{"count": n} for n in range(5, 10)]
        assert (await house.agents.resume("c")).state == "running", "twice is no error"
        assert [one["what"] for one in await events(house, "agent")] == ["deployed", "suspended", "resumed"]


async def test_what_its_cell_has_is_finished_first(tmp_path: Path) -> None:
    async with home(tmp_path) as house:
        await house.engine.deploy(DeploymentRequest("c", COUNTER))
        link_of(house).room = 2
        seqs = send(house, 5)
        view = await house.agents.suspend("c")
        assert (view.in_flight, view.mailbox, view.turns) == (0, 3, 2)
        link_of(house).room = 100
        house.bus.settle()
        await commit(house)
        assert house.agents.view("c").turns == 2, "no settling of the cell begins a turn"
        await house.agents.resume("c")
        assert await counted(house, seqs) == [{"count": n} for n in range(1, 6)]


async def test_the_mailbox_stays_bounded(tmp_path: Path) -> None:
    async with home(tmp_path) as house:
        await house.engine.deploy(DeploymentRequest("c", COUNTER, limits=Limits(mailbox=3)))
        await house.agents.suspend("c")
        seqs = send(house, 5)
        assert await letters(house) == [(seq, "c@local", "mailbox_full") for seq in seqs[3:]]
        await house.agents.resume("c")
        assert await counted(house, seqs[:3]) == [{"count": n} for n in (1, 2, 3)]


async def test_it_stays_suspended_over_a_restart_with_its_state_and_its_mail(tmp_path: Path) -> None:
    async with home(tmp_path) as house:
        await house.engine.deploy(DeploymentRequest("c", COUNTER))
        await count(house, add=4)
        await house.agents.suspend("c")
        seqs = send(house, 3)
        await commit(house)
    async with home(tmp_path) as house:
        view = house.agents.view("c")
        assert (view.state, view.desired, view.mailbox) == ("suspended", "suspended", 3)
        seqs += send(house)
        await commit(house)
        assert house.agents.view("c").turns == 0
        await house.agents.resume("c")
        assert await counted(house, seqs) == [{"count": n} for n in (5, 6, 7, 8)]
    async with home(tmp_path) as house:
        assert house.agents.view("c").state == "running"


@pytest.mark.parametrize("strategy", ["direct", "blue-green"])
async def test_a_new_revision_goes_on_waiting(tmp_path: Path, strategy: str) -> None:
    async with home(tmp_path, "[deploy]\nprobation_s = 0.01\n") as house:
        await house.engine.deploy(DeploymentRequest("c", COUNTER))
        await count(house, add=4)
        await house.agents.suspend("c")
        seqs = send(house, 2)
        done = await house.engine.deploy(DeploymentRequest("c", COUNTER_2, strategy=strategy))
        view = house.agents.view("c")
        assert (done.state, done.memory, view.state, view.desired) == (
            "running",
            "carried",
            "suspended",
            "suspended",
        )
        assert (view.mailbox, view.turns) == (2, 1)
        assert await instances(house) == 1
        await house.agents.resume("c")
        assert await counted(house, seqs) == [{"count": 5}, {"count": 6}]


async def test_it_comes_back_suspended_when_its_cell_died(tmp_path: Path) -> None:
    async with home(tmp_path) as house:
        await house.engine.deploy(DeploymentRequest("c", COUNTER))
        await house.agents.suspend("c")
        seqs = send(house, 2)
        kill_cell(house)
        await reached(house, lambda: house.agents.view("c").restarts == 1)
        view = house.agents.view("c")
        assert (view.state, view.mailbox, view.turns) == ("suspended", 2, 0)
        await house.agents.resume("c")
        assert await counted(house, seqs) == [{"count": 1}, {"count": 2}]


async def test_stopping_it_at_once_removing_it_and_starting_it_again(tmp_path: Path) -> None:
    async with home(tmp_path) as house:
        await house.engine.deploy(DeploymentRequest("c", COUNTER))
        await house.agents.suspend("c")
        (seq,) = send(house)
        with pytest.raises(InvalidState, match="suspended") as refused:
            await house.agents.stop("c")
        assert "caxton agent resume c" in str(refused.value.hint)
        with pytest.raises(InvalidState, match="suspended"):
            await house.agents.start("c")
        with pytest.raises(InvalidState, match="suspended"):
            await house.agents.restart("c")
        assert house.agents.view("c").mailbox == 1
        view = await house.agents.stop("c", drain=False)
        assert (view.state, view.desired) == ("loaded", "stopped")
        assert await letters(house) == [(seq, "c@local", "agent_stopped")]
        with pytest.raises(InvalidState, match="only an agent that runs"):
            await house.agents.suspend("c")
        with pytest.raises(InvalidState, match="not suspended"):
            await house.agents.resume("c")
        assert (await house.agents.start("c")).state == "running"
        assert await count(house) == 1
        await house.agents.suspend("c")
        await house.agents.remove("c")
        assert await instances(house) == 0
        with pytest.raises(AgentNotFound):
            await house.agents.resume("c")


async def test_only_one_thing_changes_an_agent_at_a_time(tmp_path: Path) -> None:
    async with home(tmp_path) as house:
        await house.engine.deploy(DeploymentRequest("c", COUNTER))
        link_of(house).room = 0
        send(house)
        stopping = asyncio.ensure_future(house.agents.stop("c"))
        await reached(house, lambda: house.agents.view("c").state == "draining")
        with pytest.raises(InvalidState):
            await house.agents.suspend("c")
        link_of(house).room = 10
        house.bus.settle()
        await stopping
        assert house.agents.view("c").state == "loaded"
