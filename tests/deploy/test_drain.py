"""Blue-green with a drain: what is under way ends on the old revision, what begins is the new one's."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from agents.homes import home, instances, kill_cell, letters, power_cut, reached

from caxton.clock import VirtualClock
from caxton.deploy import DeploymentOptions, DeploymentRequest, Probation
from caxton.errors import InvalidState
from caxton.house import House
from deploy.dual_runs import SAYS, counter, every, longer, said, side_by_side, talk, up

OPTIONS = DeploymentOptions(drain=True, probation=Probation(turns=3, warm_up_s=3600), drain_s=600, quiet_s=30)


def draining(house: House) -> bool:
    live = house.engine.live(house.agents.registry.find("c").deployment or "")
    house.bus.event("test", body={})
    house.bus.settle()
    return live is not None and live.state == "draining"


async def test_conversations_under_way_end_on_the_old_revision(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with home(tmp_path, clock=clock) as house:
        await up(house, counter())
        asked = [talk(house, "old")]
        await said(house, asked)
        async with side_by_side(house, counter("two"), strategy="blue-green", options=OPTIONS) as change:
            asked += [talk(house, "old"), talk(house, "new-1"), talk(house, "new-2"), talk(house, "new-1")]
            await reached(house, lambda: draining(house))
            with pytest.raises(InvalidState):
                await house.engine.abort(house.agents.registry.find("c").deployment or "")
            for _ in range(4):
                clock.advance(20)
                asked += [talk(house, "old"), talk(house, "new-3")]
                await said(house, asked)
                assert not change.done(), "the old conversation has not been quiet for long enough"
            clock.advance(29)
            assert not change.done()
            clock.advance(1)
            made = await change
            asked.append(talk(house, "old"))
        assert (made.state, made.memory) == ("running", "carried")
        speakers = [by for by, _ in await said(house, asked)]
        assert speakers == ["one", "one", "two", "two", "two", *["one", "two"] * 4, "two"]
        assert [count for _, count in await said(house, asked)] == list(range(1, len(asked) + 1))
        assert house.agents.view("c").revision == made.revision
        assert await instances(house) == 1


AGREE, INFORM = (int.from_bytes(act, "little") for act in (b'"agree" ', b'"inform"'))
ACT_AT = 256 + SAYS.replace('\\"', '"').index('"inform"')
AGREES = f"(i64.store (i32.const {ACT_AT}) (i64.const {AGREE}))" + longer(
    1000, f"(i64.store (i32.const {ACT_AT}) (i64.const {INFORM}))"
)
"""Agrees to what is asked, and informs of what is long."""


async def test_a_conversation_with_a_protocol_is_over_when_it_has_its_end(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with home(tmp_path, clock=clock) as house:
        await up(house, counter(first=AGREES))
        talks = [talk(house, f"old-{n}", protocol="fipa-request") for n in range(2)]
        ended = [talk(house, "ended", protocol="fipa-request", content="x" * 1200)]
        await said(house, [*talks, *ended])
        async with side_by_side(
            house, counter("two", first=AGREES), strategy="blue-green", options=OPTIONS
        ) as change:
            new = [talk(house, f"n-{n}") for n in range(3)]
            await said(house, new)
            await reached(house, lambda: draining(house))
            live = house.engine.live(house.agents.registry.find("c").deployment or "")
            assert live is not None
            assert live.progress is not None
            assert live.progress["drain"] == {"open": 2, "without_protocol": 0, "left_s": 600.0}
            # silence says nothing where an end is to come
            clock.advance(100)
            for left, conversation in ((1, "old-0"), (0, "old-1")):
                assert not change.done()
                cancel = {
                    "performative": "cancel",
                    "protocol": "fipa-request",
                    "reply_with": "r",
                    "content": "x" * 1200,
                }
                assert (await said(house, [talk(house, conversation, **cancel)]))[0][0] == "one"
                if left:
                    live = house.engine.live(live.id)
                    assert live is not None
                    assert live.progress is not None
                    assert live.progress["drain"] == {"open": 1, "without_protocol": 0, "left_s": 500.0}
            made = await change
        assert (made.state, "drain" in (made.progress or {})) == ("running", False)
        assert await instances(house) == 1


async def test_an_end_that_time_brings_is_seen_too(tmp_path: Path) -> None:
    clock = VirtualClock()
    options = msgspec.structs.replace(OPTIONS, drain_s=1e6)
    async with home(tmp_path, clock=clock) as house:
        await up(house, counter(first=AGREES))
        await said(house, [talk(house, "old", protocol="fipa-request")])
        async with side_by_side(
            house, counter("two", first=AGREES), strategy="blue-green", options=options
        ) as change:
            await said(house, [talk(house, f"n-{n}") for n in range(3)])
            await reached(house, lambda: draining(house))
            clock.advance(house.bus.conduct.known["old"].next_us / 1e6 - clock.now_us() / 1e6 - 1)
            assert not change.done()
            clock.advance(2)
            assert house.bus.conduct.known["old"].expired
            assert (await change).state == "running"


async def test_a_drain_is_over_when_its_time_is(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with home(tmp_path, clock=clock) as house:
        await up(house, counter())
        await said(house, [talk(house, "old")])
        async with side_by_side(house, counter("two"), strategy="blue-green", options=OPTIONS) as change:
            await said(house, [talk(house, f"n-{n}") for n in range(3)])
            await reached(house, lambda: draining(house))
            for _ in range(60):
                clock.advance(10)
                await said(house, [talk(house, "old" if not change.done() else "x")])
            assert (await change).state == "running"


async def test_a_failure_in_the_probation_takes_it_back(tmp_path: Path) -> None:
    async with home(tmp_path) as house:
        first = await up(house, counter())
        asked = [talk(house, "old")]
        await said(house, asked)
        wasm = counter("two", first=every(3, "(unreachable)"))
        async with side_by_side(house, wasm, strategy="blue-green", options=OPTIONS) as change:
            asked += [talk(house, f"n-{n}") for n in range(5)]
            made = await change
        assert made.state == "rolled_back"
        assert "unreachable" in (made.reason or "")
        answers = await said(house, asked)
        assert [count for _, count in answers] == [1, 2, 3, 4, 5, 6]
        assert answers[2] == ("one", 3)
        assert house.agents.view("c").revision == first.revision
        assert await letters(house) == []


async def test_with_nothing_under_way_it_is_over_at_once(tmp_path: Path) -> None:
    async with home(tmp_path) as house:
        await up(house, counter())
        options = DeploymentOptions(drain=True, probation=Probation(turns=3, warm_up_s=0.05))
        made = await house.engine.deploy(
            DeploymentRequest("c", counter("two"), wat=True, strategy="blue-green", options=options)
        )
        assert made.state == "running"
        assert await said(house, [talk(house, "x")]) == [("two", 1)]


@pytest.mark.parametrize("how", ["the cell dies", "the daemon stops", "the power goes"])
async def test_what_drains_comes_back_as_the_new_revision(tmp_path: Path, how: str) -> None:
    here, there = tmp_path / "1", tmp_path / "2"
    here.mkdir()
    async with home(here) as house:
        await up(house, counter())
        asked = [talk(house, "old")]
        await said(house, asked)
        async with side_by_side(house, counter("two"), strategy="blue-green", options=OPTIONS) as change:
            asked += [talk(house, f"n-{n}") for n in range(4)]
            await said(house, asked)
            await reached(house, lambda: draining(house))
            if how == "the cell dies":
                kill_cell(house)
                made = await change
                assert made.state == "running"
                answers = await said(house, [*asked, talk(house, "old")])
                assert answers[-1] == ("two", 6)
                assert house.agents.view("c").revision == made.revision
                return
            if how == "the power goes":
                await power_cut(house, there)
    assert (await change).state == "running"
    async with home(there if how == "the power goes" else here) as house:
        rows = await house.journal.reader.deployments()
        assert [row.state for row in rows] == ["running", "running"]
        assert (await said(house, [talk(house, "old")]))[0] == ("two", 6)
