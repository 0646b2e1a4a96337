"""Blue-green with a drain: what is under way ends on the old revision, what begins is the new one's."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from agents.systems import home, instances, kill_cell, letters, power_cut, reached

from caxton.clock import VirtualClock
from caxton.deploy import DeploymentOptions, DeploymentRequest, Probation
from caxton.errors import InvalidState
from caxton.runtime import Runtime
from deploy.dual_runs import SAYS, counter, every, longer, said, side_by_side, talk, up

OPTIONS = DeploymentOptions(drain=True, probation=Probation(turns=3, warm_up_s=3600), drain_s=600, quiet_s=30)


def draining(runtime: Runtime) -> bool:
    live = runtime.engine.live(runtime.agents.registry.find("c").deployment or "")
    runtime.bus.event("test", body={})
    runtime.bus.settle()
    return live is not None and live.state == "draining"


async def test_conversations_under_way_end_on_the_old_revision(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with home(tmp_path, clock=clock) as runtime:
        await up(runtime, counter())
        asked = [talk(runtime, "old")]
        await said(runtime, asked)
        async with side_by_side(runtime, counter("two"), strategy="blue-green", options=OPTIONS) as change:
            asked += [
                talk(runtime, "old"),
                talk(runtime, "new-1"),
                talk(runtime, "new-2"),
                talk(runtime, "new-1"),
            ]
            await reached(runtime, lambda: draining(runtime))
            with pytest.raises(InvalidState):
                await runtime.engine.abort(runtime.agents.registry.find("c").deployment or "")
            for _ in range(4):
                clock.advance(20)
                asked += [talk(runtime, "old"), talk(runtime, "new-3")]
                await said(runtime, asked)
                assert not change.done(), "the old conversation has not been quiet for long enough"
            clock.advance(29)
            assert not change.done()
            clock.advance(1)
            made = await change
            asked.append(talk(runtime, "old"))
        assert (made.state, made.memory) == ("running", "carried")
        speakers = [by for by, _ in await said(runtime, asked)]
        assert speakers == ["one", "one", "two", "two", "two", *["one", "two"] * 4, "two"]
        assert [count for _, count in await said(runtime, asked)] == list(range(1, len(asked) + 1))
        assert runtime.agents.view("c").revision == made.revision
        assert await instances(runtime) == 1


AGREE, INFORM = (int.from_bytes(act, "little") for act in (b'"agree" ', b'"inform"'))
ACT_AT = 256 + SAYS.replace('\\"', '"').index('"inform"')
AGREES = f"(i64.store (i32.const {ACT_AT}) (i64.const {AGREE}))" + longer(
    1000, f"(i64.store (i32.const {ACT_AT}) (i64.const {INFORM}))"
)
"""Agrees to what is asked, and informs of what is long."""


async def test_a_conversation_with_a_protocol_is_over_when_it_has_its_end(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with home(tmp_path, clock=clock) as runtime:
        await up(runtime, counter(first=AGREES))
        talks = [talk(runtime, f"old-{n}", protocol="fipa-request") for n in range(2)]
        ended = [talk(runtime, "ended", protocol="fipa-request", content="x" * 1200)]
        await said(runtime, [*talks, *ended])
        async with side_by_side(
            runtime, counter("two", first=AGREES), strategy="blue-green", options=OPTIONS
        ) as change:
            new = [talk(runtime, f"n-{n}") for n in range(3)]
            await said(runtime, new)
            await reached(runtime, lambda: draining(runtime))
            live = runtime.engine.live(runtime.agents.registry.find("c").deployment or "")
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
                assert (await said(runtime, [talk(runtime, conversation, **cancel)]))[0][0] == "one"
                if left:
                    live = runtime.engine.live(live.id)
                    assert live is not None
                    assert live.progress is not None
                    assert live.progress["drain"] == {"open": 1, "without_protocol": 0, "left_s": 500.0}
            made = await change
        assert (made.state, "drain" in (made.progress or {})) == ("running", False)
        assert await instances(runtime) == 1


async def test_an_end_that_time_brings_is_seen_too(tmp_path: Path) -> None:
    clock = VirtualClock()
    options = msgspec.structs.replace(OPTIONS, drain_s=1e6)
    async with home(tmp_path, clock=clock) as runtime:
        await up(runtime, counter(first=AGREES))
        await said(runtime, [talk(runtime, "old", protocol="fipa-request")])
        async with side_by_side(
            runtime, counter("two", first=AGREES), strategy="blue-green", options=options
        ) as change:
            await said(runtime, [talk(runtime, f"n-{n}") for n in range(3)])
            await reached(runtime, lambda: draining(runtime))
            clock.advance(runtime.bus.referee_service.known["old"].next_us / 1e6 - clock.now_us() / 1e6 - 1)
            assert not change.done()
            clock.advance(2)
            assert runtime.bus.referee_service.known["old"].expired
            assert (await change).state == "running"


async def test_a_drain_is_over_when_its_time_is(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with home(tmp_path, clock=clock) as runtime:
        await up(runtime, counter())
        await said(runtime, [talk(runtime, "old")])
        async with side_by_side(runtime, counter("two"), strategy="blue-green", options=OPTIONS) as change:
            await said(runtime, [talk(runtime, f"n-{n}") for n in range(3)])
            await reached(runtime, lambda: draining(runtime))
            for _ in range(60):
                clock.advance(10)
                await said(runtime, [talk(runtime, "old" if not change.done() else "x")])
            assert (await change).state == "running"


async def test_a_failure_in_the_probation_takes_it_back(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        first = await up(runtime, counter())
        asked = [talk(runtime, "old")]
        await said(runtime, asked)
        wasm = counter("two", first=every(3, "(unreachable)"))
        async with side_by_side(runtime, wasm, strategy="blue-green", options=OPTIONS) as change:
            asked += [talk(runtime, f"n-{n}") for n in range(5)]
            made = await change
        assert made.state == "rolled_back"
        assert "unreachable" in (made.reason or "")
        answers = await said(runtime, asked)
        assert [count for _, count in answers] == [1, 2, 3, 4, 5, 6]
        assert answers[2] == ("one", 3)
        assert runtime.agents.view("c").revision == first.revision
        assert await letters(runtime) == []


async def test_with_nothing_under_way_it_is_over_at_once(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await up(runtime, counter())
        options = DeploymentOptions(drain=True, probation=Probation(turns=3, warm_up_s=0.05))
        made = await runtime.engine.deploy(
            DeploymentRequest("c", counter("two"), wat=True, strategy="blue-green", options=options)
        )
        assert made.state == "running"
        assert await said(runtime, [talk(runtime, "x")]) == [("two", 1)]


@pytest.mark.parametrize("how", ["the cell dies", "the daemon stops", "the power goes"])
async def test_what_drains_comes_back_as_the_new_revision(tmp_path: Path, how: str) -> None:
    here, there = tmp_path / "1", tmp_path / "2"
    here.mkdir()
    async with home(here) as runtime:
        await up(runtime, counter())
        asked = [talk(runtime, "old")]
        await said(runtime, asked)
        async with side_by_side(runtime, counter("two"), strategy="blue-green", options=OPTIONS) as change:
            asked += [talk(runtime, f"n-{n}") for n in range(4)]
            await said(runtime, asked)
            await reached(runtime, lambda: draining(runtime))
            if how == "the cell dies":
                kill_cell(runtime)
                made = await change
                assert made.state == "running"
                answers = await said(runtime, [*asked, talk(runtime, "old")])
                assert answers[-1] == ("two", 6)
                assert runtime.agents.view("c").revision == made.revision
                return
            if how == "the power goes":
                await power_cut(runtime, there)
    assert (await change).state == "running"
    async with home(there if how == "the power goes" else here) as runtime:
        rows = await runtime.journal.reader.deployments()
        assert [row.state for row in rows] == ["running", "running"]
        assert (await said(runtime, [talk(runtime, "old")]))[0] == ("two", 6)
