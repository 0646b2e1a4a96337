"""Ordinary patterns run with the default limits, and a limit that is met is told by its key and its agent."""

from __future__ import annotations

from pathlib import Path

import pytest

from caxton.limits import Limits
from caxton.turn_status import Status

from .harness import Json, Stand, stand


def readers(runtime: Stand, count: int) -> list[str]:
    return [runtime.agent(f"reader-{n}").name for n in range(count)]


@pytest.mark.parametrize("apart", [False, True], ids=["one message", "a message for each"])
async def test_a_feed_reaches_a_thousand_subscribers_and_all_of_them_answer(
    tmp_path: Path, *, apart: bool
) -> None:
    async with stand(tmp_path) as runtime:
        feed = runtime.agent("feed")
        names = readers(runtime, 1_000)
        runtime.ask("feed")
        news = {"performative": "request", "content": "news"}
        if apart:
            assert len(names) <= Limits().messages_out
            runtime.cell.end(*({**news, "receiver": name} for name in names))
        else:
            runtime.cell.end({**news, "receiver": names})
        runtime.rings.wait(10)
        answered = 0
        while runtime.cell.frames:
            theirs = runtime.cell.frames[0].slot != feed.slot
            runtime.cell.end(*([{"performative": "inform", "content": "thanks"}] if theirs else []))
            answered += not theirs
        assert answered == 1_000
        assert not await runtime.letters()


async def test_an_auction_with_five_hundred_bidders(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        house = runtime.agent("house")
        names = readers(runtime, 500)
        sale = {"protocol": "fipa-contract-net", "conversation_id": "sale"}
        runtime.ask("house")
        runtime.cell.end({"performative": "cfp", "receiver": names, "content": 1, **sale})
        runtime.rings.wait(10)
        bids = 0
        while runtime.cell.frames:
            if runtime.cell.frames[0].slot == house.slot:
                bids += 1
                rest = {"performative": "reject-proposal", "receiver": names[1:], **sale}
                best = {"performative": "accept-proposal", "receiver": names[0], **sale}
                last: list[Json] = [best, rest] if bids == 500 else []
                runtime.cell.end(*last)
                runtime.rings.wait(10)
            else:
                act = runtime.cell.frames[0].message["performative"]
                said = {"cfp": "propose", "accept-proposal": "inform"}.get(act)
                runtime.cell.end(*([{"performative": said, "content": 2}] if said else []))
        assert bids == 501, "every bid, and what the winner did"
        assert not await runtime.letters()
        assert runtime.bus.counts.violations == 0


def test_a_ring_of_a_thousand_agents_may_make_twenty_five_laps() -> None:
    assert Limits().hops >= 1_000 * 25
    assert Limits().messages_out >= Limits().receivers


async def test_a_limit_of_a_turn_is_told_by_its_key_and_its_agent(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("letter")
        runtime.ask("letter")
        runtime.cell.end(
            b'{"code": "messages_out", "reason": "the turn sends 1,025 messages, its limit is 1,024"}',
            status=Status.LIMIT,
            count=0,
        )
        reason = (await runtime.messages())[-1]["content"]["reason"]
        assert reason.endswith("its limit is 1,024 (limits.messages_out of letter@local)")
