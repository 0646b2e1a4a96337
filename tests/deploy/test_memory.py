"""What each of two live revisions remembers: all that it has handled itself, through breakdowns, crashes and whatever
decides between them; a model of two counters says what is right (docs/decisions/0010-side-by-side.md)."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from agents.systems import answers, home, instances, kill_cell, power_cut, reached

from caxton.clock import VirtualClock
from caxton.deploy import DeploymentOptions, DeploymentRequest, Probation, Stage
from caxton.deploy.handover.dual_run import DualRun
from caxton.deploy.strategies.conversation_routing import within
from caxton.errors import DeploymentError
from caxton.limits import Limits
from caxton.runtime import Runtime
from deploy.dual_runs import SPIN, counter, longer, side_by_side, talk, up

HALF = DeploymentOptions(stages=(Stage(50, 100_000),), rollback_on=())
TRAPS = "(unreachable)"
PLAIN, NEW_TRAPS, OLD_TRAPS, BOTH_TRAP = 0, 1200, 2200, 3200
"""How long a message is, which says what it does to whom."""
LIMITS = Limits(mailbox=10_000, wall_ms=30_000)
"""On a loaded machine a turn that is run again may take a second, and no test is about that."""


def old(*, hooks: bool) -> bytes:
    return counter("one", first=longer(2000, TRAPS), snapshot=hooks)


def new(*, hooks: bool) -> bytes:
    first = longer(1000, TRAPS, upto=2000) + longer(3000, TRAPS)
    return counter("two", first=first, snapshot=hooks)


@dataclass
class Model:
    """Two counters, and what is said of each message."""

    hooks: bool
    old: int = 0
    new: int = 0

    def hears(self, kind: int, *, new_speaks: bool) -> tuple[str, int] | None:
        """One message; who answers with which number, None for a failure."""
        bears_old, bears_new = kind < OLD_TRAPS, kind in (PLAIN, OLD_TRAPS)
        self.old += bears_old
        self.new += bears_new
        if not bears_new and self.hooks:
            self.new = self.old  # it joins again with the state that the old one has then
        if new_speaks and bears_new:
            return "two", self.new
        return ("one", self.old) if bears_old else None


async def whole(runtime: Runtime) -> None:
    """Both revisions are at work again, and have ended what they were given: what one says is said before the other one
    has ended, and may break down."""
    record = runtime.agents.registry.find("c")
    if isinstance(both := record.endpoint.port, DualRun):
        await both.quiet()

    def stands() -> bool:
        runtime.bus.event("test", body={})
        runtime.bus.settle()
        port = record.endpoint.port
        return record.mending is None and (not isinstance(port, DualRun) or port.seated)

    await reached(runtime, stands)


async def ask(runtime: Runtime, conversation: str, kind: int = PLAIN) -> tuple[str, int] | None:
    """One message of that kind and what is said of it."""
    seq = talk(runtime, conversation, content="x" * kind)
    await runtime.bus.endpoints["c@local"].empty()
    await whole(runtime)
    said: list[dict[str, Any]] = (await answers(runtime))[seq]
    assert len(said) == 1
    content = said[0]["content"]
    return (content["by"], int(content["count"])) if said[0]["performative"] == "inform" else None


async def some(runtime: Runtime, clock: VirtualClock, model: Model, chance: random.Random, many: int) -> None:
    """A few messages in new conversations, of all kinds."""
    for number in range(many):
        # breakdowns that lie so far apart are borne
        clock.advance(31)
        kind = chance.choice((PLAIN, PLAIN, NEW_TRAPS, OLD_TRAPS, BOTH_TRAP))
        conversation = f"{chance.random()}"
        wanted = model.hears(kind, new_speaks=within(conversation, 50))
        assert await ask(runtime, conversation, kind) == wanted, f"message {number}, of {kind}"


@pytest.mark.parametrize("hooks", [False, True], ids=["told", "hooks"])
@pytest.mark.parametrize("end", ["promoted", "aborted", "the cell dies"])
@pytest.mark.parametrize("power", [False, True], ids=["", "the power goes"])
async def test_each_remembers_what_it_has_handled(tmp_path: Path, hooks: bool, end: str, power: bool) -> None:
    chance = random.Random(f"{hooks}{end}{power}")
    clock = VirtualClock()
    here, there = tmp_path / "1", tmp_path / "2"
    here.mkdir()
    model = Model(hooks)
    async with home(here, clock=clock) as runtime:
        await up(runtime, old(hooks=hooks), limits=LIMITS)
        for _ in range(3):
            assert await ask(runtime, "before") == model.hears(PLAIN, new_speaks=False)
        model.new = model.old
        async with side_by_side(runtime, new(hooks=hooks), strategy="canary", options=HALF) as change:
            await some(runtime, clock, model, chance, 12)
            if power:
                await power_cut(runtime, there)
            else:
                await _end(runtime, clock, model, end)
                made = await change
                assert made.memory == ("carried" if hooks else "rebuilt")
                if not hooks:
                    assert made.memory_reason == "3 turns run again"
    if not power:
        return
    if hooks:
        model.new = model.old
    async with home(there, clock=clock) as runtime:
        await whole(runtime)
        assert runtime.agents.registry.find("c").deployment is not None
        await some(runtime, clock, model, chance, 8)
        await _end(runtime, clock, model, end)


async def _end(runtime: Runtime, clock: VirtualClock, model: Model, end: str) -> None:
    """Decide it, and see that what is left remembers what is its own, also after another crash."""
    id = runtime.agents.registry.find("c").deployment or ""
    clock.advance(31)
    match end:
        case "promoted":
            assert (await runtime.engine.promote(id)).state == "running"
        case "aborted":
            assert (await runtime.engine.abort(id)).state == "rolled_back"
        case _:
            restarts = runtime.agents.view("c").restarts
            kill_cell(runtime)
            await reached(runtime, lambda: runtime.agents.view("c").restarts > restarts)
            await reached(runtime, lambda: _is_over(runtime))
    assert await instances(runtime) == 1
    by, stood = ("two", model.new) if end == "promoted" else ("one", model.old)
    assert await ask(runtime, "after") == (by, stood + 1)
    restarts = runtime.agents.view("c").restarts
    kill_cell(runtime)
    await reached(runtime, lambda: runtime.agents.view("c").restarts > restarts)
    assert await ask(runtime, "after") == (by, stood + 2)


def _is_over(runtime: Runtime) -> bool:
    runtime.bus.event("test", body={})
    runtime.bus.settle()
    return runtime.agents.registry.find("c").deployment is None


async def test_a_turn_that_only_the_other_one_bore_is_left_out_where_no_row_says_so(tmp_path: Path) -> None:
    """The power may go between the row of a turn and the word that the other one broke down over it."""
    there = tmp_path / "2"
    clock = VirtualClock()
    with_new = next(f"t-{n}" for n in range(100) if within(f"t-{n}", 50))
    with_old = next(f"t-{n}" for n in range(100) if not within(f"t-{n}", 50))
    async with home(tmp_path, clock=clock) as runtime:
        await up(runtime, old(hooks=False))
        async with side_by_side(runtime, new(hooks=False), strategy="canary", options=HALF):
            assert await ask(runtime, with_old) == ("one", 1)
            assert await ask(runtime, with_new, OLD_TRAPS) == ("two", 2)
            assert await ask(runtime, with_old, NEW_TRAPS) == ("one", 2)
            await power_cut(runtime, there)
    state = there / runtime.project.state.name
    db = sqlite3.connect(state / "journal.db", isolation_level=None)
    assert db.execute("delete from own_turn").rowcount == 2
    db.close()
    (state / "journal.sums").unlink()
    for last in (2, 5):  # the second time a row says it
        async with home(there, clock=clock) as runtime:
            await whole(runtime)
            assert await ask(runtime, with_old) == ("one", last + 1)
            assert await ask(runtime, with_new) == ("two", last + 2)
            assert await ask(runtime, with_old) == ("one", last + 3)


async def test_fresh_remembers_since_it_began_and_nothing_of_before(tmp_path: Path) -> None:
    clock = VirtualClock()
    talks = iter(f"t-{n}" for n in range(1000) if within(f"t-{n}", 50))
    async with home(tmp_path, clock=clock) as runtime:
        await up(runtime, old(hooks=True))
        assert await ask(runtime, "before") == ("one", 1)
        async with side_by_side(
            runtime, new(hooks=True), strategy="canary", options=HALF, fresh_state=True
        ) as change:
            assert await ask(runtime, next(talks)) == ("two", 1)
            assert await ask(runtime, next(talks), NEW_TRAPS) == ("one", 3)
            assert await ask(runtime, next(talks)) == ("two", 2)
    # the daemon has stopped, and kept the old one's state
    assert (await change).memory == "fresh"
    async with home(tmp_path, clock=clock) as runtime:
        await whole(runtime)
        assert await ask(runtime, next(talks)) == ("two", 3)
        made = await runtime.engine.promote(runtime.agents.registry.find("c").deployment or "")
        assert (made.memory, made.memory_reason) == ("fresh", "a fresh state was asked for")
        kill_cell(runtime)
        await reached(runtime, lambda: runtime.agents.view("c").restarts == 1)
        assert await ask(runtime, "after") == ("two", 4)


async def test_a_shadow_is_told_the_past_and_can_be_promoted(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await up(runtime, old(hooks=False))
        assert [await ask(runtime, "t") for _ in range(2)] == [("one", 1), ("one", 2)]
        options = DeploymentOptions(shadow_s=100_000)
        async with side_by_side(runtime, new(hooks=False), strategy="shadow", options=options) as change:
            live = runtime.engine.live(runtime.agents.registry.find("c").deployment or "")
            assert live is not None
            assert (live.memory, live.memory_reason) == ("rebuilt", "2 turns run again")
            assert await ask(runtime, "t") == ("one", 3)
            assert await ask(runtime, "t", NEW_TRAPS) == ("one", 4)
            await runtime.engine.promote(live.id)
            assert (await change).state == "running"
        assert await ask(runtime, "t") == ("two", 4)


@pytest.mark.parametrize("how", ["it ends", "the cell dies"])
@pytest.mark.parametrize("fresh", [False, True], ids=["told", "fresh"])
async def test_what_drains_remembers_on_both_sides(tmp_path: Path, how: str, fresh: bool) -> None:
    clock = VirtualClock()
    options = DeploymentOptions(
        drain=True, probation=Probation(turns=1, warm_up_s=3600), drain_s=600, quiet_s=30
    )
    async with home(tmp_path, clock=clock) as runtime:
        await up(runtime, old(hooks=False))
        assert [await ask(runtime, "old") for _ in range(2)] == [("one", 1), ("one", 2)]
        async with side_by_side(
            runtime, new(hooks=False), strategy="blue-green", options=options, fresh_state=fresh
        ) as change:
            before = 0 if fresh else 2
            assert await ask(runtime, "n-1") == ("two", before + 1)
            live = runtime.engine.live(runtime.agents.registry.find("c").deployment or "")
            assert live is not None
            assert (live.state, live.memory) == ("draining", "fresh" if fresh else "rebuilt")
            # each breaks down once, and is back with all else
            assert await ask(runtime, "old", OLD_TRAPS) is None
            assert await ask(runtime, "old") == ("one", 4)
            assert await ask(runtime, "n-1", NEW_TRAPS) == ("one", 5)
            assert await ask(runtime, "n-1") == ("two", before + 4)
            if how == "it ends":
                clock.advance(31)
            else:
                kill_cell(runtime)
            assert (await change).state == "running"
        assert await ask(runtime, "old") == ("two", before + 5)
        restarts = runtime.agents.view("c").restarts
        kill_cell(runtime)
        await reached(runtime, lambda: runtime.agents.view("c").restarts > restarts)
        assert await ask(runtime, "old") == ("two", before + 6)


async def test_both_break_down_over_one_message_and_both_are_back(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with home(tmp_path, clock=clock) as runtime:
        await up(runtime, old(hooks=True))
        async with side_by_side(runtime, new(hooks=True), strategy="canary", options=HALF) as change:
            for number in range(12):
                clock.advance(31)
                assert await ask(runtime, f"b-{number}", BOTH_TRAP) is None
                assert (await ask(runtime, f"c-{number}") or ("", 0))[1] == number + 1
            assert not change.done()


async def test_a_build_that_breaks_down_over_the_past_is_not_taken(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        first = await up(runtime, old(hooks=False))
        assert await ask(runtime, "t", NEW_TRAPS) == ("one", 1)
        with pytest.raises(DeploymentError, match="its past cannot be told") as caught:
            await runtime.engine.deploy(
                DeploymentRequest("c", new(hooks=False), wat=True, strategy="canary", options=HALF)
            )
        assert "--fresh-state" in (caught.value.hint or "")
        assert runtime.agents.view("c").revision == first.revision
        assert await ask(runtime, "t") == ("one", 2)
        assert await instances(runtime) == 1


@pytest.mark.parametrize("end", ["promoted", "aborted"])
async def test_whoever_goes_on_alone_has_first_ended_what_it_was_given(tmp_path: Path, end: str) -> None:
    """What one of the two says is said while the other one is still at it, and may yet break down."""
    slow = longer(1000, SPIN)
    hangs = ("one", "two") if end == "aborted" else ("two", "one")
    async with home(tmp_path) as runtime:
        await up(
            runtime,
            counter("one", first=slow if hangs[0] == "one" else "", snapshot=False),
            limits=Limits(fuel=10**12, wall_ms=400),
        )
        wasm = counter("two", first=slow if hangs[0] == "two" else "", snapshot=False)
        async with side_by_side(runtime, wasm, strategy="canary", options=HALF) as change:
            quick = next(f"t-{n}" for n in range(100) if within(f"t-{n}", 50) == (end == "aborted"))
            id = runtime.agents.registry.find("c").deployment or ""
            seq = talk(runtime, quick, content="x" * 1200)
            endpoint = runtime.bus.endpoints["c@local"]
            await endpoint.empty()
            assert (await answers(runtime))[seq][0]["content"]["by"] == hangs[1], "the other one still hangs"
            decide = runtime.engine.abort if end == "aborted" else runtime.engine.promote
            ended = await decide(id)
            assert (await change).state == ended.state
        if end == "aborted":
            assert ended.state == "rolled_back"
            assert await ask(runtime, "after") == ("one", 1), "it has broken down over the other message"
        else:
            # a new one that breaks down while it takes over is not taken
            assert (ended.state, ended.reason) == (
                "rolled_back",
                "the new revision broke down while it took over",
            )
            assert await ask(runtime, "after") == ("one", 2)


async def test_an_instance_that_is_coming_back_when_it_is_decided_is_not_left_over(tmp_path: Path) -> None:
    options = DeploymentOptions(shadow_s=1000)
    async with home(tmp_path, clock=VirtualClock()) as runtime:
        await up(runtime, old(hooks=True))
        for number in range(12):
            async with side_by_side(runtime, new(hooks=True), strategy="shadow", options=options):
                talk(runtime, f"t-{number}", content="x" * NEW_TRAPS)
                await runtime.bus.endpoints["c@local"].empty()
                for _ in range(3 * number):
                    # a little further each time on its way back
                    await asyncio.sleep(0)
                await runtime.engine.abort(runtime.agents.registry.find("c").deployment or "")
            assert await instances(runtime) == 1, f"round {number}"


@pytest.mark.parametrize("end", ["promoted", "aborted"])
async def test_under_load_nothing_is_told_twice_or_not_at_all(tmp_path: Path, end: str) -> None:
    """Breakdowns of either side while messages keep coming; nobody waits until both are back."""
    chance = random.Random(end)
    clock = VirtualClock()
    asked: list[tuple[int, int]] = []
    async with home(tmp_path, clock=clock) as runtime:
        await up(runtime, old(hooks=False), limits=LIMITS)
        endpoint = runtime.bus.endpoints["c@local"]

        def burst(many: int, *kinds: int) -> None:
            length = [*kinds, *[PLAIN] * (many - len(kinds))]
            chance.shuffle(length)
            asked.extend((talk(runtime, f"{chance.random()}", content="x" * kind), kind) for kind in length)

        burst(100)
        async with side_by_side(runtime, new(hooks=False), strategy="canary", options=HALF) as change:
            for number in range(12):
                clock.advance(31)
                burst(60, NEW_TRAPS if number % 2 else OLD_TRAPS)
                for _ in range(chance.randrange(200)):
                    burst(1)
                    await asyncio.sleep(0)
            assert not change.done()
            # one that breaks down while it takes over is not taken
            await endpoint.empty()
            await whole(runtime)
            id = runtime.agents.registry.find("c").deployment or ""
            burst(60)
            await (runtime.engine.promote(id) if end == "promoted" else runtime.engine.abort(id))
            await endpoint.empty()
            made = await change
        assert made.state == ("running" if end == "promoted" else "rolled_back"), made.reason
        answered = await answers(runtime)
        assert {len(answered[seq]) for seq, _ in asked} == {1}
        assert all(answered[seq][0]["performative"] == "inform" for seq, kind in asked if kind != OLD_TRAPS)
        lost = sum(kind == (NEW_TRAPS if end == "promoted" else OLD_TRAPS) for _, kind in asked)
        assert lost == 6
        if end == "promoted":
            # what the old one failed in while the new one was away is in nobody's memory
            own = (await runtime.journal.reader.own_turns([endpoint.number]))[endpoint.number, id]
            failed = [seq for seq, _ in asked if answered[seq][0]["performative"] == "failure"]
            lost += sum(not own.get(seq, False) for seq in failed)
        by = "two" if end == "promoted" else "one"
        assert await ask(runtime, "after") == (by, len(asked) - lost + 1)
        kill_cell(runtime)
        restarts = runtime.agents.view("c").restarts
        await reached(runtime, lambda: runtime.agents.view("c").restarts > restarts)
        assert await ask(runtime, "after") == (by, len(asked) - lost + 2)
