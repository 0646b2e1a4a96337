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


async def test_others_wait_for_one_return_and_not_for_all_that_a_senders_messages_cost(
    tmp_path: Path,
) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("r", ROGUE))

        def say(sender: str, content: object, **more: object) -> int:
            wish = {"performative": "request", "receiver": "r", "content": content, **more}
            return runtime.bus.submit(wish, sender=sender).seq

        bad = [say("operator.bad", TRAP) for _ in range(12)]
        good = [say("operator.good", n) for n in range(3)]
        urgent = say("operator.bad", "urgent", x_priority="urgent")
        bad += [say("operator.bad", n) for n in range(3)]
        assert (await ask(runtime, "r", "last"))["content"] == "last"
        await reached(runtime, lambda: runtime.agents.view("r").mailbox == 0)
        await commit(runtime)
        turns = await runtime.journal.reader.turns(agent="r@local")
        order = [turn.seq for turn in sorted(turns, key=lambda turn: turn.started_us)]
        assert [seq for seq in order if seq in bad] == bad, "its own order stays"
        assert [seq for seq in order if seq in good] == good
        assert max(order.index(seq) for seq in (*good, urgent)) <= 5, order
        assert runtime.agents.view("r").restarts == 12


async def test_no_number_of_bad_messages_ends_an_agent(tmp_path: Path) -> None:
    async with home(tmp_path, clock=VirtualClock()) as runtime:
        await runtime.engine.deploy(DeploymentRequest("r", ROGUE))
        traps = [
            runtime.bus.submit({"performative": "request", "receiver": "r", "content": TRAP}).seq
            for _ in range(20)
        ]
        assert (await ask(runtime, "r", "fine"))["content"] == "fine"
        assert await letters(runtime) == [(seq, "r@local", "unreachable") for seq in traps]
        said = await answers(runtime)
        assert [one["performative"] for seq in traps for one in said[seq]] == ["failure"] * 20
        view = runtime.agents.view("r")
        assert (view.state, view.restarts, view.reason, view.retry_us) == ("running", 20, None, None)
        assert not [one for one in await events(runtime, "agent") if one["what"] == "failed"]


async def test_what_does_not_come_up_is_tried_again_by_itself_each_time_later(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        await count(runtime)
        revision = runtime.agents.view("c").revision
        modules = runtime.project.state / "modules"
    away = tmp_path / "away"
    away.mkdir()
    assert revision is not None
    lost = list(modules.rglob(f"*{revision[:16]}*"))
    for path in lost:
        path.rename(away / path.name)
    clock = VirtualClock()
    async with home(tmp_path, clock=clock) as runtime:
        waits: list[float] = []
        for _ in range(8):
            clock.advance(waits[-1] if waits else 0)
            await reached(runtime, lambda: runtime.agents.view("c").retry_us is not None)
            view = runtime.agents.view("c")
            assert (view.state, view.desired) == ("failed", "running")
            assert view.reason is not None
            assert view.retry_us is not None
            waits.append((view.retry_us - clock.now_us()) / 1e6)
            assert (await ask(runtime, "c"))["content"]["error"] == "agent_failed"
        wanted = [1, 2, 4, 8, 16, 32, 60, 60]
        assert all(0.75 * at <= wait <= 1.25 * at for at, wait in zip(wanted, waits, strict=True)), waits
        assert waits[:2] != [1, 2], "they are spread"
        for path in lost:
            (away / path.name).rename(path)
        clock.advance(waits[-1])
        await reached(runtime, lambda: runtime.agents.view("c").state == "running")
        assert await count(runtime) == 2
        view = runtime.agents.view("c")
        assert (view.reason, view.retry_us) == (None, None)
        told = [one["what"] for one in await events(runtime, "agent")]
        assert told[-1] == "restarted"


LOOPS = "(loop $l (br $l))"
LONG_STATE = "(i32.store (i32.const 40) (i32.const 400)) (return (i32.const 0))"
REFUSES = "(i32.store (i32.const 40) (i32.const 0)) (return (i32.const -3))"


@pytest.mark.parametrize(
    ("hook", "limits", "said"),
    [
        (
            LONG_STATE,
            Limits(snapshot_bytes=256),
            "has 400 bytes, the limit is 256; raise limits.snapshot_bytes",
        ),
        (LOOPS, Limits(snapshot_fuel=10_000), "10,000 units of fuel; raise limits.snapshot_fuel"),
        (LOOPS, Limits(snapshot_fuel=10**12, snapshot_wall_ms=30), "raise limits.snapshot_wall_ms"),
        (REFUSES, Limits(), "the guest returned -3"),
        ("unreachable", Limits(), "unreachable"),
    ],
)
async def test_a_state_that_cannot_be_kept_is_no_breakdown(
    tmp_path: Path, hook: str, limits: Limits, said: str
) -> None:
    async with home(tmp_path, "[journal]\nsnapshot_every = 1") as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", guest(snapshot=hook), wat=True, limits=limits))
        assert [await count(runtime) for _ in range(9)] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
        await reached(runtime, lambda: runtime.agents.view("c").snapshot_error is not None)
        view = runtime.agents.view("c")
        assert (view.state, view.restarts) == ("running", 0)
        assert said in str(view.snapshot_error)
        assert await letters(runtime) == [], "no message was at fault"
        told = [one["what"] for one in await events(runtime, "agent")]
        assert told.count("snapshot_failed") == 1, "once, though it was tried again"
        assert runtime.agents.registry.find("c").snapshot_failures <= 4, "after 1, 2, 4 and 8 turns"


async def test_a_state_that_can_be_kept_again_is_no_trouble_any_more(tmp_path: Path) -> None:
    """Its second and third states are too long, later ones are not."""
    hook = f"(if (i32.lt_u (global.get $n) (i32.const 3)) (then {LONG_STATE}))"
    async with home(tmp_path, "[journal]\nsnapshot_every = 1") as runtime:
        await runtime.engine.deploy(
            DeploymentRequest("c", guest(snapshot=hook), wat=True, limits=Limits(snapshot_bytes=256))
        )
        assert [await count(runtime) for _ in range(9)] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
        await reached(runtime, lambda: runtime.agents.view("c").snapshot_seq is not None)
        view = runtime.agents.view("c")
        assert (view.snapshot_error, view.restarts) == (None, 0)


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


async def test_one_that_is_told_to_stop_while_it_comes_back_handles_first_what_waits(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("r", ROGUE))
        runtime.bus.submit({"performative": "request", "receiver": "r", "content": TRAP})
        record = runtime.agents.registry.find("r")
        while record.mending is None:
            await asyncio.sleep(0)
        last = runtime.bus.submit({"performative": "request", "receiver": "r", "content": "last"})
        async with asyncio.timeout(20):
            view = await runtime.agents.stop("r")
        assert (view.state, view.mailbox) == ("loaded", 0)
        assert [one["content"] for one in (await answers(runtime))[last.seq]] == ["last"]
