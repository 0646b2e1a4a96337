"""Shadow: a copy of the traffic, compared turn by turn; nothing that the shadow does is seen by anybody."""

from __future__ import annotations

from pathlib import Path

import pytest
from agents.systems import home, instances, letters, reached

from caxton.acl import Message, Performative
from caxton.cells import Answer
from caxton.clock import VirtualClock
from caxton.deploy import DeploymentOptions, DeploymentRequest
from caxton.deploy.strategies.comparison import compare
from caxton.limits import Limits
from caxton.turn_status import Status
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

LONG = DeploymentOptions(shadow_s=3600)


async def test_a_good_shadow_says_the_same_and_is_gone_when_its_time_is_over(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with home(tmp_path, clock=clock) as runtime:
        first = await up(runtime, counter())
        asked = [talk(runtime, f"t-{n}") for n in range(5)]
        await said(runtime, asked)
        other = counter(first="(nop)")
        async with side_by_side(
            runtime, other, strategy="shadow", options=DeploymentOptions(shadow_s=60)
        ) as change:
            asked += [talk(runtime, f"t-{n}") for n in range(100)]
            assert await said(runtime, asked) == [("one", n + 1) for n in range(105)]
            clock.advance(60)
            made = await change
        assert made.state == "rolled_back"
        assert made.reason is not None
        assert made.reason.startswith(
            "the shadow's time is over: 100 turns, 100 same and 0 different, errors 0"
        )
        assert made.progress is not None
        assert (made.progress["over"], made.progress["same"], made.progress["different"]) == (True, 100, 0)
        assert set((await revisions(runtime)).values()) == {1}
        assert runtime.agents.view("c").revision == first.revision
        assert await instances(runtime) == 1


@pytest.mark.parametrize(
    ("does", "different"),
    [
        ("(unreachable)", "trap"),
        (SPIN, "limit"),
        (REFUSES, "guest error"),
        (SAYS_NONSENSE, "the host refuses the new one's"),
        ("(return (i32.const 65))", "limit"),
        (f"(i32.store (i32.const 40) (i32.const {1 << 24})) (return (i32.const 1))", "broken"),
        ("(i32.store (i32.const 36) (i32.const -1)) (return (i32.const 1))", "broken"),
        ("(drop (memory.grow (i32.const 100000))) (unreachable)", "trap"),
    ],
    ids=[
        "trap",
        "limit",
        "error code",
        "nonsense",
        "floods with messages",
        "floods with text",
        "points outside its memory",
        "grows beyond its limit",
    ],
)
async def test_a_shadow_that_fails_changes_nothing_for_anyone(
    tmp_path: Path, does: str, different: str
) -> None:
    async with home(tmp_path) as runtime:
        first = await up(runtime, counter(), limits=Limits(fuel=1_000_000, messages_out=64))
        wasm = (
            counter(then=f"(if (i32.eqz (i32.rem_u (global.get $n) (i32.const 10))) (then {does}))")
            if does is SAYS_NONSENSE
            else counter(first=every(10, does))
        )
        async with side_by_side(runtime, wasm, strategy="shadow", options=LONG) as change:
            asked = [talk(runtime, "t") for _ in range(30)]
            assert await said(runtime, asked) == [("one", n + 1) for n in range(30)]
            id = runtime.agents.registry.find("c").deployment
            assert id is not None

            def found() -> bool:
                runtime.bus.event("test", body={})
                runtime.bus.settle()
                live = runtime.engine.live(id)
                return change.done() or bool(live and live.progress and live.progress["different"])

            await reached(runtime, found)
            live = runtime.engine.live(id)
            assert live is not None
            assert live.progress is not None
            example = live.progress["examples"][0]
            assert example["seq"] == asked[9]
            assert different in example["differences"][0]
            view = runtime.agents.view("c")
            assert (view.revision, view.restarts, view.failed_turns) == (first.revision, 0, 0)
            made = await runtime.engine.abort(id)
            assert made.state == "rolled_back"
        assert await letters(runtime) == []
        assert await said(runtime, [talk(runtime, "t")]) == [("one", 31)]
        assert await instances(runtime) == 1


async def test_a_shadow_that_breaks_its_protocol_or_writes_to_others_is_heard_by_nobody(
    tmp_path: Path,
) -> None:
    async with home(tmp_path) as runtime:
        await up(runtime, counter())
        await runtime.engine.deploy(DeploymentRequest("other", counter(), wat=True))
        wrong = counter("two").replace(b"inform", b"cancel")
        async with side_by_side(runtime, wrong, strategy="shadow", options=LONG) as change:
            asked = [talk(runtime, f"t-{n}", protocol="fipa-request") for n in range(5)]
            assert await said(runtime, asked) == [("one", n + 1) for n in range(5)]
            counts = runtime.bus.counts
            assert (counts.violations, counts.turns_refused, counts.turns) == (0, 0, 5)
            states = {one.id: one.open for one in runtime.bus.referee_service.known.values()}
            assert states == {f"t-{n}": 0 for n in range(5)}, "every conversation has had its end"
            await runtime.engine.abort(runtime.agents.registry.find("c").deployment or "")
            assert (await change).state == "rolled_back"
        assert await letters(runtime) == []


async def test_a_shadow_that_hangs_keeps_nobody_waiting(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await up(runtime, counter(), limits=Limits(wall_ms=800, fuel=10**12))
        hangs = counter("two", first=longer(1000, SPIN))
        async with side_by_side(runtime, hangs, strategy="shadow", options=LONG) as change:
            asked = [talk(runtime, "t", content="x" * 1200), *(talk(runtime, f"t-{n}") for n in range(30))]
            assert await said(runtime, asked) == [("one", n + 1) for n in range(31)]
            live = runtime.engine.live(runtime.agents.registry.find("c").deployment or "")
            assert live is not None
            assert live.progress is not None
            assert live.progress["sides"]["new"]["turns"] == 0, "it is still at the first one"
            await runtime.engine.abort(live.id)
            assert (await change).state == "rolled_back"
        assert await said(runtime, [talk(runtime, "t")]) == [("one", 32)]


async def test_a_shadow_that_breaks_down_again_and_again_is_given_up(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await up(runtime, counter())
        options = DeploymentOptions(shadow_s=3600, probe=False)
        async with side_by_side(
            runtime, counter(first="(unreachable)"), strategy="shadow", options=options
        ) as change:
            asked: list[int] = []
            while not change.done():
                asked.append(talk(runtime, "t"))
                await said(runtime, asked[-1:])
            made = await change
        assert made.state == "rolled_back"
        assert "broke down 6 times" in (made.reason or "")
        assert await said(runtime, asked) == [("one", n + 1) for n in range(len(asked))]


async def test_a_shadow_that_was_good_can_be_promoted_without_losing_anything(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await up(runtime, counter())
        async with side_by_side(runtime, counter("two"), strategy="shadow", options=LONG):
            asked = [talk(runtime, "t") for _ in range(30)]
            made = await runtime.engine.promote(runtime.agents.registry.find("c").deployment or "")
            assert made.state == "running"
            assert made.progress is not None
            assert made.progress["different"] == 30
            assert "content.by" in made.progress["examples"][0]["differences"][0]
            asked += [talk(runtime, "t") for _ in range(30)]
        assert await said(runtime, asked) == [("one" if n < 30 else "two", n + 1) for n in range(60)]


ASKED = Message(
    "m",
    Performative.REQUEST,
    "operator@local",
    ["c@local"],
    "t",
    "0" * 32,
    "0" * 16,
    0,
)


def turn(*lines: str, status: Status = Status.OK, logs: int = 0) -> Answer:
    """A turn that said those lines."""
    return Answer(status, "\n".join(lines).encode(), len(lines) - logs)


def found(old: Answer, new: Answer) -> list[str]:
    return compare(old, new, ASKED, "c@local", Limits())


BASE = '{"performative":"inform","content":{"a":1,"b":[1,2]}}'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            turn('{"performative":"inform","content":{"a":1,"b":[1,2]},"id":"x","timestamp":1}'),
            turn(
                '{"content": {"b": [1, 2], "a": 1}, "performative": "inform"}',
                '{"caxton":"log","message":"m"}',
                logs=1,
            ),
        ),
        (turn(), turn()),
        (
            turn('{"performative":"inform","receiver":"operator"}'),
            turn('{"performative":"inform","receiver":["operator@local"]}'),
        ),
        (turn("no", status=Status.GUEST_ERROR), turn("no", status=Status.GUEST_ERROR)),
        (turn("nonsense"), turn("other nonsense")),
    ],
)
def test_what_is_the_same(old: Answer, new: Answer) -> None:
    assert found(old, new) == []


@pytest.mark.parametrize(
    ("new", "says"),
    [
        (turn(), "[0]: {"),
        (turn(BASE.replace("inform", "refuse")), '[0].performative: "inform" before, "refuse" after'),
        (turn(BASE.replace("[1,2]", "[1,3]")), "[0].content.b[1]: 2 before, 3 after"),
        (turn(BASE, BASE), "[1]: nothing before, {"),
        (turn("nonsense"), "the host refuses the new one's: "),
        (turn("no", status=Status.GUEST_ERROR), "the old one's turn is ok, the new one's guest error"),
    ],
)
def test_what_is_different(new: Answer, says: str) -> None:
    assert found(turn(BASE), new)[0].startswith(says)
