"""Agents come back side by side: one whose turns take long holds up nobody, and is seen with how far it is."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from caxton.config import load
from caxton.deploy import DeploymentRequest
from caxton.errors import AgentNotFound
from caxton.limits import Limits
from caxton.runtime import Runtime, open_runtime

from .systems import (
    COUNTER,
    COUNTER_2,
    ask,
    count,
    events,
    guest,
    home,
    instances,
    kill_cell,
    letters,
    reached,
)

LONG = (
    "(local $i i32) (loop $l (local.set $i (i32.add (local.get $i) (i32.const 1)))"
    " (br_if $l (i32.lt_u (local.get $i) (i32.const 100000000))))"
)
"""A turn of some tenths of a second, where others use the machine too."""
TURNS = 6
LIMITS = Limits(fuel=10**12, wall_ms=60_000)
NEVER = "[journal]\nsnapshot_every = 0"


async def begun(folder: Path, later: int = 0) -> None:
    """A thinker with some turns behind it, and a counter, which has some more later; neither keeps its state."""
    async with home(folder, NEVER) as runtime:
        await runtime.engine.deploy(
            DeploymentRequest(
                "thinker", guest(handle=LONG, snapshot="(return (i32.const -1))"), wat=True, limits=LIMITS
            )
        )
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        for number in range(1, TURNS + 1):
            assert await count(runtime, "thinker") == number
            assert await count(runtime) == number
        await asyncio.gather(*(count(runtime) for _ in range(later)))


async def states(runtime: Runtime) -> dict[str, str]:
    return {view.name: view.state for view in runtime.agents.views()}


async def test_who_is_ready_answers_while_a_slow_one_recovers(tmp_path: Path) -> None:
    await begun(tmp_path)
    async with asyncio.timeout(60), open_runtime(load(tmp_path, {}), wait=False) as runtime:
        waiting = asyncio.create_task(ask(runtime, "thinker"))
        assert await count(runtime) == TURNS + 1
        view = runtime.agents.view("thinker")
        assert (view.state, view.mailbox, waiting.done()) == ("recovering", 1, False)
        assert view.recovery is not None
        assert (await waiting)["content"] == {"count": TURNS + 1}, "what was sent to it waited"
        view = runtime.agents.view("thinker")
        assert (view.state, view.recovery) == ("running", None)
        assert await letters(runtime) == []


async def test_how_far_it_is_is_seen_by_its_own_turns_however_many_others_had_since(tmp_path: Path) -> None:
    await begun(tmp_path, later=200)
    seen: list[tuple[int, int]] = []
    async with asyncio.timeout(60), open_runtime(load(tmp_path, {}), wait=False) as runtime:
        record = runtime.agents.registry.find("thinker")
        while not runtime.returning.done():
            if record.recovery is not None:
                seen.append((record.recovery.turns, record.recovery.percent))
            await asyncio.wait([runtime.returning], timeout=0.02)
    turns = [one for one, _ in dict.fromkeys(seen)]
    assert turns == sorted(turns)
    assert len(turns) > 2, "it is told more than once"
    assert all(percent in (0, turns * 100 // TURNS, 99) for turns, percent in seen), seen
    assert max(percent for _, percent in seen) >= 80, seen


async def test_after_a_cells_death_too(tmp_path: Path) -> None:
    await begun(tmp_path)
    async with home(tmp_path, NEVER) as runtime:
        kill_cell(runtime)
        await reached(runtime, lambda: runtime.agents.view("c").restarts == 1)
        assert await count(runtime) == TURNS + 1
        assert runtime.agents.view("thinker").state == "recovering"
        assert await count(runtime, "thinker") == TURNS + 1
        told = [one["agent"] for one in await events(runtime, "agent") if one["what"] == "restarted"]
        assert told[-2:] == ["c@local", "thinker@local"]


@pytest.mark.parametrize("how", ["stop", "remove"])
async def test_nobody_has_to_wait_for_it_to_be_rid_of_it(tmp_path: Path, how: str) -> None:
    await begun(tmp_path)
    async with asyncio.timeout(60), open_runtime(load(tmp_path, {}), wait=False) as runtime:
        waiting = asyncio.create_task(ask(runtime, "thinker"))
        assert await count(runtime) == TURNS + 1
        if how == "stop":
            view = await runtime.agents.stop("thinker")
            assert (view.state, view.desired, view.recovery) == ("loaded", "stopped", None)
        else:
            await runtime.agents.remove("thinker")
            with pytest.raises(AgentNotFound):
                runtime.agents.view("thinker")
        assert (await waiting)["content"]["error"] == f"agent_{'stopped' if how == 'stop' else 'removed'}"
        await runtime.returning
        assert await count(runtime) == TURNS + 2
        if how == "stop":
            assert (await runtime.agents.start("thinker")).state == "running"
            assert await count(runtime, "thinker") == TURNS + 1
        else:
            assert await instances(runtime) == 1, "what was made of it is gone"


async def test_a_build_waits_until_it_is_back(tmp_path: Path) -> None:
    await begun(tmp_path)
    async with asyncio.timeout(60), open_runtime(load(tmp_path, {}), wait=False) as runtime:
        deployed = asyncio.create_task(
            runtime.engine.deploy(
                DeploymentRequest("thinker", guest(tag="two"), wat=True, limits=LIMITS, fresh_state=True)
            )
        )
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER_2))
        assert await count(runtime) == TURNS + 1
        assert not deployed.done()
        assert (await deployed).state == "running"
        assert await count(runtime, "thinker") == 1


async def test_agents_that_start_side_by_side_spread_over_the_cells(tmp_path: Path) -> None:
    names = [f"c-{number}" for number in range(6)]
    async with home(tmp_path, cells=3) as runtime:
        for name in names:
            await runtime.engine.deploy(DeploymentRequest(name, COUNTER))
            await runtime.agents.stop(name)
        await asyncio.gather(*(runtime.agents.start(name) for name in names))
        cells = Counter(record.cell.no for record in runtime.agents.registry.agents.values() if record.cell)
        assert cells == {1: 2, 2: 2, 3: 2}
