"""Agents without hooks, whose past is told to the next revision while the old one works on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from agents.systems import (
    COUNTER,
    answers,
    ask,
    commit,
    count,
    home,
    instances,
    kill_cell,
    letters,
    reached,
    tally,
    tell,
)
from agents.test_recovery import TRAPS

from caxton.deploy import DeploymentRequest
from caxton.errors import DeploymentError
from caxton.limits import Limits

AMPLE = Limits(mailbox=100_000)
TRAPS_AT_THREE = "(if (i32.eq (i32.load8_u (i32.const 299)) (i32.const 50)) (then unreachable))"


@pytest.mark.parametrize("strategy", ["direct", "blue-green"])
async def test_the_past_is_told_to_the_new_revision(tmp_path: Path, strategy: str) -> None:
    async with home(tmp_path, "[deploy]\nprobation_turns = 1") as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        assert [await tell(runtime) for _ in range(3)] == [1, 2, 3]
        change = asyncio.ensure_future(
            runtime.engine.deploy(
                DeploymentRequest("c", tally(tag="two", step=2), wat=True, strategy=strategy)
            )
        )
        await reached(runtime, lambda: runtime.agents.registry.find("c").endpoint.revision_no == 2)
        # what it would have counted, had it been there from the beginning
        assert await tell(runtime) == 8
        made = await change
        assert (made.state, made.memory, made.memory_reason) == ("running", "rebuilt", "3 turns run again")
        kill_cell(runtime)
        await reached(runtime, lambda: runtime.agents.view("c").restarts == 1)
        assert await tell(runtime) == 10
        assert await instances(runtime) == 1


async def test_a_state_of_hooks_goes_back_to_where_it_began(tmp_path: Path) -> None:
    async with home(tmp_path, "[journal]\nsnapshot_every = 1") as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        assert await count(runtime) == 1
        await reached(runtime, lambda: runtime.agents.view("c").snapshot_seq is not None)
        moved = await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        assert (moved.memory, moved.memory_reason) == ("rebuilt", "1 turn run again")
        assert await tell(runtime) == 2
        again = await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        assert again.memory == "rebuilt"
        assert await count(runtime) == 3


async def test_it_goes_on_under_load_with_nothing_lost_and_a_short_pause(tmp_path: Path) -> None:
    async with home(tmp_path, within_s=None) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True, limits=AMPLE))
        told = []

        def say(many: int) -> None:
            for _ in range(many):
                told.append(runtime.bus.submit({"performative": "request", "receiver": "c"}))

        builds = [tally(tag=f"b{number}") for number in range(6)]
        for build in builds:
            await runtime.engine.deploy(DeploymentRequest("compiled", build, wat=True))
        say(500)
        for build in builds:
            change = asyncio.ensure_future(runtime.engine.deploy(DeploymentRequest("c", build, wat=True)))
            while not change.done():
                if len(told) < 10_000 and runtime.agents.registry.find("c").endpoint.depth < 40:
                    say(20)
                await asyncio.sleep(0)
            assert (await change).memory == "rebuilt"
        last = await tell(runtime)
        assert last == len(told) + 1
        said = await answers(runtime)
        assert [int(said[one.seq][0]["content"]) for one in told] == list(range(1, last))
        assert await letters(runtime) == []
        kill_cell(runtime)
        await reached(runtime, lambda: runtime.agents.view("c").restarts == 1)
        assert await tell(runtime) == last + 1


async def test_a_build_that_breaks_down_over_the_past_is_not_taken(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        first = await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        assert [await tell(runtime) for _ in range(4)] == [1, 2, 3, 4]
        broken = tally(tag="two", before=TRAPS_AT_THREE)
        with pytest.raises(DeploymentError, match="its past cannot be told to the new revision") as caught:
            await runtime.engine.deploy(DeploymentRequest("c", broken, wat=True))
        assert caught.value.hint is not None
        assert "--fresh-state" in caught.value.hint
        assert await tell(runtime) == 5
        assert runtime.agents.view("c").revision == first.revision
        assert await instances(runtime) == 1
        made = await runtime.engine.deploy(DeploymentRequest("c", broken, wat=True, fresh_state=True))
        assert (made.memory, await tell(runtime)) == ("fresh", 1)


async def test_turns_that_cost_the_instance_are_not_told(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        await tell(runtime)
        assert (await ask(runtime, "c", TRAPS))["performative"] == "failure"
        assert await tell(runtime) == 2
        assert (
            await runtime.engine.deploy(DeploymentRequest("c", tally(tag="two"), wat=True))
        ).memory == "rebuilt"
        assert await tell(runtime) == 3


async def test_what_cannot_be_told_begins_fresh_and_says_why(tmp_path: Path) -> None:
    async with home(tmp_path, "[journal]\nreplay_turns = 2") as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        for _ in range(3):
            await tell(runtime)
        made = await runtime.engine.deploy(DeploymentRequest("c", tally(tag="two"), wat=True))
        assert (made.memory, made.memory_reason) == ("fresh", "it has had more than 2 turns since")
        assert await tell(runtime) == 1
        await commit(runtime)
        kill_cell(runtime)
        await reached(runtime, lambda: runtime.agents.view("c").restarts == 1)
        assert await tell(runtime) == 2
