"""Blue-green: the old revision stands by, and comes back with nothing lost where the new one fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from agents.systems import (
    COUNT_AT,
    COUNTER,
    COUNTER_2,
    ECHO,
    SAYS_LENGTH,
    answers,
    commit,
    count,
    events,
    guest,
    home,
    instances,
    kill_cell,
    letters,
    power_cut,
    reached,
)

from caxton.deploy import DeploymentOptions, DeploymentRequest, DeploymentView, Probation
from caxton.errors import DeploymentError, InvalidState
from caxton.limits import Limits
from caxton.runtime import Runtime

LONG = Probation(turns=100, warm_up_s=60)
"""Ended by what happens in it."""


def at(number: int, then: str) -> str:
    """A guest that does something else with the message after that many."""
    return f"(if (i32.eq (global.get $n) (i32.const {number})) (then {then}))"


SAY = f"(i32.store8 (i32.const 256) (i32.const 123)) (i32.store (i32.const 40) (i32.const {SAYS_LENGTH}))"
FAILURES = {
    "trap": ("(unreachable)", "unreachable"),
    "limit": ("(loop $on (br $on))", "fuel"),
    "broken": (f"{SAY} (return (i32.const 3))", "count"),
    # it writes {"count":x}, which is for the host to refuse
    "refused": (
        f"{SAY} (i32.store8 (i32.const {COUNT_AT}) (i32.const 120)) (return (i32.const 1))",
        "invalid",
    ),
}


def say(runtime: Runtime, many: int) -> list[int]:
    """So many requests; their numbers."""
    return [runtime.bus.submit({"performative": "request", "receiver": "c"}).seq for _ in range(many)]


async def counts(runtime: Runtime, asked: list[int]) -> list[int]:
    """What was answered to each of them, exactly once."""
    await runtime.bus.endpoints["c@local"].empty()
    said = await answers(runtime)
    assert [len(said.get(seq, [])) for seq in asked] == [1] * len(asked)
    return [said[seq][0]["content"]["count"] for seq in asked]


@asynccontextmanager
async def on_probation(
    runtime: Runtime, wasm: bytes, probation: Probation = LONG, **more: Any
) -> AsyncGenerator[asyncio.Future[DeploymentView]]:
    """A blue-green deployment whose new revision has just taken over."""
    change = asyncio.ensure_future(
        runtime.engine.deploy(
            DeploymentRequest(
                "c", wasm, strategy="blue-green", options=DeploymentOptions(probation=probation), **more
            )
        )
    )
    endpoint = runtime.bus.endpoints["c@local"]
    await reached(runtime, lambda: endpoint.trial is not None or change.done())
    if change.done():
        change.result()
    yield change


async def test_a_good_revision_takes_over_and_the_old_one_is_shut_down(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        first = await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        asked = say(runtime, 3)
        async with on_probation(runtime, COUNTER_2, Probation(turns=4, warm_up_s=60)) as change:
            assert await instances(runtime) == 2, "the old one stands by"
            view = runtime.agents.view("c")
            assert view.revision != first.revision, "the new one is at work"
            with pytest.raises(InvalidState):
                await runtime.agents.stop("c")
            asked += say(runtime, 40)
            made = await change
        assert (made.state, made.memory, made.memory_reason) == ("running", "carried", None)
        asked += say(runtime, 40)
        assert await counts(runtime, asked) == list(range(1, 84))
        assert await instances(runtime) == 1
        turns = await runtime.journal.reader.turns(agent="c@local", limit=1000)
        assert [turn.revision_no for turn in turns] == [1] * 3 + [2] * 80
        assert runtime.agents.view("c").revision == made.revision
        told = await events(runtime, "deployment")
        assert [one["state"] for one in told if one["id"] == made.id] == ["deploying", "running"]


@pytest.mark.parametrize("how", FAILURES)
async def test_a_turn_that_fails_in_probation_brings_the_old_one_back(tmp_path: Path, how: str) -> None:
    does, code = FAILURES[how]
    async with home(tmp_path) as runtime:
        first = await runtime.engine.deploy(DeploymentRequest("c", guest(), wat=True))
        asked = say(runtime, 2)
        async with on_probation(runtime, guest(tag="two", handle=at(5, does)), wat=True) as change:
            asked += say(runtime, 7)
            made = await change
        assert made.state == "rolled_back"
        assert made.reason is not None
        assert code in made.reason
        assert f"message {asked[5]}:" in made.reason
        # the old one knows of the three that the new one answered, and has the failed one and all after it
        assert await counts(runtime, asked) == list(range(1, 10))
        turns = await runtime.journal.reader.turns(agent="c@local", limit=1000)
        assert [turn.seq for turn in turns] == asked
        assert [turn.revision_no for turn in turns] == [1, 1, 2, 2, 2, 1, 1, 1, 1]
        assert {turn.status for turn in turns} == {0}
        assert await letters(runtime) == []
        view = runtime.agents.view("c")
        assert (view.state, view.revision, view.restarts) == ("running", first.revision, 0)
        assert await instances(runtime) == 1
        rows = await runtime.journal.reader.deployments()
        assert [(row.state, row.reason) for row in rows] == [("rolled_back", made.reason), ("running", None)]
        # the way is free for a better one
        moved = await runtime.engine.deploy(
            DeploymentRequest(
                "c",
                COUNTER,
                strategy="blue-green",
                fresh_state=True,
                options=DeploymentOptions(probation=SHORT),
            )
        )
        assert (moved.state, moved.memory) == ("running", "fresh")


SHORT = Probation(turns=1, warm_up_s=0.05)


async def test_what_a_guest_itself_refuses_is_no_failure_of_its_build(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", guest(), wat=True))
        wasm = guest(tag="two", handle=at(0, "(return (i32.const -1))"))
        async with on_probation(runtime, wasm, Probation(turns=2, warm_up_s=60), wat=True) as change:
            say(runtime, 2)
            assert (await change).state == "running"


async def test_a_revision_that_is_asked_nothing_has_passed_when_it_is_warm(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        made = await runtime.engine.deploy(
            DeploymentRequest(
                "c", COUNTER_2, strategy="blue-green", options=DeploymentOptions(probation=SHORT)
            )
        )
        assert made.state == "running"
        assert await count(runtime) == 1
        assert await instances(runtime) == 1


BAD = {
    "init traps": guest(tag="two", init="unreachable"),
    "init refuses": guest(tag="two", init="(return (i32.const -3))"),
    "restore traps": guest(tag="two", restore="unreachable"),
    "restore refuses": guest(tag="two", restore="(return (i32.const -2))"),
}


@pytest.mark.parametrize("bad", BAD)
async def test_what_does_not_come_up_is_found_out_before_the_old_one_pauses(tmp_path: Path, bad: str) -> None:
    async with home(tmp_path) as runtime:
        first = await runtime.engine.deploy(DeploymentRequest("c", guest(), wat=True))
        asked = say(runtime, 3)
        with pytest.raises(DeploymentError) as caught:
            await runtime.engine.deploy(DeploymentRequest("c", BAD[bad], wat=True, strategy="blue-green"))
        asked += say(runtime, 2)
        assert await counts(runtime, asked) == [1, 2, 3, 4, 5]
        row = (await runtime.journal.reader.deployments())[0]
        assert (row.state, row.reason) == ("failed", caught.value.message)
        assert json.loads(row.detail)["timings"]["pause_us"] == 0
        assert runtime.agents.view("c").revision == first.revision
        assert await instances(runtime) == 1


@pytest.mark.parametrize("strategy", ["direct", "blue-green"])
@pytest.mark.parametrize(("snapshot", "left"), [("(return (i32.const -1))", 2), ("unreachable", 2)])
async def test_an_old_revision_that_does_not_give_its_state_goes_on(
    tmp_path: Path, strategy: str, snapshot: str, left: int
) -> None:
    async with home(tmp_path) as runtime:
        first = await runtime.engine.deploy(DeploymentRequest("c", guest(snapshot=snapshot), wat=True))
        assert await count(runtime) == 1
        with pytest.raises(DeploymentError):
            await runtime.engine.deploy(DeploymentRequest("c", guest(tag="two"), wat=True, strategy=strategy))
        # one that trapped is started again, as after any trap
        assert await count(runtime) == left
        assert runtime.agents.view("c").revision == first.revision
        assert await instances(runtime) == 1
        made = await runtime.engine.deploy(
            DeploymentRequest(
                "c",
                guest(tag="two"),
                wat=True,
                strategy=strategy,
                fresh_state=True,
                options=DeploymentOptions(probation=SHORT),
            )
        )
        assert (made.state, made.memory, made.memory_reason) == (
            "running",
            "fresh",
            "a fresh state was asked for",
        )
        assert await count(runtime) == 1


async def test_every_deployment_says_what_became_of_the_state(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:

        async def deploy(wasm: bytes, **more: Any) -> tuple[str | None, str | None]:
            view = await runtime.engine.deploy(
                DeploymentRequest(
                    "c", wasm, strategy="blue-green", options=DeploymentOptions(probation=SHORT), **more
                )
            )
            return view.memory, view.memory_reason

        assert await deploy(COUNTER) == (None, None)
        assert await deploy(COUNTER_2) == ("carried", None)
        assert await deploy(ECHO) == ("rebuilt", "0 turns run again")
        assert await deploy(COUNTER) == ("rebuilt", "0 turns run again")
        assert await deploy(COUNTER_2, recover="fresh") == ("fresh", 'recover is "fresh"')
        await runtime.agents.stop("c")
        assert await deploy(COUNTER) == ("fresh", "there was nothing to remember")
        await runtime.agents.stop("c")
        assert await deploy(COUNTER_2) == ("carried", None)


SPIN = "(loop $on (br $on))"
SPINS_AT_3 = at(3, SPIN)
SPINS_THE_SECOND_TIME = (
    "(i32.store (i32.const 3000) (i32.add (i32.load (i32.const 3000)) (i32.const 1)))"
    f"(if (i32.eq (i32.load (i32.const 3000)) (i32.const 2)) (then {SPIN}))"
)


@pytest.mark.parametrize(
    ("strategy", "snapshot", "left"),
    [("direct", SPINS_AT_3, 4), ("blue-green", SPINS_THE_SECOND_TIME, 4)],
    ids=["direct", "blue-green"],
)
async def test_a_cell_that_dies_in_the_middle_of_the_swap(
    tmp_path: Path, strategy: str, snapshot: str, left: int
) -> None:
    ample = Limits(fuel=10**12, wall_ms=20_000)
    async with home(tmp_path) as runtime:
        first = await runtime.engine.deploy(
            DeploymentRequest("c", guest(snapshot=snapshot), wat=True, limits=ample)
        )
        assert await counts(runtime, say(runtime, 3)) == [1, 2, 3]
        change = asyncio.ensure_future(
            runtime.engine.deploy(DeploymentRequest("c", guest(tag="two"), wat=True, strategy=strategy))
        )
        record = runtime.agents.registry.find("c")
        await reached(runtime, lambda: record.changing.locked())
        asked = say(runtime, 4)
        kill_cell(runtime)
        with pytest.raises(DeploymentError, match="cell died"):
            await change
        # with all that it had done
        assert await counts(runtime, asked) == list(range(left, left + 4))
        view = runtime.agents.view("c")
        assert (view.state, view.revision) == ("running", first.revision)
        assert [row.state for row in await runtime.journal.reader.deployments()] == ["failed", "running"]
        assert await letters(runtime) == []


async def test_a_cell_that_dies_in_the_probation_comes_back_with_the_old_one(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        first = await runtime.engine.deploy(DeploymentRequest("c", guest(), wat=True))
        assert await counts(runtime, say(runtime, 2)) == [1, 2]
        async with on_probation(
            runtime,
            guest(tag="two", handle=at(2, "(loop $on (br $on))")),
            wat=True,
            limits=Limits(fuel=10**12, wall_ms=20_000),
        ) as change:
            asked = say(runtime, 3)
            kill_cell(runtime)
            made = await change
        assert (made.state, made.reason) == ("rolled_back", "its cell died")
        assert await counts(runtime, asked) == [3, 4, 5]
        view = runtime.agents.view("c")
        assert (view.state, view.revision, view.limits) == ("running", first.revision, Limits())
        assert await letters(runtime) == []


async def test_an_old_one_that_fails_when_it_is_taken_back_is_started_again(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", guest(handle=at(1, "(unreachable)")), wat=True))
        assert await counts(runtime, say(runtime, 1)) == [1]
        async with on_probation(runtime, guest(tag="two", handle=at(3, "(unreachable)")), wat=True) as change:
            asked = say(runtime, 3)
            assert (await change).state == "rolled_back"
        # the new one answered what the old one cannot: it comes back as it was in the rehearsal, and traps there
        await reached(runtime, lambda: runtime.agents.view("c").restarts == 2)
        said = await answers(runtime)
        assert [said[seq][0]["content"]["count"] for seq in asked[:2]] == [2, 3]
        assert await letters(runtime) == [(asked[2], "c@local", "unreachable")]


async def test_the_end_of_the_daemon_ends_the_probation_with_the_old_one(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        first = await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        assert await count(runtime) == 1
        async with on_probation(runtime, COUNTER_2) as change:
            assert await counts(runtime, say(runtime, 3)) == [2, 3, 4]
    made = await change
    assert (made.state, made.reason) == ("rolled_back", "the daemon stopped")
    async with home(tmp_path) as runtime:
        assert runtime.agents.view("c").revision == first.revision
        assert await count(runtime) == 5, "what the new one answered is not forgotten"


async def test_a_power_cut_in_the_probation_leaves_the_old_one(tmp_path: Path) -> None:
    here, there = tmp_path / "1", tmp_path / "2"
    here.mkdir()
    async with home(here) as runtime:
        first = await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        assert await count(runtime) == 1
        async with on_probation(runtime, COUNTER_2) as change:
            await power_cut(runtime, there)
            await commit(runtime)
        runtime.bus.submit({"performative": "request", "receiver": "c"})
    assert (await change).state == "rolled_back"
    async with home(there) as runtime:
        await commit(runtime)
        rows = await runtime.journal.reader.deployments()
        assert [(row.state, row.reason) for row in rows] == [
            ("rolled_back", "the daemon stopped"),
            ("running", None),
        ]
        assert runtime.agents.view("c").revision == first.revision
        assert await count(runtime) == 2, "from the state that the rehearsal took"


@pytest.mark.parametrize("strategy", ["direct", "blue-green"])
@pytest.mark.parametrize("fresh", [False, True])
async def test_an_agent_that_breaks_down_in_the_middle_is_repaired_once_and_loses_nothing(
    tmp_path: Path, strategy: str, fresh: bool
) -> None:
    async with home(tmp_path) as runtime:
        # compiled before, so that all of the change falls into that turn
        await runtime.engine.deploy(DeploymentRequest("other", guest(tag="two"), wat=True))
        ample = Limits(fuel=600_000_000, wall_ms=20_000)
        first = await runtime.engine.deploy(
            DeploymentRequest("c", guest(handle=at(1, SPIN)), wat=True, limits=ample, recover="snapshot")
        )
        # the second spins into its limit while the new revision is loaded; the third is in the cell behind it
        asked = say(runtime, 3)
        with pytest.raises(DeploymentError):
            await runtime.engine.deploy(
                DeploymentRequest(
                    "c",
                    guest(tag="two"),
                    wat=True,
                    strategy=strategy,
                    fresh_state=fresh,
                    options=DeploymentOptions(probation=SHORT),
                )
            )
        said = await answers(runtime)
        assert said[asked[0]][0]["content"]["count"] == 1
        assert said[asked[1]][0]["performative"] == "failure"
        await reached(runtime, lambda: runtime.agents.view("c").restarts == 1)
        assert (await counts(runtime, asked[2:])) == [1]
        assert await letters(runtime) == [(asked[1], "c@local", "fuel")]
        view = runtime.agents.view("c")
        assert (view.state, view.revision) == ("running", first.revision)
        assert await instances(runtime) == 2, "its own and the other's"
