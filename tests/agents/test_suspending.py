"""A suspended agent takes no turn and loses nothing: its mail waits, also over restarts, deployments and breakdowns."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from caxton.deploy import DeploymentRequest
from caxton.errors import AgentNotFound, InvalidState, MailboxFull
from caxton.limits import Limits
from caxton.runtime import Runtime

from .systems import (
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


def send(runtime: Runtime, many: int = 1) -> list[int]:
    return [runtime.bus.submit({"performative": "request", "receiver": "c"}).seq for _ in range(many)]


async def counted(runtime: Runtime, seqs: list[int]) -> list[dict[str, Any]]:
    """What the counter said to each of these, once it has said it all."""
    await reached(runtime, lambda: runtime.agents.view("c").mailbox == 0)
    said = await answers(runtime)
    return [said[seq][0]["content"] for seq in seqs]


async def test_its_mail_waits_and_is_handled_in_order_when_it_goes_on(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        await count(runtime, add=4)
        view = await runtime.agents.suspend("c")
        assert (view.state, view.desired, view.cell) == ("suspended", "suspended", 1)
        seqs = send(runtime, 5)
        await commit(runtime)
        assert runtime.agents.view("c").mailbox == 5
        assert runtime.agents.view("c").turns == 1
        assert await letters(runtime) == []
        assert (await runtime.agents.suspend("c")).state == "suspended", "twice is no error"
        assert (await runtime.agents.resume("c@local")).state == "running"
        assert await counted(runtime, seqs) == [{"count": n} for n in range(5, 10)]
        assert (await runtime.agents.resume("c")).state == "running", "twice is no error"
        assert [one["what"] for one in await events(runtime, "agent")] == ["deployed", "suspended", "resumed"]


async def test_what_its_cell_has_is_finished_first(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        link_of(runtime).room = 2
        seqs = send(runtime, 5)
        view = await runtime.agents.suspend("c")
        assert (view.in_flight, view.mailbox, view.turns) == (0, 3, 2)
        link_of(runtime).room = 100
        runtime.bus.settle()
        await commit(runtime)
        assert runtime.agents.view("c").turns == 2, "no settling of the cell begins a turn"
        await runtime.agents.resume("c")
        assert await counted(runtime, seqs) == [{"count": n} for n in range(1, 6)]


async def test_the_mailbox_stays_bounded(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER, limits=Limits(mailbox=3)))
        await runtime.agents.suspend("c")
        seqs = send(runtime, 3)
        with pytest.raises(MailboxFull):
            send(runtime, 1)
        assert not await letters(runtime)
        await runtime.agents.resume("c")
        assert await counted(runtime, seqs[:3]) == [{"count": n} for n in (1, 2, 3)]


async def test_it_stays_suspended_over_a_restart_with_its_state_and_its_mail(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        await count(runtime, add=4)
        await runtime.agents.suspend("c")
        seqs = send(runtime, 3)
        await commit(runtime)
    async with home(tmp_path) as runtime:
        view = runtime.agents.view("c")
        assert (view.state, view.desired, view.mailbox) == ("suspended", "suspended", 3)
        seqs += send(runtime)
        await commit(runtime)
        assert runtime.agents.view("c").turns == 0
        await runtime.agents.resume("c")
        assert await counted(runtime, seqs) == [{"count": n} for n in (5, 6, 7, 8)]
    async with home(tmp_path) as runtime:
        assert runtime.agents.view("c").state == "running"


@pytest.mark.parametrize("strategy", ["direct", "blue-green"])
async def test_a_new_revision_goes_on_waiting(tmp_path: Path, strategy: str) -> None:
    async with home(tmp_path, "[deploy]\nprobation_s = 0.01\n") as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        await count(runtime, add=4)
        await runtime.agents.suspend("c")
        seqs = send(runtime, 2)
        done = await runtime.engine.deploy(DeploymentRequest("c", COUNTER_2, strategy=strategy))
        view = runtime.agents.view("c")
        assert (done.state, done.memory, view.state, view.desired) == (
            "running",
            "carried",
            "suspended",
            "suspended",
        )
        assert (view.mailbox, view.turns) == (2, 1)
        assert await instances(runtime) == 1
        await runtime.agents.resume("c")
        assert await counted(runtime, seqs) == [{"count": 5}, {"count": 6}]


async def test_it_comes_back_suspended_when_its_cell_died(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        await runtime.agents.suspend("c")
        seqs = send(runtime, 2)
        kill_cell(runtime)
        await reached(runtime, lambda: runtime.agents.view("c").restarts == 1)
        view = runtime.agents.view("c")
        assert (view.state, view.mailbox, view.turns) == ("suspended", 2, 0)
        await runtime.agents.resume("c")
        assert await counted(runtime, seqs) == [{"count": 1}, {"count": 2}]


async def test_stopping_it_at_once_removing_it_and_starting_it_again(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        await runtime.agents.suspend("c")
        (seq,) = send(runtime)
        with pytest.raises(InvalidState, match="suspended") as refused:
            await runtime.agents.stop("c")
        assert "caxton agent resume c" in str(refused.value.hint)
        with pytest.raises(InvalidState, match="suspended"):
            await runtime.agents.start("c")
        with pytest.raises(InvalidState, match="suspended"):
            await runtime.agents.restart("c")
        assert runtime.agents.view("c").mailbox == 1
        view = await runtime.agents.stop("c", drain=False)
        assert (view.state, view.desired) == ("loaded", "stopped")
        assert await letters(runtime) == [(seq, "c@local", "agent_stopped")]
        with pytest.raises(InvalidState, match="only an agent that runs"):
            await runtime.agents.suspend("c")
        with pytest.raises(InvalidState, match="not suspended"):
            await runtime.agents.resume("c")
        assert (await runtime.agents.start("c")).state == "running"
        assert await count(runtime) == 1
        await runtime.agents.suspend("c")
        await runtime.agents.remove("c")
        assert await instances(runtime) == 0
        with pytest.raises(AgentNotFound):
            await runtime.agents.resume("c")


async def test_only_one_thing_changes_an_agent_at_a_time(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        link_of(runtime).room = 0
        send(runtime)
        stopping = asyncio.ensure_future(runtime.agents.stop("c"))
        await reached(runtime, lambda: runtime.agents.view("c").state == "draining")
        with pytest.raises(InvalidState):
            await runtime.agents.suspend("c")
        link_of(runtime).room = 10
        runtime.bus.settle()
        await stopping
        assert runtime.agents.view("c").state == "loaded"
