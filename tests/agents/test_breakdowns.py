"""A turn that costs the instance: what it said is dropped, the agent comes back, and not for ever."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from caxton.clock import VirtualClock
from caxton.deploy import DeploymentRequest
from caxton.limits import Limits

from .systems import (
    COUNTER,
    ROGUE,
    answers,
    ask,
    commit,
    count,
    events,
    guest,
    home,
    instances,
    letters,
    reached,
)

TRAP = {"trap": True}
ON_THE_FOURTH = (
    "(i32.store (i32.const 40) (i32.const 48)) (if (i32.eq (global.get $n) (i32.const 3)) (then unreachable))"
)
"""Writes its answer, and then traps on its fourth message."""


async def test_a_trap_discards_what_was_said_and_goes_on_from_the_snapshot(tmp_path: Path) -> None:
    async with home(tmp_path, "[journal]\nsnapshot_every = 2") as runtime:
        await runtime.engine.deploy(
            DeploymentRequest("c", guest(handle=ON_THE_FOURTH), wat=True, recover="snapshot")
        )
        assert [await count(runtime), await count(runtime)] == [1, 2]
        await reached(runtime, lambda: runtime.agents.view("c").snapshot_seq is not None)
        assert await count(runtime) == 3
        failure = await ask(runtime, "c")
        assert (failure["sender"], failure["performative"]) == ("ams@local", "failure")
        assert failure["content"]["error"] == "unreachable"
        assert await count(runtime) == 3, "two from the snapshot, and this one"
        ((seq, agent, code),) = await letters(runtime)
        assert (agent, code) == ("c@local", "unreachable")
        assert [one["sender"] for one in (await answers(runtime))[seq]] == ["ams@local"]
        told = [one for one in await events(runtime, "agent") if one["what"] == "restarted"]
        assert [one["memory"] for one in told] == ["snapshot"]
        view = runtime.agents.view("c")
        assert (view.state, view.restarts, view.failed_turns) == ("running", 1, 1)
        assert view.last_error is not None
        assert "unreachable" in view.last_error


@pytest.mark.parametrize("recover", ["snapshot", "fresh"])
async def test_an_agent_without_a_snapshot_begins_anew(tmp_path: Path, recover: str) -> None:
    async with home(tmp_path, "[journal]\nsnapshot_every = 0") as runtime:
        await runtime.engine.deploy(
            DeploymentRequest("c", guest(handle=ON_THE_FOURTH), wat=True, recover=recover)
        )
        assert [await count(runtime) for _ in range(3)] == [1, 2, 3]
        await ask(runtime, "c")
        assert await count(runtime) == 1
        told = [one for one in await events(runtime, "agent") if one["what"] == "restarted"]
        assert [one["memory"] for one in told] == ["fresh"]


@pytest.mark.parametrize(
    ("content", "limits", "code"),
    [
        ({"spin": True}, Limits(fuel=1_000_000), "fuel"),
        ({"spin": True}, Limits(wall_ms=30, fuel=10**12), "wall_time"),
        (TRAP, Limits(), "unreachable"),
    ],
)
async def test_each_way_to_break_down_is_told_and_mended(
    tmp_path: Path, content: object, limits: Limits, code: str
) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("r", ROGUE, limits=limits))
        failure = await ask(runtime, "r", content)
        assert failure["content"]["error"] == code
        assert (await ask(runtime, "r", [1]))["content"] == [1]
        assert await instances(runtime) == 1
        assert runtime.agents.view("r").restarts == 1


async def test_what_waits_behind_a_breakdown_is_handled_in_order_and_once(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("r", ROGUE))
        seqs = [
            runtime.bus.submit(
                {"performative": "request", "receiver": "r", "content": TRAP if n in (3, 4, 9) else n}
            ).seq
            for n in range(12)
        ]
        assert (await ask(runtime, "r", "last"))["content"] == "last"
        said = await answers(runtime)
        assert [len(said[seq]) for seq in seqs] == [1] * 12
        assert [one["performative"] for seq in seqs for one in said[seq]] == [
            "failure" if n in (3, 4, 9) else "inform" for n in range(12)
        ]
        turns = await runtime.journal.reader.turns(agent="r@local")
        assert [turn.seq for turn in turns][:12] == seqs
        assert await letters(runtime) == [(seqs[n], "r@local", "unreachable") for n in (3, 4, 9)]


async def test_the_sixth_breakdown_in_a_short_time_is_the_last(tmp_path: Path) -> None:
    async with home(tmp_path, clock=VirtualClock()) as runtime:
        await runtime.engine.deploy(DeploymentRequest("r", ROGUE))
        traps = [
            runtime.bus.submit({"performative": "request", "receiver": "r", "content": TRAP}).seq
            for _ in range(6)
        ]
        rest = [
            runtime.bus.submit({"performative": "request", "receiver": "r", "content": n}).seq
            for n in range(3)
        ]
        await reached(runtime, lambda: runtime.agents.view("r").state == "failed")
        assert await letters(runtime) == [
            *((seq, "r@local", "unreachable") for seq in traps),
            *((seq, "r@local", "agent_failed") for seq in rest),
        ]
        said = await answers(runtime)
        assert all(said[seq][0]["performative"] == "failure" for seq in (*traps, *rest))
        view = runtime.agents.view("r")
        assert (view.restarts, view.desired, view.mailbox, view.cell) == (5, "running", 0, None)
        assert (await ask(runtime, "r", 1))["content"]["error"] == "agent_failed"
        (told,) = [one for one in await events(runtime, "agent") if one["what"] == "failed"]
        assert "6 times" in told["reason"]
        # a person may try again, with a clean sheet
        assert (await runtime.agents.start("r")).state == "running"
        assert (await ask(runtime, "r", 1))["content"] == 1
        await ask(runtime, "r", TRAP)
        assert (await ask(runtime, "r", 2))["content"] == 2


async def test_breakdowns_far_apart_are_mended_for_ever(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with home(tmp_path, clock=clock) as runtime:
        await runtime.engine.deploy(DeploymentRequest("r", ROGUE))
        for number in range(12):
            await ask(runtime, "r", TRAP)
            assert (await ask(runtime, "r", number))["content"] == number
            clock.advance(7)
        assert runtime.agents.view("r").restarts == 12


async def test_a_failed_agent_stops_and_starts_and_a_new_build_mends_it(tmp_path: Path) -> None:
    async with home(tmp_path, clock=VirtualClock()) as runtime:
        await runtime.engine.deploy(DeploymentRequest("r", ROGUE))
        for _ in range(6):
            runtime.bus.submit({"performative": "request", "receiver": "r", "content": TRAP})
        await reached(runtime, lambda: runtime.agents.view("r").state == "failed")
        stopped = await runtime.agents.stop("r")
        assert (stopped.state, stopped.desired) == ("loaded", "stopped")
        await runtime.engine.deploy(DeploymentRequest("r", COUNTER))
        assert await count(runtime, "r") == 1
        assert runtime.agents.view("r").state == "running"


async def test_a_snapshot_hook_that_traps_is_a_breakdown(tmp_path: Path) -> None:
    async with home(tmp_path, "[journal]\nsnapshot_every = 3") as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", guest(snapshot="unreachable"), wat=True))
        for expected in (1, 2, 3):
            assert await count(runtime) == expected
        await reached(runtime, lambda: runtime.agents.view("c").restarts == 1)
        assert await count(runtime) == 4
        assert await letters(runtime) == [], "no message was at fault"


async def test_an_empty_state_is_a_state(tmp_path: Path) -> None:
    empty = "(i32.store (i32.const 40) (i32.const 0)) (return (i32.const 0))"
    taken = "(return (i32.sub (i32.const 0) (local.get 1)))"
    async with home(tmp_path, "[journal]\nsnapshot_every = 1") as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", guest(snapshot=empty, restore=taken), wat=True))
        await count(runtime)
        await reached(runtime, lambda: runtime.agents.view("c").snapshot_seq is not None)
        await commit(runtime)
        kept = await runtime.journal.reader.snapshot(runtime.agents.registry.find("c").number)
        assert kept is not None
        assert kept.data == b""
    async with home(tmp_path) as runtime:
        assert runtime.agents.view("c").snapshot_seq is not None
        assert await count(runtime) == 1


async def test_many_break_down_at_once_and_nobody_else_notices(tmp_path: Path) -> None:
    async with home(tmp_path, cells=2) as runtime:
        await asyncio.gather(*(runtime.engine.deploy(DeploymentRequest(f"r{n}", ROGUE)) for n in range(10)))
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        for n in range(10):
            runtime.bus.submit({"performative": "request", "receiver": f"r{n}", "content": TRAP})
        assert [await count(runtime) for _ in range(5)] == [1, 2, 3, 4, 5]
        assert [(await ask(runtime, f"r{n}", n))["content"] for n in range(10)] == list(range(10))
        assert [view.restarts for view in runtime.agents.views()] == [0] + [1] * 10
