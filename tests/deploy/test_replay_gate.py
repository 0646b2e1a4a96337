"""The gate: a build is tried on the conversations that the agent already had, and waits where it is not good enough."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from agents.systems import ask, commit, events, guest, home, instances, reached, tally, tell

from caxton.deploy import DeploymentRequest, DeploymentView, ReplayGate
from caxton.errors import InvalidState
from caxton.journal import Pin
from caxton.runtime import Runtime

CHECK, REPLAY = ReplayGate(mode="check", timeout_s=30.0), ReplayGate(mode="replay", timeout_s=30.0)
TRAPS_AT_TWO = "(if (i32.eq (i32.load8_u (i32.const 299)) (i32.const 49)) (then unreachable))"
BROKEN = tally(tag="broken", before=TRAPS_AT_TWO)
FAILS = tally(tag="fails", before=TRAPS_AT_TWO.replace("unreachable", "(return (i32.const -7))"))
SPEAKS_AS_X = (
    "(i32.store (i32.const 36) (i32.const 1024)) (i32.store (i32.const 40) (i32.const 39))"
    " (return (i32.const 1))"
)
REFUSED = tally(tag="refused", before=TRAPS_AT_TWO.replace("unreachable", SPEAKS_AS_X))
ILLEGAL = tally(tag="two").replace(b'inform\\",\\"content', b'cancel\\",\\"content')


async def deploy(
    runtime: Runtime, wasm: bytes, gate: ReplayGate | None = None, **more: Any
) -> DeploymentView:
    return await runtime.engine.deploy(DeploymentRequest("c", wasm, wat=True, gate=gate, **more))


async def begun(runtime: Runtime) -> DeploymentView:
    """An agent with two conversations."""
    made = await deploy(runtime, tally())
    for name in ("one", "two"):
        await ask(runtime, "c", conversation_id=name, protocol="fipa-request")
    return made


async def pin(runtime: Runtime, *names: str) -> None:
    runtime.journal.batch.records.extend(Pin(name, 1) for name in names)
    await commit(runtime)


async def test_a_build_that_says_the_same_goes_in(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await begun(runtime)
        await pin(runtime, "one")
        made = await deploy(runtime, tally(tag="two"), REPLAY)
        assert (made.state, made.waits) == ("running", False)
        assert made.gate is not None
        assert (made.gate.stopped, made.gate.totals.same, made.gate.conversations) == (False, 2, 2)
        assert await tell(runtime) == 3


async def test_a_changed_answer_goes_in_where_it_is_not_pinned_and_is_shown(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await begun(runtime)
        made = await deploy(runtime, tally(tag="two", step=2), REPLAY)
        assert made.state == "running"
        assert made.gate is not None
        assert (made.gate.totals.changed, [turn.verdict for turn in made.gate.turns]) == (2, ["changed"] * 2)
        assert await tell(runtime) == 6


async def test_a_changed_answer_in_a_pinned_conversation_waits(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        first = await begun(runtime)
        await pin(runtime, "two")
        held = await deploy(runtime, tally(tag="two", step=2), REPLAY)
        assert (held.state, held.waits) == ("validating", True)
        assert held.gate is not None
        assert (held.gate.reason, held.gate.pinned) == ("an answer changes in pinned two", ["two"])
        # the old one goes on, and can be stopped and started meanwhile
        assert await tell(runtime) == 3
        assert runtime.agents.view("c").revision == first.revision
        await runtime.agents.stop("c")
        await runtime.agents.start("c")
        assert await tell(runtime) == 4
        done = await runtime.engine.promote(held.id)
        assert (done.id, done.state, done.waits) == (held.id, "running", False)
        assert await tell(runtime) == 10
        assert await instances(runtime) == 1
        told = [one["waits"] for one in await events(runtime, "deployment") if one["id"] == held.id]
        assert told == [True, False]
        # what was accepted is not asked about again
        made = await deploy(runtime, tally(tag="again", step=2), REPLAY)
        assert made.state == "running"
        assert made.gate is not None
        assert made.gate.totals.changed == 0
        # `check` does not mind
        assert (await deploy(runtime, tally(tag="three", step=3), CHECK)).state == "running"


@pytest.mark.parametrize(
    ("wasm", "reason"),
    [
        (BROKEN, "that went well trap"),
        (ILLEGAL, "would break the protocol"),
        (FAILS, "a turn that went well fails now"),
        (REFUSED, "a turn that went well fails now"),
    ],
    ids=["traps", "illegal", "fails", "says what is refused"],
)
@pytest.mark.parametrize("gate", [CHECK, REPLAY])
async def test_what_breaks_waits_in_any_case_and_is_dropped(
    tmp_path: Path, wasm: bytes, reason: str, gate: ReplayGate
) -> None:
    async with home(tmp_path) as runtime:
        first = await begun(runtime)
        held = await deploy(runtime, wasm, gate)
        assert held.waits
        assert held.gate is not None
        assert held.gate.reason is not None
        assert reason in held.gate.reason
        done = await runtime.engine.abort(held.id)
        assert done.state == "failed"
        assert done.reason is not None
        assert done.reason.startswith("the operator dropped it: ")
        assert runtime.agents.view("c").revision == first.revision
        assert await tell(runtime) == 3
        with pytest.raises(InvalidState):
            await runtime.engine.promote(held.id)
        assert (await deploy(runtime, tally(tag="good"), gate)).state == "running"


async def test_a_newer_build_ends_the_waiting(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await begun(runtime)
        held = await deploy(runtime, BROKEN, CHECK)
        newer = await deploy(runtime, tally(tag="good"), CHECK)
        assert newer.state == "running"
        await commit(runtime)
        rows = {row.id: (row.state, row.reason) for row in await runtime.journal.reader.deployments()}
        state, reason = rows[held.id]
        assert state == "failed"
        assert reason is not None
        assert reason.startswith("a newer build came before it was decided")


async def test_the_end_of_the_daemon_ends_the_waiting(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        first = await begun(runtime)
        held = await deploy(runtime, BROKEN, CHECK)
    async with home(tmp_path) as runtime:
        row = next(row for row in await runtime.journal.reader.deployments() if row.id == held.id)
        assert row.state == "failed"
        assert runtime.agents.view("c").revision == first.revision
        assert await tell(runtime) == 3


async def test_an_agent_that_is_gone_meanwhile(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await begun(runtime)
        held = await deploy(runtime, BROKEN, CHECK)
        await runtime.agents.remove("c")
        done = await runtime.engine.promote(held.id)
        assert (done.state, done.reason) == ("failed", "c was removed while this waited")


async def test_an_agent_that_is_changed_by_somebody_else_is_not_changed_at_once(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await begun(runtime)
        held = await deploy(runtime, BROKEN, CHECK)
        record = runtime.agents.registry.find("c")
        record.claim("tested")
        done = await runtime.engine.promote(held.id)
        assert done.state == "failed"
        assert record.busy, "it is still the other's"
        record.release()
        assert await tell(runtime) == 3


async def test_new_agents_and_the_same_build_have_no_gate(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        assert (await deploy(runtime, tally(), REPLAY)).gate is None
        await ask(runtime, "c", conversation_id="one")
        assert (await deploy(runtime, tally(), REPLAY)).unchanged
        assert (await deploy(runtime, tally(), REPLAY, settings={"a": 1})).gate is None


async def test_the_gate_looks_at_so_many_and_at_those_that_are_pinned(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await deploy(runtime, tally())
        for n in range(6):
            await ask(runtime, "c", conversation_id=f"t{n}")
        await pin(runtime, "t0", "not there any more")
        made = await deploy(runtime, tally(tag="two"), ReplayGate(mode="replay", last=2, timeout_s=30.0))
        assert made.gate is not None
        assert (made.gate.conversations, made.gate.totals.same) == (3, 3)


async def test_the_time_of_the_gate_is_bounded(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await begun(runtime)
        made = await deploy(runtime, BROKEN, ReplayGate(mode="replay", timeout_s=1e-6), fresh_state=True)
        assert made.gate is not None
        assert (made.gate.timed_out, made.gate.totals.not_run) == (True, 2)
        assert made.state == "running"


async def test_a_pinned_conversation_that_was_not_run_stops_the_build(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        first = await begun(runtime)
        await pin(runtime, "one")
        gate = ReplayGate(mode="replay", timeout_s=1e-6)
        held = await deploy(runtime, tally(tag="two", step=2), gate)
        assert (held.state, held.waits) == ("validating", True)
        assert held.gate is not None
        assert (held.gate.stopped, held.gate.unchecked, held.gate.totals.not_run) == (True, ["one"], 2)
        assert held.gate.reason == (
            "pinned one could not be checked in 1e-06 s of processor time: 1 of the pinned conversations was not run; "
            "accept the build, or try longer"
        )
        assert runtime.agents.view("c").revision == first.revision
        await runtime.engine.abort(held.id)
        assert (
            await deploy(runtime, tally(tag="two", step=2), ReplayGate(mode="check", timeout_s=1e-6))
        ).state == "running"


LONG_TURN = (
    "(local $i i32) (loop $l (local.set $i (i32.add (local.get $i) (i32.const 1)))"
    " (br_if $l (i32.lt_u (local.get $i) (i32.const 12000000))))"
)


async def test_pinned_conversations_are_run_before_the_others(tmp_path: Path) -> None:
    """Each turn takes some 20 ms of processor time, and the newest is the pinned one."""
    async with home(tmp_path, "[journal]\nsnapshot_every = 1") as runtime:
        await deploy(runtime, guest(handle=LONG_TURN))
        for n in range(8):
            await ask(runtime, "c", conversation_id=f"t{n}")
            await reached(
                runtime,
                lambda: not runtime.agents.repair.snapshots.is_asked(runtime.agents.registry.find("c")),
            )
        await pin(runtime, "t7")
        made = await deploy(
            runtime, guest(handle=LONG_TURN, tag="two"), ReplayGate(mode="replay", timeout_s=0.05)
        )
        assert made.gate is not None
        assert (made.state, made.gate.stopped, made.gate.unchecked) == ("running", False, [])
        assert (made.gate.timed_out, made.gate.totals.not_run > 0) == (True, True)


async def test_a_build_that_fails_says_with_what_and_how_often(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await begun(runtime)
        await ask(runtime, "c", conversation_id="three")
        held = await deploy(runtime, tally(tag="fails", before="(return (i32.const -7))"), CHECK)
        assert held.gate is not None
        assert str(held.gate.reason).startswith("3 turns that went well fail now: guest_error: ")
        assert str(held.gate.reason).endswith("(3 times)")


async def test_messages_flow_while_a_build_waits(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await begun(runtime)
        held = await deploy(runtime, BROKEN, CHECK)
        asked = asyncio.gather(*(tell(runtime) for _ in range(3)))
        assert sorted(await asked) == [3, 4, 5]
        await runtime.engine.abort(held.id)
        await reached(runtime, lambda: runtime.engine.live(held.id) is None)
        assert await tell(runtime) == 6
