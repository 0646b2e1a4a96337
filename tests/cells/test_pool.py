"""Cells die and are replaced; what they had is delivered again, and answered once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest
from agents.systems import (
    COUNTER,
    ECHO,
    RELAY,
    ROGUE,
    answers,
    ask,
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

from caxton.bus.endpoint import FIRST_WINDOW
from caxton.cells import CellLost, CellState
from caxton.deploy import DeploymentRequest
from caxton.limits import Limits
from caxton.sandbox.frames import Kind

LONG = Limits(wall_ms=60_000, fuel=10**12)
"""A turn of this agent ends when somebody ends it."""


async def test_a_killed_cell_is_replaced_and_its_agents_go_on_from_their_state(tmp_path: Path) -> None:
    async with home(tmp_path, "[journal]\nsnapshot_every = 1") as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        await runtime.engine.deploy(DeploymentRequest("e", ECHO))
        assert await count(runtime) == 1
        await reached(runtime, lambda: runtime.agents.view("c").snapshot_seq is not None)
        pid = kill_cell(runtime)
        assert await count(runtime) == 2
        assert (await ask(runtime, "e", "still"))["content"] == "still"
        (view,) = runtime.cells.views()
        assert view.pid not in (None, pid)
        assert (view.state, view.restarts, view.agents) == (CellState.READY, 1, 2)
        told = await events(runtime, "cell")
        assert [one["state"] for one in told] == ["ready", "died", "ready"]
        assert (told[1]["pid"], told[1]["exit_code"], told[1]["agents"]) == (pid, -9, 2)
        assert {one.restarts for one in runtime.agents.views()} == {1}


async def test_what_a_dead_cell_had_is_answered_exactly_once(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("busy", ROGUE, limits=LONG))
        await runtime.engine.deploy(DeploymentRequest("e", ECHO))
        spin = runtime.bus.submit(
            {"performative": "request", "receiver": "busy", "content": {"spin": True}}
        ).seq
        seqs = [
            runtime.bus.submit({"performative": "request", "receiver": name, "content": n}).seq
            for n in range(50)
            for name in ("busy", "e")
        ]
        # e answers beside the one that spins
        assert (await ask(runtime, "e", "there"))["content"] == "there"
        for _ in range(2):
            restarts = runtime.cells.views()[0].restarts
            kill_cell(runtime)
            await reached(runtime, lambda before=restarts: runtime.cells.views()[0].restarts > before)
            await runtime.cells.ready()
            assert (await ask(runtime, "e", "there"))["content"] == "there"
        # the message that two cells died of is given up, and the ones behind it are handled
        assert (await ask(runtime, "busy", "last"))["content"] == "last"
        said = await answers(runtime)
        assert [len(said[seq]) for seq in seqs] == [1] * 100
        assert all(said[seq][0]["performative"] == "inform" for seq in seqs)
        assert await letters(runtime) == [(spin, "busy@local", "poison")]
        assert [one["content"]["error"] for one in said[spin]] == ["poison"]
        turns = await runtime.journal.reader.turns(limit=1000)
        assert len(turns) == len({(turn.seq, turn.agent_no) for turn in turns})
        again = [turn for turn in turns if turn.agent == "busy@local" and turn.seq in seqs]
        assert {turn.status for turn in again[: FIRST_WINDOW - 1]} == {256}, (
            "what was delivered again says so"
        )
        assert runtime.bus.counts.redelivered >= FIRST_WINDOW


async def test_a_message_may_cost_as_many_cells_as_the_agent_allows(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        limits = msgspec.structs.replace(LONG, poison_after=3)
        await runtime.engine.deploy(DeploymentRequest("busy", ROGUE, limits=limits))
        await runtime.engine.deploy(DeploymentRequest("e", ECHO))
        runtime.bus.submit({"performative": "request", "receiver": "busy", "content": {"spin": True}})
        for number in (1, 2, 3):
            # who is answered behind it knows that its turn has begun
            assert (await ask(runtime, "e", "there"))["content"] == "there"
            assert runtime.agents.view("busy").in_flight == 1
            assert await letters(runtime) == []
            kill_cell(runtime)
            await reached(runtime, lambda number=number: runtime.agents.view("e").restarts == number)
        assert (await ask(runtime, "busy", 1))["content"] == 1
        assert [code for _, _, code in await letters(runtime)] == ["poison"]


async def test_a_neighbour_is_not_blamed_for_the_cell(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("busy", ROGUE, limits=LONG))
        await runtime.engine.deploy(DeploymentRequest("e", ECHO))
        spin: dict[str, object] = {"performative": "request", "receiver": "busy", "content": {"spin": True}}
        seqs = [runtime.bus.submit(spin).seq]
        for number in range(1, 3):
            assert (await ask(runtime, "e", "there"))["content"] == "there"
            # these are in the cell's hands, and in no turn, each time that it dies
            seqs += [runtime.bus.submit({**spin, "content": n}).seq for n in range(5)]
            kill_cell(runtime)
            await reached(runtime, lambda number=number: runtime.agents.view("e").restarts == number)
        assert (await ask(runtime, "busy", 1))["content"] == 1
        assert await letters(runtime) == [(seqs[0], "busy@local", "poison")]
        said = await answers(runtime)
        assert [len(said[seq]) for seq in seqs] == [1] * 11


async def test_agents_are_spread_and_speak_across_cells(tmp_path: Path) -> None:
    async with home(tmp_path, cells=2) as runtime:
        for name in ("a", "b", "c", "d"):
            await runtime.engine.deploy(DeploymentRequest(name, RELAY, limits=Limits(hops=50)))
        assert sorted(view.cell or 0 for view in runtime.agents.views()) == [1, 1, 2, 2]
        assert [view.agents for view in runtime.cells.views()] == [2, 2]
        by_cell = {view.cell: view.name for view in runtime.agents.views()}
        # the answer goes to the other cell's relay, and back, and so on
        runtime.bus.submit(
            {
                "performative": "request",
                "receiver": by_cell[1],
                "reply_to": by_cell[2],
                "content": {"n": 0},
                "conversation_id": "game",
            }
        )
        await reached(runtime, lambda: runtime.bus.counts.dead_letters > 0)
        await commit(runtime)
        rows = await runtime.journal.reader.turns(conversation="game", limit=1000)
        played = [turn.agent for turn in rows if turn.agent in {f"{name}@local" for name in by_cell.values()}]
        assert played[:4] == [f"{by_cell[1]}@local", f"{by_cell[2]}@local"] * 2
        assert len(played) == 51
        talk = await runtime.journal.reader.conversation("game")
        assert talk is not None
        assert {f"{name}@local" for name in by_cell.values()} <= set(talk.participants)


async def test_one_cell_dies_and_the_other_goes_on(tmp_path: Path) -> None:
    async with home(tmp_path, cells=2) as runtime:
        await runtime.engine.deploy(DeploymentRequest("a", COUNTER))
        await runtime.engine.deploy(DeploymentRequest("b", COUNTER))
        first = runtime.agents.view("a").cell
        assert first is not None
        kill_cell(runtime, first)
        assert await count(runtime, "b") == 1
        assert await count(runtime, "a") == 1
        assert [(view.name, view.restarts) for view in runtime.agents.views()] == [("a", 1), ("b", 0)]
        assert runtime.agents.view("a").cell == first


async def test_an_agent_that_stops_makes_room_in_its_cell(tmp_path: Path) -> None:
    async with home(tmp_path, cells=2) as runtime:
        for name in ("a", "b", "c"):
            await runtime.engine.deploy(DeploymentRequest(name, ECHO))
        full = runtime.agents.view("a").cell
        await runtime.agents.stop("a")
        await runtime.agents.stop("c")
        await runtime.engine.deploy(DeploymentRequest("d", ECHO))
        assert runtime.agents.view("d").cell == full
        assert [await instances(runtime, no) for no in (1, 2)] == [1, 1]


async def test_who_asks_a_cell_that_dies_is_told(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("busy", ROGUE, limits=LONG))
        runtime.bus.submit({"performative": "request", "receiver": "busy", "content": {"spin": True}})
        link = link_of(runtime)
        asked = asyncio.ensure_future(
            link.request(Kind.SNAPSHOT, runtime.agents.registry.find("busy").endpoint.slot)
        )
        await asyncio.sleep(0)
        kill_cell(runtime)
        with pytest.raises(CellLost):
            await asked
        with pytest.raises(CellLost):
            await link.request(Kind.METERS, 0)
        await reached(runtime, lambda: runtime.agents.view("busy").restarts == 1)
        for _ in range(2):
            restarts = runtime.agents.view("busy").restarts
            kill_cell(runtime)
            await reached(runtime, lambda before=restarts: runtime.agents.view("busy").restarts > before)


async def test_a_cell_that_dies_again_and_again_is_started_each_time(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        for number in range(1, 5):
            kill_cell(runtime)
            await reached(runtime, lambda number=number: runtime.agents.view("c").restarts == number)
        assert await count(runtime) == 1
        assert runtime.cells.views()[0].restarts == 4


async def test_a_cell_says_which_way_it_calls_guests_and_what_it_uses(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        (view,) = runtime.cells.views()
        assert view.calls in ("fast", "public")
        assert view.calls_reason
        assert view.state is CellState.READY
    (view,) = runtime.cells.views()
    assert (view.state, view.pid) == (CellState.STOPPED, None)


async def test_agents_come_back_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        # more than would come in that order by chance, and another order than that of their names
        names = [f"c{n * 7 % 24:02}" for n in range(24)]
        for name in names:
            await runtime.engine.deploy(DeploymentRequest(name, COUNTER))
        kill_cell(runtime)
        await reached(runtime, lambda: all(view.restarts for view in runtime.agents.views()))
        told = await events(runtime, "agent")
        assert [one["agent"] for one in told if one["what"] == "restarted"] == [
            f"{one}@local" for one in names
        ]
