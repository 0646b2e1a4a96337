"""A canary and a shadow go on after a restart of the daemon, in their stage and with what is left of its time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from agents.homes import commit, home, instances, letters, power_cut, reached

from caxton.clock import VirtualClock
from caxton.deploy import Condition, DeploymentOptions, Stage
from caxton.deploy.strategies.conversation_routing import within
from caxton.house import House
from deploy.dual_runs import counter, every, said, side_by_side, talk, up

FAILS = Condition("error_rate", 1.0, False, "error_rate>1%")
OPTIONS = DeploymentOptions(stages=(Stage(10, 60), Stage(50, 100)), rollback_on=(FAILS,))


async def taken_up(house: House) -> str:
    """The id of the deployment that goes on, as soon as both revisions live again."""
    record = house.agents.registry.find("c")

    def both() -> bool:
        house.bus.event("test", body={})
        house.bus.settle()
        return record.deployment is not None

    await reached(house, both)
    assert record.deployment is not None
    return record.deployment


@pytest.mark.parametrize("how", ["the daemon stops", "the power goes"])
async def test_a_canary_goes_on_in_its_stage(tmp_path: Path, how: str) -> None:
    here, there = tmp_path / "1", tmp_path / "2"
    here.mkdir()
    clock = VirtualClock()
    async with home(here, clock=clock) as house:
        await up(house, counter())
        asked = [talk(house, "before")]
        await said(house, asked)
        async with side_by_side(house, counter("two"), strategy="canary", options=OPTIONS) as change:
            id = house.agents.registry.find("c").deployment or ""
            asked += [talk(house, f"a-{n}") for n in range(40)]
            await said(house, asked)
            clock.advance(60)
            asked += [talk(house, f"b-{n}") for n in range(40)]
            speakers = [by for by, _ in await said(house, asked)]
            clock.advance(70)
            if how == "the power goes":
                await power_cut(house, there)
    assert (await change).state == "deploying", "it goes on"
    clock = VirtualClock(1_700_003_600_000_000)
    async with home(there if how == "the power goes" else here, clock=clock) as house:
        assert await taken_up(house) == id
        live = house.engine.live(id)
        assert live is not None
        assert live.progress is not None
        assert (live.state, live.progress["stage"], live.progress["percent"]) == ("deploying", 2, 50.0)
        assert live.progress["left_s"] == pytest.approx(30, abs=6), "as it was noted last"
        assert [one["percent"] for one in live.progress["past"]] == [10.0]
        assert live.progress["sides"]["new"]["turns"] == 40
        # nobody changes sides
        again = [talk(house, "before"), *(talk(house, f"a-{n}") for n in range(40))]
        again += [talk(house, f"b-{n}") for n in range(40)]
        assert [by for by, _ in await said(house, again)] == speakers
        fresh = [talk(house, f"c-{n}") for n in range(40)]
        assert [by == "two" for by, _ in await said(house, fresh)] == [
            within(f"c-{n}", 50) for n in range(40)
        ]
        clock.advance(40)
        await reached(house, lambda: _ended(house, id))
        await commit(house)
        row = next(row for row in await house.journal.reader.deployments() if row.id == id)
        assert (row.state, row.reason) == ("running", None)
        everything = [*asked, *again, *fresh, talk(house, "before")]
        answers = await said(house, everything)
        assert [count for _, count in answers] == list(range(1, len(everything) + 1))
        assert answers[-1][0] == "two"
        assert await instances(house) == 1
    async with home(there if how == "the power goes" else here, clock=clock) as house:
        assert await said(house, [talk(house, "x")]) == [("two", len(everything) + 1)]


def _ended(house: House, id: str) -> bool:
    house.bus.event("test", body={})
    house.bus.settle()
    return house.engine.live(id) is None


async def test_what_was_counted_before_a_restart_takes_it_back_after(tmp_path: Path) -> None:
    """One turn of twenty fails: fifteen before the power goes, the rest after; no turn is lost on the way."""
    there = tmp_path / "2"
    there.mkdir()
    options = DeploymentOptions(stages=(Stage(25, 3600), Stage(50, 3600)), rollback_on=(FAILS,))
    wasm = counter("two", first=every(20, "(unreachable)"), snapshot=False)
    clock = VirtualClock()
    async with home(tmp_path, clock=clock) as house:
        first = await up(house, counter(snapshot=False))
        async with side_by_side(house, wasm, strategy="canary", options=options):
            id = house.agents.registry.find("c").deployment or ""
            asked = [talk(house, f"t-{n}") for n in range(15)]
            await said(house, asked)
            live = house.engine.live(id)
            assert live is not None
            assert live.progress is not None
            assert live.progress["sides"]["new"]["turns"] == 15
            # it is written down every five seconds
            clock.advance(5)
            await power_cut(house, there)
    async with home(there) as house:
        assert await taken_up(house) == id
        asked += [talk(house, f"t-{n}") for n in range(15, 20)]
        await reached(house, lambda: _ended(house, id))
        asked += [talk(house, f"t-{n}") for n in range(20, 40)]
        answers = await said(house, asked)
        row = next(row for row in await house.journal.reader.deployments() if row.id == id)
        assert row.state == "rolled_back"
        assert row.reason == (
            "stage 1 (25 %): error_rate is 5.0 %, the old one's 0.0 % (error_rate>1%) after 20 turns"
        )
        assert [count for _, count in answers] == list(range(1, 41)), "each message once, in its order"
        assert [by == "two" for by, _ in answers[:19]] == [within(f"t-{n}", 25) for n in range(19)]
        assert {by for by, _ in answers[19:]} == {"one"}
        assert house.agents.view("c").revision == first.revision
        assert await letters(house) == []


async def test_a_shadow_goes_on(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with home(tmp_path, clock=clock) as house:
        await up(house, counter())
        async with side_by_side(
            house, counter("two"), strategy="shadow", options=DeploymentOptions(shadow_s=100)
        ) as change:
            id = house.agents.registry.find("c").deployment or ""
            await said(house, [talk(house, "t") for _ in range(5)])
            clock.advance(40)
    assert (await change).state == "deploying"
    async with home(tmp_path, clock=clock) as house:
        assert await taken_up(house) == id
        await said(house, [talk(house, "t") for _ in range(7)])
        clock.advance(59)
        live = house.engine.live(id)
        assert live is not None
        assert live.progress is not None
        assert (live.progress["different"], live.progress["left_s"]) == (12, 1.0)
        clock.advance(1)
        await reached(house, lambda: _ended(house, id))
        await commit(house)
        row = next(row for row in await house.journal.reader.deployments() if row.id == id)
        assert row.state == "rolled_back"
        assert (row.reason or "").startswith("the shadow's time is over: 12 turns, 0 same and 12 different")
        assert json.loads(row.detail)["progress"]["over"]
        assert await said(house, [talk(house, "t")]) == [("one", 13)]


async def test_what_cannot_go_on_is_rolled_back_with_the_reason(tmp_path: Path) -> None:
    async with home(tmp_path) as house:
        first = await up(house, counter())
        async with side_by_side(house, counter("two"), strategy="canary", options=OPTIONS) as change:
            id = house.agents.registry.find("c").deployment or ""
            await said(house, [talk(house, "t")])
    made = await change
    for file in (house.project.state / "modules").rglob("*"):
        if file.is_file() and made.revision[:16] in file.name:
            file.unlink()
    async with home(tmp_path) as house:
        await reached(house, lambda: _ended(house, id))
        await commit(house)
        row = next(row for row in await house.journal.reader.deployments() if row.id == id)
        assert row.state == "rolled_back"
        assert (row.reason or "").startswith("it could not go on after the daemon's restart: ")
        assert house.agents.view("c").revision == first.revision
        assert await said(house, [talk(house, "t")]) == [("one", 2)]
