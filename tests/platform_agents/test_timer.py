"""The platform's agent `timer`: it wakes who asks for it, also after a restart."""

from __future__ import annotations

from pathlib import Path

import pytest
from bus.harness import Rings, stand

from caxton.platform_agents import timer
from caxton.platform_agents.timer_wishes import LONGEST_MS


async def test_a_timer_rings_in_the_conversation_of_its_request(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.ask("a", conversation_id="talk")
        runtime.cell.end(
            {
                "performative": "request",
                "receiver": "timer",
                "conversation_id": "talk",
                "reply_with": "w-1",
                "content": {"after_ms": 500, "tag": {"n": 1}},
            }
        )
        ((delay, _),) = runtime.rings.armed.values()
        assert 0.3 < delay <= 0.5
        assert not runtime.cell.frames
        runtime.rings.ring()
        (frame,) = runtime.cell.frames
        said = frame.message
        assert (said["performative"], said["sender"], said["content"]) == (
            "inform",
            "timer@local",
            {"tag": {"n": 1}},
        )
        assert (said["conversation_id"], said["in_reply_to"]) == ("talk", "w-1")
        runtime.cell.end()
        turns = await runtime.turns()
        assert [turn.agent for turn in turns] == ["a@local", "timer@local", "a@local"]
        assert not runtime.rings.armed


async def test_timers_ring_in_the_order_of_their_times(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        for after, tag in ((900, "late"), (5, "soon"), (0, "now"), (40.5, "between")):
            runtime.ask("timer", {"after_ms": after, "tag": tag})
        for _ in range(4):
            runtime.rings.ring()
        tags = [one["content"]["tag"] for one in await runtime.messages() if one["sender"] == "timer@local"]
        assert tags == ["now", "soon", "between", "late"]


async def test_a_timer_that_is_due_after_a_restart_keeps_what_is_left_of_its_time(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.ask("timer", {"after_ms": 60_000, "tag": 1}, conversation_id="talk")
        rung = runtime.ask("timer", {"after_ms": 10, "tag": 2})
        runtime.rings.ring()
        await runtime.commit()
        assert runtime.bus.low_water() > rung, "it is a row, and holds nothing up"
        runtime.timer.close()
        assert not runtime.rings.armed
    later = Rings()
    later.passed_us = 45_000_000
    async with stand(tmp_path, later) as runtime:
        assert runtime.pending() == []
        runtime.redeliver()
        ((delay, _),) = runtime.rings.armed.values()
        assert 10 < delay <= 15
        runtime.rings.ring()
        *_, said = await runtime.messages()
        assert (said["conversation_id"], said["content"]) == ("talk", {"tag": 1})
    async with stand(tmp_path) as runtime:
        runtime.redeliver()
        assert not runtime.rings.armed, "it rang already"


async def test_a_timer_whose_time_passed_while_nothing_ran_rings_at_once(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.ask("timer", {"after_ms": 0})
        await runtime.commit()
    async with stand(tmp_path) as runtime:
        runtime.redeliver()
        ((delay, _),) = runtime.rings.armed.values()
        assert delay == 0
        runtime.rings.ring()
        assert (await runtime.messages())[-1]["content"] == {"tag": None}


@pytest.mark.parametrize(
    "content",
    [
        None,
        {},
        [1],
        "500",
        {"after_ms": "500"},
        {"after_ms": True},
        {"after_ms": -1},
        {"after_ms": LONGEST_MS + 1},
        {"after_ms": None},
    ],
)
async def test_the_timer_says_what_it_does_not_understand(tmp_path: Path, content: object) -> None:
    async with stand(tmp_path) as runtime:
        runtime.ask("timer", content, reply_with="r-1")
        _, said = await runtime.messages()
        assert (said["performative"], said["sender"], said["in_reply_to"]) == (
            "not-understood",
            "timer@local",
            "r-1",
        )
        assert "after_ms" in said["content"]["reason"]
        assert said["content"]["hint"]
        assert said["content"]["act"] == "request"
        assert not runtime.rings.armed
        assert runtime.pending() == []


async def test_the_timer_takes_requests_only(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.bus.submit({"performative": "query-if", "receiver": "timer", "content": {"after_ms": 1}})
        assert (await runtime.messages())[1]["performative"] == "not-understood"


async def test_too_many_timers_are_refused_and_the_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 20
    monkeypatch.setattr(timer, "TIMERS_MAX", 2 * most)
    async with stand(tmp_path) as runtime:
        content = {"after_ms": 1_000}
        for _ in range(most):
            runtime.ask("timer", content)
        seq = runtime.ask("timer", content)
        (said,) = await runtime.messages(after=seq)
        assert (said["performative"], said["cause"]) == ("refuse", seq)
        assert runtime.timer.armed == most
        runtime.rings.ring()
        runtime.ask("timer", content)
        assert runtime.timer.armed == most


async def test_an_agents_share_of_timers_is_its_own_and_goes_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timer, "TIMERS_OF_ONE_MAX", 3)
    async with stand(tmp_path) as runtime:
        wish = {"performative": "request", "receiver": "timer", "content": {"after_ms": 60_000}}
        for name in ("a", "b"):
            runtime.agent(name)
            runtime.ask(name)
        runtime.cell.end(*([wish] * 5))
        refused = [one for one in await runtime.messages() if one["performative"] == "refuse"]
        assert len(refused) == 2
        assert "a@local has 3 timers already" in refused[0]["content"]["reason"]
        while runtime.cell.frames[0].message["receiver"] != ["b@local"]:
            runtime.cell.end()
        runtime.cell.end(wish)
        assert runtime.timer.armed == 4, "another agent's share is untouched"
        runtime.timer.removed("a@local")
        assert runtime.timer.armed == 1
        await runtime.commit()
        assert [row.owner for row in runtime.timer.rows()] == ["b@local"]


async def test_many_timers_that_are_due_at_once_let_others_in_between(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.rings.stands_at_us = runtime.rings.now_us()
        for _ in range(200):
            runtime.ask("timer", {"after_ms": 1_000})
        rung = 0
        while runtime.rings.armed:
            before = runtime.timer.armed
            runtime.rings.ring()
            assert before - runtime.timer.armed <= timer.RINGS
            rung += 1
        assert (runtime.timer.armed, rung) == (0, 13)
