"""The platform's agent `timer`: it wakes who asks for it, also after a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from caxton.bus import timer
from caxton.bus.timer import AFTER_MS_MAX

from .stand import stand


async def test_a_timer_rings_in_the_conversation_of_its_request(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        house.agent("a")
        house.ask("a", conversation_id="talk")
        house.cell.end(
            {
                "performative": "request",
                "receiver": "timer",
                "conversation_id": "talk",
                "reply_with": "w-1",
                "content": {"after_ms": 500, "tag": {"n": 1}},
            }
        )
        ((delay, _),) = house.rings.armed.values()
        assert 0.3 < delay <= 0.5
        assert not house.cell.frames
        house.rings.ring()
        (frame,) = house.cell.frames
        said = frame.message
        assert (said["performative"], said["sender"], said["content"]) == (
            "inform",
            "timer@local",
            {"tag": {"n": 1}},
        )
        assert (said["conversation_id"], said["in_reply_to"]) == ("talk", "w-1")
        house.cell.end()
        turns = await house.turns()
        assert [turn.agent for turn in turns] == ["a@local", "timer@local", "a@local"]
        assert not house.rings.armed


async def test_timers_ring_in_the_order_of_their_times(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        for after, tag in ((900, "late"), (5, "soon"), (0, "now"), (40.5, "between")):
            house.ask("timer", {"after_ms": after, "tag": tag})
        for _ in range(4):
            house.rings.ring()
        tags = [one["content"]["tag"] for one in await house.messages() if one["sender"] == "timer@local"]
        assert tags == ["now", "soon", "between", "late"]


async def test_a_timer_that_is_due_after_a_restart_keeps_what_is_left_of_its_time(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        seq = house.ask("timer", {"after_ms": 60_000, "tag": 1}, conversation_id="talk")
        rung = house.ask("timer", {"after_ms": 10, "tag": 2})
        house.rings.ring()
        await house.commit()
        assert house.bus.low_water() == seq - 1 < rung
        house.timer.close()
        assert not house.rings.armed
    async with stand(tmp_path) as house:
        house.rings.passed_us = 45_000_000
        assert house.pending() == [(seq, ["timer@local"])]
        house.redeliver()
        ((delay, _),) = house.rings.armed.values()
        assert 10 < delay <= 15
        house.rings.ring()
        *_, said = await house.messages()
        assert (said["conversation_id"], said["content"]) == ("talk", {"tag": 1})
        assert house.pending() == []
    async with stand(tmp_path) as house:
        house.redeliver()
        assert not house.rings.armed, "it rang already"


async def test_a_timer_whose_time_passed_while_nothing_ran_rings_at_once(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        house.ask("timer", {"after_ms": 100})
        await house.commit()
    async with stand(tmp_path) as house:
        house.rings.passed_us = 3_600_000_000
        house.redeliver()
        ((delay, _),) = house.rings.armed.values()
        assert delay == 0
        house.rings.ring()
        assert (await house.messages())[-1]["content"] == {"tag": None}


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
        {"after_ms": AFTER_MS_MAX + 1},
        {"after_ms": None},
    ],
)
async def test_the_timer_says_what_it_does_not_understand(tmp_path: Path, content: object) -> None:
    async with stand(tmp_path) as house:
        house.ask("timer", content, reply_with="r-1")
        _, said = await house.messages()
        assert (said["performative"], said["sender"], said["in_reply_to"]) == (
            "not-understood",
            "timer@local",
            "r-1",
        )
        assert "after_ms" in said["content"]["reason"]
        assert said["content"]["hint"]
        assert said["content"]["act"] == "request"
        assert not house.rings.armed
        assert house.pending() == []


async def test_the_timer_takes_requests_only(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        house.bus.submit({"performative": "query-if", "receiver": "timer", "content": {"after_ms": 1}})
        assert (await house.messages())[1]["performative"] == "not-understood"


async def test_too_many_timers_are_refused_and_the_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 20
    monkeypatch.setattr(timer, "TIMERS_MAX", most)
    async with stand(tmp_path) as house:
        content = {"after_ms": 1_000}
        for _ in range(most):
            house.ask("timer", content)
        seq = house.ask("timer", content)
        (said,) = await house.messages(after=seq)
        assert (said["performative"], said["cause"]) == ("refuse", seq)
        assert len(house.rings.armed) == most
        house.rings.ring()
        house.ask("timer", content)
        assert len(house.rings.armed) == most
