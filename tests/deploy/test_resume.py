"""A canary and a shadow go on after a restart of the daemon, in their stage and with what is left of its time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from agents.systems import commit, home, instances, letters, power_cut, reached

from caxton.clock import VirtualClock
from caxton.deploy import Condition, DeploymentOptions, Stage
from caxton.deploy.strategies.conversation_routing import within
from caxton.runtime import Runtime
from deploy.dual_runs import counter, every, said, side_by_side, talk, up

FAILS = Condition("error_rate", 1.0, False, "error_rate>1%")
OPTIONS = DeploymentOptions(stages=(Stage(10, 60), Stage(50, 100)), rollback_on=(FAILS,))


async def taken_up(runtime: Runtime) -> str:
    """The id of the deployment that goes on, as soon as both revisions live again."""
    record = runtime.agents.registry.find("c")

    def both() -> bool:
        runtime.bus.event("test", body={})
        runtime.bus.settle()
        return record.deployment is not None

    await reached(runtime, both)
    assert record.deployment is not None
    return record.deployment


@pytest.mark.parametrize("how", ["the daemon stops", "the power goes"])
async def test_a_canary_goes_on_in_its_stage(tmp_path: Path, how: str) -> None:
    here, there = tmp_path / "1", tmp_path / "2"
    here.mkdir()
    clock = VirtualClock()
    async with home(here, clock=clock) as runtime:
        await up(runtime, counter())
        asked = [talk(runtime, "before")]
        await said(runtime, asked)
        async with side_by_side(runtime, counter("two"), strategy="canary", options=OPTIONS) as change:
            id = runtime.agents.registry.find("c").deployment or ""
            asked += [talk(runtime, f"a-{n}") for n in range(40)]
            await said(runtime, asked)
            clock.advance(60)
            asked += [talk(runtime, f"b-{n}") for n in range(40)]
            speakers = [by for by, _ in await said(runtime, asked)]
            clock.advance(70)
            if how == "the power goes":
                await power_cut(runtime, there)
    assert (await change).state == "deploying", "it goes on"
    clock = VirtualClock(1_700_003_600_000_000)
    async with home(there if how == "the power goes" else here, clock=clock) as runtime:
        assert await taken_up(runtime) == id
        live = runtime.engine.live(id)
        assert live is not None
        assert live.progress is not None
        assert (live.state, live.progress["stage"], live.progress["percent"]) == ("deploying", 2, 50.0)
        assert live.progress["left_s"] == pytest.approx(30, abs=6), "as it was noted last"
        assert [one["percent"] for one in live.progress["past"]] == [10.0]
        assert live.progress["sides"]["new"]["turns"] == 40
        # nobody changes sides
        again = [talk(runtime, "before"), *(talk(runtime, f"a-{n}") for n in range(40))]
        again += [talk(runtime, f"b-{n}") for n in range(40)]
        assert [by for by, _ in await said(runtime, again)] == speakers
        fresh = [talk(runtime, f"c-{n}") for n in range(40)]
        assert [by == "two" for by, _ in await said(runtime, fresh)] == [
            within(f"c-{n}", 50) for n in range(40)
        ]
        clock.advance(40)
        await reached(runtime, lambda: _ended(runtime, id))
        await commit(runtime)
        row = next(row for row in await runtime.journal.reader.deployments() if row.id == id)
        assert (row.state, row.reason) == ("running", None)
        everything = [*asked, *again, *fresh, talk(runtime, "before")]
        answers = await said(runtime, everything)
        assert [count for _, count in answers] == list(range(1, len(everything) + 1))
        assert answers[-1][0] == "two"
        assert await instances(runtime) == 1
    async with home(there if how == "the power goes" else here, clock=clock) as runtime:
        assert await said(runtime, [talk(runtime, "x")]) == [("two", len(everything) + 1)]


def _ended(runtime: Runtime, id: str) -> bool:
    runtime.bus.event("test", body={})
    runtime.bus.settle()
    return runtime.engine.live(id) is None


async def test_what_was_counted_before_a_restart_takes_it_back_after(tmp_path: Path) -> None:
    """One turn of twenty fails: fifteen before the power goes, the rest after; no turn is lost on the way."""
    there = tmp_path / "2"
    there.mkdir()
    options = DeploymentOptions(stages=(Stage(25, 3600), Stage(50, 3600)), rollback_on=(FAILS,))
    wasm = counter("two", first=every(20, "(unreachable)"), snapshot=False)
    clock = VirtualClock()
    async with home(tmp_path, clock=clock) as runtime:
        first = await up(runtime, counter(snapshot=False))
        async with side_by_side(runtime, wasm, strategy="canary", options=options):
            id = runtime.agents.registry.find("c").deployment or ""
            asked = [talk(runtime, f"t-{n}") for n in range(15)]
            await said(runtime, asked)
            live = runtime.engine.live(id)
            assert live is not None
            assert live.progress is not None
            assert live.progress["sides"]["new"]["turns"] == 15
            # it is written down every five seconds
            clock.advance(5)
            await power_cut(runtime, there)
    async with home(there) as runtime:
        assert await taken_up(runtime) == id
        asked += [talk(runtime, f"t-{n}") for n in range(15, 20)]
        await reached(runtime, lambda: _ended(runtime, id))
        asked += [talk(runtime, f"t-{n}") for n in range(20, 40)]
        answers = await said(runtime, asked)
        row = next(row for row in await runtime.journal.reader.deployments() if row.id == id)
        assert row.state == "rolled_back"
        assert row.reason == (
            "stage 1 (25 %): error_rate is 5.0 %, the old one's 0.0 % (error_rate>1%) after 20 turns"
        )
        assert [count for _, count in answers] == list(range(1, 41)), "each message once, in its order"
        assert [by == "two" for by, _ in answers[:19]] == [within(f"t-{n}", 25) for n in range(19)]
        assert {by for by, _ in answers[19:]} == {"one"}
        assert runtime.agents.view("c").revision == first.revision
        assert await letters(runtime) == []


async def test_a_shadow_goes_on(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with home(tmp_path, clock=clock) as runtime:
        await up(runtime, counter())
        async with side_by_side(
            runtime, counter("two"), strategy="shadow", options=DeploymentOptions(shadow_s=100)
        ) as change:
            id = runtime.agents.registry.find("c").deployment or ""
            await said(runtime, [talk(runtime, "t") for _ in range(5)])
            clock.advance(40)
    assert (await change).state == "deploying"
    async with home(tmp_path, clock=clock) as runtime:
        assert await taken_up(runtime) == id
        await said(runtime, [talk(runtime, "t") for _ in range(7)])
        clock.advance(59)
        live = runtime.engine.live(id)
        assert live is not None
        assert live.progress is not None
        assert (live.progress["different"], live.progress["left_s"]) == (12, 1.0)
        clock.advance(1)
        await reached(runtime, lambda: _ended(runtime, id))
        await commit(runtime)
        row = next(row for row in await runtime.journal.reader.deployments() if row.id == id)
        assert row.state == "rolled_back"
        assert (row.reason or "").startswith("the shadow's time is over: 12 turns, 0 same and 12 different")
        assert json.loads(row.detail)["progress"]["over"]
        assert await said(runtime, [talk(runtime, "t")]) == [("one", 13)]


async def test_what_cannot_go_on_is_rolled_back_with_the_reason(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        first = await up(runtime, counter())
        async with side_by_side(runtime, counter("two"), strategy="canary", options=OPTIONS) as change:
            id = runtime.agents.registry.find("c").deployment or ""
            await said(runtime, [talk(runtime, "t")])
    made = await change
    for file in (runtime.project.state / "modules").rglob("*"):
        if file.is_file() and made.revision[:16] in file.name:
            file.unlink()
    async with home(tmp_path) as runtime:
        await reached(runtime, lambda: _ended(runtime, id))
        await commit(runtime)
        row = next(row for row in await runtime.journal.reader.deployments() if row.id == id)
        assert row.state == "rolled_back"
        assert (row.reason or "").startswith("it could not go on after the daemon's restart: ")
        assert runtime.agents.view("c").revision == first.revision
        assert await said(runtime, [talk(runtime, "t")]) == [("one", 2)]
