"""Canary: a share of the conversations, stage by stage; taken back by itself, and nothing is lost whatever happens."""

from __future__ import annotations

from pathlib import Path

import pytest
from agents.systems import guest, home, instances, kill_cell, letters, reached

from caxton.clock import VirtualClock
from caxton.deploy import Condition, DeploymentOptions, DeploymentRequest, Stage
from caxton.deploy.handover.dual_run import DualRun
from caxton.deploy.options import conditions
from caxton.deploy.strategies.conversation_routing import within
from caxton.errors import DeploymentError, InvalidState
from caxton.limits import Limits
from caxton.runtime import Runtime
from deploy.dual_runs import (
    REFUSES,
    SAYS_NONSENSE,
    SPIN,
    counter,
    every,
    longer,
    revisions,
    said,
    side_by_side,
    talk,
    up,
)

FAILS = Condition("error_rate", 1.0, False, "error_rate>1%")
HALF = DeploymentOptions(stages=(Stage(50, 60),), rollback_on=(FAILS,))
LENIENT = DeploymentOptions(stages=(Stage(50, 60),), rollback_on=())


async def test_conversations_are_shared_out_and_none_is_split(tmp_path: Path) -> None:
    clock = VirtualClock()
    options = DeploymentOptions(stages=(Stage(10, 60), Stage(50, 120)), rollback_on=(FAILS,))
    async with home(tmp_path, clock=clock) as runtime:
        await up(runtime, counter())
        before = [talk(runtime, f"before-{n}") for n in range(20)]
        assert [by for by, _ in await said(runtime, before)] == ["one"] * 20
        async with side_by_side(runtime, counter("two"), strategy="canary", options=options) as change:
            assert await instances(runtime) == 2
            first = [talk(runtime, f"t-{n}") for n in range(300)]
            old = [talk(runtime, f"before-{n}") for n in range(20)]
            answers = await said(runtime, first)
            assert [by == "two" for by, _ in answers] == [within(f"t-{n}", 10) for n in range(300)]
            assert {by for by, _ in await said(runtime, old)} == {"one"}, (
                "what was under way stays where it was"
            )
            clock.advance(60)
            again = [talk(runtime, f"t-{n}") for n in range(300)]
            assert [by for by, _ in await said(runtime, again)] == [by for by, _ in answers]
            more = [talk(runtime, f"u-{n}") for n in range(300)]
            assert [by == "two" for by, _ in await said(runtime, more)] == [
                within(f"u-{n}", 50) for n in range(300)
            ]
            clock.advance(120)
            made = await change
        assert (made.state, made.memory, made.reason) == ("running", "carried", None)
        assert await instances(runtime) == 1
        last = [talk(runtime, "before-1"), talk(runtime, "t-1")]
        assert [by for by, _ in await said(runtime, last)] == ["two", "two"]
        # one counter, whoever spoke: both have handled everything
        asked = [*before, *first, *old, *again, *more, *last]
        assert [count for _, count in await said(runtime, asked)] == list(range(1, len(asked) + 1))
        assert runtime.agents.view("c").revision == made.revision
        assert await letters(runtime) == []


@pytest.mark.parametrize(
    "does", ["(unreachable)", SAYS_NONSENSE, REFUSES], ids=["trap", "refused by the host", "error code"]
)
async def test_one_in_twenty_turns_fails_and_it_is_taken_back_in_its_first_stage(
    tmp_path: Path, does: str
) -> None:
    options = DeploymentOptions(stages=(Stage(50, 3600), Stage(100, 3600)), rollback_on=(FAILS,))
    asked: list[int] = []
    async with home(tmp_path) as runtime:
        first = await up(runtime, counter())
        if does is SAYS_NONSENSE:
            after = f"(if (i32.eqz (i32.rem_u (global.get $n) (i32.const 20))) (then {does}))"
            second = counter("two", then=after)
        else:
            second = counter("two", first=every(20, does))
        async with side_by_side(runtime, second, strategy="canary", options=options) as change:
            for n in range(2000):
                asked.append(talk(runtime, f"t-{n}"))
                if n % 10 == 9:
                    await said(runtime, asked[-10:])
                if change.done():
                    break
            made = await change
        assert made.state == "rolled_back"
        assert made.reason is not None
        assert made.reason.startswith("stage 1 (50 %): error_rate is ")
        asked += [talk(runtime, f"t-{n}") for n in range(40)]
        answers = await said(runtime, asked)
        assert [count for _, count in answers] == list(range(1, len(asked) + 1))
        assert {by for by, _ in answers} == {"one", "two"}
        assert {by for by, _ in answers[-40:]} == {"one"}
        assert await letters(runtime) == []
        view = runtime.agents.view("c")
        assert (view.state, view.revision, view.restarts) == ("running", first.revision, 0)
        assert await instances(runtime) == 1


async def test_what_the_new_one_fails_in_the_old_one_has_handled(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await up(runtime, counter())
        wasm = counter("two", first=every(10, "(unreachable)"))
        async with side_by_side(runtime, wasm, strategy="canary", options=LENIENT) as change:
            asked: list[int] = []
            for _ in range(5):
                # the new one is brought back each time, with the state that the old one has then
                seated = runtime.agents.registry.find("c")
                asked += [talk(runtime, f"t-{n}") for n in range(10)]
                await said(runtime, asked)
                trial = seated.endpoint.trial
                assert trial is not None
                await reached(runtime, lambda: change.done() or _stands(runtime))
            assert not change.done()
            answers = await said(runtime, asked)
            assert [count for _, count in answers] == list(range(1, 51))
            assert {answers[n][0] for n in range(9, 50, 10)} == {"one"}
            assert {by for by, _ in answers} == {"one", "two"}
            assert await letters(runtime) == []
            # five in 30 s were borne
            talk(runtime, "x")
            asked = [talk(runtime, f"t-{n}") for n in range(9)]
            made = await change
            await said(runtime, asked)
        assert made.state == "rolled_back"
        assert "broke down 6 times" in (made.reason or "")


def _stands(runtime: Runtime) -> bool:
    runtime.bus.event("test", body={})
    runtime.bus.settle()
    dual_run = runtime.bus.endpoints["c@local"].port
    return isinstance(dual_run, DualRun) and dual_run.seated


async def test_an_error_that_both_make_is_none_of_the_new_one(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await up(runtime, counter(first=every(2, REFUSES)))
        wasm = counter("two", first=every(2, REFUSES))
        async with side_by_side(runtime, wasm, strategy="canary", options=HALF) as change:
            for n in range(100):
                talk(runtime, f"t-{n}")
            await runtime.bus.endpoints["c@local"].empty()
            assert not change.done()
            assert (
                await runtime.engine.promote(runtime.agents.registry.find("c").deployment or "")
            ).state == "running"


@pytest.mark.parametrize(
    ("condition", "old", "new", "word"),
    [
        (
            "fuel>+20%",
            "",
            "(local.set $at (i32.const 20)) (loop $on (br_if $on (local.tee $at (i32.sub "
            "(local.get $at) (i32.const 1)))))",
            "fuel is",
        ),
        ("p99>1us", "", "", "p99 is"),
        ("violations>0", "", "", "1 violations"),
    ],
)
async def test_every_condition_takes_it_back(
    tmp_path: Path, condition: str, old: str, new: str, word: str
) -> None:
    options = DeploymentOptions(stages=(Stage(100, 3600),), rollback_on=conditions(condition))
    then = (
        f"(if (i32.eq (global.get $n) (i32.const 5)) (then {SAYS_NONSENSE}))" if "viol" in condition else ""
    )
    async with home(tmp_path) as runtime:
        await up(runtime, counter(first=old))
        async with side_by_side(
            runtime, counter("two", first=new, then=then), strategy="canary", options=options
        ) as change:
            asked = [talk(runtime, f"t-{n}") for n in range(40)]
            made = await change
            assert [count for _, count in await said(runtime, asked)] == list(range(1, 41))
        assert made.state == "rolled_back"
        assert word in (made.reason or "")
        assert condition in (made.reason or "")


async def test_the_operator_decides(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        first = await up(runtime, counter())
        async with side_by_side(runtime, counter("two"), strategy="canary", options=HALF) as change:
            id = runtime.agents.registry.find("c").deployment
            assert id is not None
            with pytest.raises(InvalidState, match=id):
                await runtime.agents.stop("c")
            asked = [talk(runtime, f"t-{n}") for n in range(30)]
            ended = await runtime.engine.abort(id)
            assert (ended.state, ended.reason) == ("rolled_back", "the operator took it back")
            assert (await change).state == "rolled_back"
        assert runtime.agents.view("c").revision == first.revision
        with pytest.raises(InvalidState):
            await runtime.engine.promote(id)
        async with side_by_side(runtime, counter("two"), strategy="canary", options=HALF) as change:
            asked += [talk(runtime, f"u-{n}") for n in range(30)]
            ended = await runtime.engine.promote(runtime.agents.registry.find("c").deployment or "")
            assert ended.state == "running"
            asked += [talk(runtime, f"t-{n}") for n in range(30)]
        answers = await said(runtime, asked)
        assert [count for _, count in answers] == list(range(1, 91))
        assert {by for by, _ in answers[-30:]} == {"two"}
        assert await instances(runtime) == 1


async def test_an_old_revision_that_traps_is_repaired_beside_the_new_one(tmp_path: Path) -> None:
    async with home(tmp_path, "[journal]\nsnapshot_every = 1") as runtime:
        await up(runtime, counter(first=longer(2000, "(unreachable)")))
        async with side_by_side(runtime, counter("two"), strategy="canary", options=HALF):
            asked = [talk(runtime, f"t-{n}") for n in range(6)]
            assert [count for _, count in await said(runtime, asked)] == [1, 2, 3, 4, 5, 6]
            whose = next(n for n in range(100) if within(f"u-{n}", 50))
            other = next(n for n in range(100) if not within(f"u-{n}", 50))
            # what the new one says is said although the old one broke down in it
            assert await said(runtime, [talk(runtime, f"u-{whose}", content="x" * 2000)]) == [("two", 7)]
            await reached(runtime, lambda: runtime.agents.view("c").restarts == 1)
            # the old one remembers all but the message that it broke down in
            assert await said(runtime, [talk(runtime, f"u-{other}")]) == [("one", 7)]
            assert await letters(runtime) == []
            made = await runtime.engine.promote(runtime.agents.registry.find("c").deployment or "")
            assert made.state == "running"
        assert (await said(runtime, [talk(runtime, "last")]))[0] == ("two", 9)


async def test_a_cell_that_dies_takes_the_new_one_with_it_and_no_message(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        first = await up(runtime, counter(), limits=Limits(fuel=10**12, wall_ms=20_000))
        wasm = counter("two", first=every(5, SPIN))
        async with side_by_side(runtime, wasm, strategy="canary", options=LENIENT) as change:
            asked = [talk(runtime, f"t-{n}") for n in range(12)]
            await reached(runtime, lambda: runtime.bus.counts.turns >= 4)
            kill_cell(runtime)
            made = await change
        assert (made.state, made.reason) == ("rolled_back", "its cell died")
        answers = await said(runtime, asked)
        assert len(answers) == 12
        assert runtime.agents.view("c").revision == first.revision
        assert await letters(runtime) == []


async def test_a_new_one_that_hangs_holds_up_nobody_of_the_old_one(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await up(runtime, counter(), limits=Limits(wall_ms=500, fuel=10**12))
        wasm = counter("two", first=every(1, SPIN))
        options = DeploymentOptions(stages=(Stage(50, 3600),), rollback_on=(), probe=False)
        async with side_by_side(runtime, wasm, strategy="canary", options=options):
            whose = [n for n in range(100) if within(f"t-{n}", 50)][:1]
            other = [n for n in range(100) if not within(f"t-{n}", 50)][:30]
            slow = talk(runtime, f"t-{whose[0]}")
            quick = [talk(runtime, f"t-{n}") for n in other]
            told = runtime.bus.endpoints["c@local"]
            await reached(runtime, lambda: told.turns >= 31)
            order = sorted((await revisions(runtime)).items())
            assert {no for _, no in order} == {1}
            answers = await said(runtime, [slow, *quick])
            assert [by for by, _ in answers] == ["one"] * 31
            assert [count for _, count in answers] == list(range(1, 32))


async def test_fresh_begins_with_nothing(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await up(runtime, counter(snapshot=False))
        await said(runtime, [talk(runtime, "a"), talk(runtime, "b")])
        async with side_by_side(
            runtime, counter("two", snapshot=False), strategy="canary", options=HALF, fresh_state=True
        ) as change:
            new = next(n for n in range(100) if within(f"t-{n}", 50))
            assert await said(runtime, [talk(runtime, f"t-{new}")]) == [("two", 1)]
            id = runtime.agents.registry.find("c").deployment or ""
            live = runtime.engine.live(id)
            assert live is not None
            assert (live.memory, live.memory_reason) == ("fresh", "a fresh state was asked for")
            await runtime.engine.abort(id)
            assert (await change).state == "rolled_back"
        assert await said(runtime, [talk(runtime, "a")]) == [("one", 4)]


@pytest.mark.parametrize("strategy", ["canary", "shadow"])
async def test_what_cannot_be_compared_is_refused_with_a_way_out(tmp_path: Path, strategy: str) -> None:
    async with home(tmp_path) as runtime:
        first = await runtime.engine.deploy(DeploymentRequest("c", guest(), wat=True))
        # a state that the new one does not take
        with pytest.raises(DeploymentError, match="did not take over the state") as refused:
            await runtime.engine.deploy(
                DeploymentRequest(
                    "c", guest(tag="two", restore="(return (i32.const -2))"), wat=True, strategy=strategy
                )
            )
        assert "--fresh-state" in (refused.value.hint or "")
        assert await instances(runtime) == 1
        # an agent that does not run
        await runtime.agents.stop("c")
        with pytest.raises(InvalidState, match="needs the old revision at work") as stopped:
            await runtime.engine.deploy(DeploymentRequest("c", guest(tag="two"), wat=True, strategy=strategy))
        assert "caxton agent start c" in (stopped.value.hint or "")
        assert runtime.agents.view("c").state != "running"
        await runtime.agents.start("c")
        assert runtime.agents.view("c").revision == first.revision
        # a new one has nothing to be compared with, and begins
        made = await runtime.engine.deploy(
            DeploymentRequest("new", guest(tag="two"), wat=True, strategy=strategy)
        )
        assert made.state == "running"


async def test_what_breaks_its_protocol_takes_it_back(tmp_path: Path) -> None:
    options = DeploymentOptions(
        stages=(Stage(50, 3600),), rollback_on=conditions("violations>0"), min_turns=1, probe=False
    )
    async with home(tmp_path) as runtime:
        first = await up(runtime, counter())
        wasm = counter("two").replace(b"inform", b"cancel")
        async with side_by_side(runtime, wasm, strategy="canary", options=options) as change:
            old = next(n for n in range(100) if not within(f"t-{n}", 50))
            new = next(n for n in range(100) if within(f"t-{n}", 50))
            assert await said(runtime, [talk(runtime, f"t-{old}", protocol="fipa-request")]) == [("one", 1)]
            assert not change.done()
            talk(runtime, f"t-{new}", protocol="fipa-request")
            made = await change
        assert made.state == "rolled_back"
        assert "1 violations (violations>0)" in (made.reason or "")
        assert runtime.bus.counts.violations == 1
        assert runtime.agents.view("c").revision == first.revision
