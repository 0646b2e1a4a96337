"""Recorded conversations against the same build and others, in a real runtime."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from agents.systems import (
    COUNTER,
    COUNTER_2,
    answers,
    ask,
    commit,
    home,
    instances,
    kill_cell,
    reached,
    remove,
    tally,
    tell,
)
from agents.test_recovery import LONG, REFUSED, TRAPS, many

from caxton.agents import AgentView
from caxton.deploy import DeploymentRequest, ReplayGate
from caxton.errors import AgentNotFound, ConfigurationError, ConversationNotFound, InvalidModule
from caxton.journal import Pin
from caxton.limits import Limits
from caxton.replay import ReplayRequest, Report
from caxton.replay.replayer import Replayer
from caxton.runtime import Runtime


async def replay(runtime: Runtime, *conversations: str, **more: Any) -> Report:
    return await runtime.replayer.replay(ReplayRequest(conversations=list(conversations), **more))


def verdicts(report: Report) -> list[str]:
    return [turn.verdict for turn in report.turns]


async def talk(runtime: Runtime, name: str, *contents: Any, to: str = "c") -> None:
    """One conversation of several requests."""
    for content in contents:
        await ask(runtime, to, content, conversation_id=name)


async def test_ten_thousand_turns_are_the_same_on_the_same_build(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        await many(runtime, "c", 10_000)
        report = await runtime.replayer.replay(ReplayRequest(last=1000))
        assert (report.totals.turns, report.totals.same) == (10_000, 10_000)
        assert not report.totals.differs
        assert report.totals.fuel_before == report.totals.fuel_after > 0
        (agent,) = report.agents
        assert (agent.start.kind, agent.start.turns, agent.start.exact) == ("beginning", 0, True)


def measured_alike(runtime: Runtime) -> AgentView:
    """The agent without its memory, which its cell tells whenever it comes to it."""
    return msgspec.structs.replace(runtime.agents.view("c"), memory_kib=None)


async def test_a_replay_has_no_effect_on_anything(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        await talk(runtime, "t", None, None)
        before, said = measured_alike(runtime), await answers(runtime)
        await replay(runtime, "t", wasm=tally(step=2, tag="two"), wat=True)
        assert measured_alike(runtime) == before
        assert await answers(runtime) == said
        assert await instances(runtime) == 1
        await commit(runtime)
        assert len(await runtime.journal.reader.revisions()) == 1
        assert len(await runtime.journal.reader.deployments()) == 1
        assert await tell(runtime) == 3


async def test_two_replays_never_run_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    under_way, most, against = 0, 0, Replayer.against

    async def counted(self: Replayer, *args: Any, **more: Any) -> Report:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        try:
            return await against(self, *args, **more)
        finally:
            under_way -= 1

    monkeypatch.setattr(Replayer, "against", counted)
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        await talk(runtime, "t", None, None)
        reports = await asyncio.gather(*(replay(runtime, "t") for _ in range(3)))
    assert most == 1
    assert [verdicts(report) for report in reports] == [["same", "same"]] * 3


async def test_another_build_is_compared_from_the_state_that_each_turn_met(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        for _ in range(3):
            await tell(runtime)
        await talk(runtime, "t", None)
        await tell(runtime)
        await talk(runtime, "t", None)
        report = await replay(runtime, "t", wasm=tally(step=2, tag="two"), wat=True)
        assert verdicts(report) == ["changed", "changed"]
        one, other = report.turns
        # three turns before, two in between: all of them by the new build
        assert [(place.path, place.before, place.after) for place in one.differences] == [
            ("[0].content", "00000004", "00000008")
        ]
        assert other.differences[0].after == "00000012"
        assert one.before.fuel < (one.after.fuel if one.after else 0)
        assert report.agents[0].start.turns == 3
        assert report.totals.fuel_after > report.totals.fuel_before
        assert report.totals.differs


async def test_it_begins_at_the_nearest_snapshot(tmp_path: Path) -> None:
    async with home(tmp_path, "[journal]\nsnapshot_every = 2") as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        for number in range(1, 6):
            await talk(runtime, f"t{number}", {"add": 1})
            if number % 2 == 0:
                await reached(runtime, lambda: runtime.agents.view("c").snapshot_seq is not None)
        await commit(runtime)
        report = await replay(runtime, "t5", wasm=COUNTER_2)
        assert verdicts(report) == ["same"]
        assert (report.agents[0].start.kind, report.agents[0].start.exact) == ("snapshot", True)
        # the first one was before any snapshot
        report = await replay(runtime, "t1", wasm=COUNTER_2)
        assert verdicts(report) == ["same"]
        assert (report.agents[0].start.kind, report.agents[0].start.exact) == ("beginning", True)


async def test_turns_that_failed_then_and_fail_now_are_the_same(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        await talk(runtime, "t", None, REFUSED, LONG, TRAPS, None)
        report = await replay(runtime, "t")
        assert verdicts(report) == ["same"] * 5
        assert [turn.before.status for turn in report.turns] == [
            "ok", "guest_error", "refused", "trap", "ok",
        ]  # fmt: skip


TRAPS_AT_THREE = "(if (i32.eq (i32.load8_u (i32.const 299)) (i32.const 50)) (then unreachable))"
"""Its third message traps, and every later one."""


async def test_a_build_that_traps_is_told_and_the_rest_goes_on_without_that_turn(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        await talk(runtime, "t", *[None] * 12)
        broken = tally(tag="two", before=TRAPS_AT_THREE)
        report = await replay(runtime, "t", wasm=broken, wat=True)
        assert verdicts(report) == ["same", "same"] + ["trapped"] * 6 + ["not_run"] * 4
        assert (report.totals.trapped, report.totals.not_run) == (6, 4)
        after = report.turns[2].after
        assert after is not None
        assert after.error is not None
        assert "unreachable" in after.error
        assert await instances(runtime) == 1


async def test_a_build_that_mends_a_trap_is_seen_to(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(
            DeploymentRequest("c", tally(before=TRAPS_AT_THREE), wat=True, recover="snapshot")
        )
        await talk(runtime, "t", None, None, None)
        report = await replay(runtime, "t", wasm=tally(tag="two"), wat=True)
        assert verdicts(report) == ["same", "same", "changed"]
        mended = report.turns[2]
        assert (mended.before.status, mended.after.status if mended.after else "") == ("trap", "ok")
        assert mended.differences[0].kind == "added"


async def test_what_lies_between_may_trap_too(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        seqs = [runtime.bus.submit({"performative": "request", "receiver": "c"}).seq for _ in range(3)]
        await talk(runtime, "t", None)
        report = await replay(runtime, "t", wasm=tally(tag="two", before=TRAPS_AT_THREE), wat=True)
        assert report.agents[0].stumbled == seqs[2:]
        assert verdicts(report) == ["trapped"]


async def test_the_past_of_an_agent_without_hooks_is_whole_after_retention(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        assert await tell(runtime) == 1
        await commit(runtime)
        gone = runtime.bus.last_seq
        await talk(runtime, "t", None)
    remove(tmp_path, gone)
    async with home(tmp_path) as runtime:
        report = await replay(runtime, "t")
        assert report.agents[0].start.exact
        assert verdicts(report) == ["same"]


async def test_what_cannot_be_had_is_said(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        assert await tell(runtime) == 1
        await commit(runtime)
        gone = runtime.bus.last_seq
        await talk(runtime, "t", None)
    remove(tmp_path, gone, as_before=True)
    async with home(tmp_path) as runtime:
        report = await replay(runtime, "t")
        start = report.agents[0].start
        assert not start.exact
        assert start.reason == f"the journal has removed what it did up to message {gone}"
        assert verdicts(report) == ["changed"]


async def test_pinned_conversations_outlive_what_was_around_them(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        await talk(runtime, "pinned", None)
        assert await tell(runtime) == 2
        await talk(runtime, "pinned", None)
        runtime.journal.batch.records.append(Pin("pinned", 1))
        await commit(runtime)
        gone = runtime.bus.last_seq
    async with home(tmp_path) as runtime:
        # its memory is kept as it was: later turns begin from there
        await talk(runtime, "young", None)
        await commit(runtime)
    remove(tmp_path, gone, as_before=True)
    async with home(tmp_path) as runtime:
        report = await replay(runtime, "pinned", "young")
        (old, young) = report.agents
        assert not old.start.exact
        assert old.start.reason == f"the journal has removed what it did around them, up to message {gone}"
        assert young.start.seq >= gone
        # the state of the first one was the beginning, as it is now; the second one had a turn before it that is gone
        assert [(turn.conversation_id, turn.verdict) for turn in report.turns] == [
            ("pinned", "same"),
            ("pinned", "changed"),
            ("young", "changed"),
        ]
        # the gate: a build that does as the one that runs changes nothing
        held = await runtime.engine.deploy(
            DeploymentRequest("c", tally(tag="two"), wat=True, gate=ReplayGate(mode="replay", timeout_s=30.0))
        )
        assert held.gate is not None
        assert (held.state, held.gate.totals.same) == ("running", 3)
        held = await runtime.engine.deploy(
            DeploymentRequest(
                "c", tally(tag="three", step=3), wat=True, gate=ReplayGate(mode="replay", timeout_s=30.0)
            )
        )
        assert held.waits
        assert held.gate is not None
        assert held.gate.pinned == ["pinned"]


async def test_a_state_that_the_build_cannot_take_is_gone_round_where_the_past_goes_back(
    tmp_path: Path,
) -> None:
    async with home(tmp_path, "[journal]\nsnapshot_every = 1") as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        await talk(runtime, "t1", {"add": 1})
        await reached(runtime, lambda: runtime.agents.view("c").snapshot_seq is not None)
        await talk(runtime, "t2", {"add": 1})
        report = await replay(runtime, "t2", wasm=tally(), wat=True)
        assert report.agents[0].start.kind == "beginning"
        assert report.agents[0].start.exact
        assert report.turns[0].differences[0].after == "00000002"


async def test_the_time_is_bounded(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        await talk(runtime, "t", None)
        report = await replay(runtime, "t", timeout_s=0.0)
        assert report.timed_out
        assert verdicts(report) == ["not_run"]
        assert not report.totals.differs


async def test_memory_of_then_is_measured_where_it_is_wanted(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        await talk(runtime, "t", None, None)
        grows = tally(tag="two", before="(drop (memory.grow (i32.const 1)))")
        report = await replay(runtime, "t", wasm=grows, wat=True, baseline=True)
        assert [
            (turn.before.memory_kib, turn.after.memory_kib if turn.after else 0) for turn in report.turns
        ] == [
            (64, 128),
            (64, 192),
        ]
        assert verdicts(report) == ["same", "same"]


async def test_what_was_told_otherwise_then_is_named(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(
            DeploymentRequest("c", tally(), wat=True, settings={"price": 40, "same": 1})
        )
        await talk(runtime, "first", None)
        assert (await replay(runtime, "first")).agents[0].changed == []
        more = Limits(fuel=5_000_000)
        await runtime.engine.deploy(
            DeploymentRequest("c", tally(), wat=True, settings={"price": 50, "same": 1}, limits=more)
        )
        await talk(runtime, "second", None)
        await runtime.engine.deploy(DeploymentRequest("c", tally(tag="two"), wat=True))
        await commit(runtime)
        report = await replay(runtime, "first", "second")
        assert report.agents[0].changed == ["limits.fuel", "settings.price"], "since the first of them"
        report = await replay(runtime, "second")
        assert (report.agents[0].changed, verdicts(report)) == ([], ["same"])
        # taken back, it is as it was then
        await runtime.engine.deploy(
            DeploymentRequest("c", tally(), wat=True, settings={"price": 40, "same": 1}, limits=Limits())
        )
        assert (await replay(runtime, "first")).agents[0].changed == []


async def test_several_agents_of_one_conversation(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        await runtime.engine.deploy(DeploymentRequest("d", tally(tag="d"), wat=True))
        await talk(runtime, "t", None)
        await talk(runtime, "t", None, to="d")
        report = await replay(runtime, "t")
        assert [(turn.agent, turn.verdict) for turn in report.turns] == [("c", "same"), ("d", "same")]
        report = await replay(runtime, "t", agent="d", wasm=tally(step=3), wat=True)
        assert [(turn.agent, turn.verdict) for turn in report.turns] == [("d", "changed")]
        with pytest.raises(ConfigurationError, match="whose build"):
            await replay(runtime, "t", wasm=tally(step=3), wat=True)


async def test_what_breaks_the_protocol_is_illegal_now(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        await ask(runtime, "c", conversation_id="t", protocol="fipa-request")
        legal = await replay(runtime, "t", wasm=tally(step=2), wat=True)
        assert verdicts(legal) == ["changed"]
        wrong = tally(tag="two").replace(b'inform\\",\\"content', b'cancel\\",\\"content')
        assert wrong != tally(tag="two")
        report = await replay(runtime, "t", wasm=wrong, wat=True)
        assert verdicts(report) == ["illegal"]
        (found,) = report.turns[0].illegal
        assert found.message == 0
        assert found.rule == "cancel-by-participant"
        assert "inform" in found.legal


async def test_bad_wishes(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        await talk(runtime, "t", None)
        with pytest.raises(ConversationNotFound):
            await replay(runtime, "nothing")
        with pytest.raises(AgentNotFound):
            await replay(runtime, "t", agent="nobody")
        with pytest.raises(InvalidModule):
            await replay(runtime, "t", wasm=b"(module", wat=True)
        assert (await replay(runtime)).turns == []


async def test_a_cell_that_dies_under_a_replay_is_an_answer(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", tally(), wat=True))
        await talk(runtime, "t", None)
        kill_cell(runtime)
        await reached(runtime, lambda: runtime.agents.view("c").restarts == 1)
        assert verdicts(await replay(runtime, "t")) == ["same"]
