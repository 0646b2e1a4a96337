"""Clients get what is said to them once, in order, and never before it is on disk."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from caxton.bus.clients import WAITING_MAX, StoredBody

from .stand import Stand, stand


def contents(bodies: list[StoredBody | None]) -> list[object]:
    return [json.loads(body.body)["content"] if body is not None else None for body in bodies]


def answer(house: Stand, *numbers: int) -> None:
    house.cell.end(*({"performative": "inform", "content": n} for n in numbers))


async def test_an_answer_is_given_after_its_commit_and_not_before(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        house.agent("a")
        with house.bus.clients.expect("talk") as waiter:
            house.ask("a", conversation_id="talk")
            answer(house, 1)
            # the journal tells of a commit through the loop, which had no turn yet
            assert await waiter.next(0) is None
            body = await waiter.next(10)
            assert body is not None
            assert body.seq <= house.journal.committed
            stored = await house.journal.reader.message(body.seq)
            assert stored is not None
            assert stored.body == body.body


async def test_answers_come_once_and_in_order(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        house.agent("a")
        with house.bus.clients.expect("talk") as waiter:
            for _ in range(3):
                house.ask("a", conversation_id="talk")
            answer(house, 1, 2)
            answer(house)
            answer(house, 3)
            assert contents([await waiter.next(10) for _ in range(3)]) == [1, 2, 3]
            await house.commit()
            assert await waiter.next(0) is None


async def test_everybody_who_waits_for_a_conversation_gets_it_and_nobody_else(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        house.agent("a")
        expect = house.bus.clients.expect
        with expect("talk") as one, expect("talk") as two, expect("other") as three:
            house.ask("a", conversation_id="talk", sender="operator.ann")
            answer(house, 1)
            assert contents([await one.next(10), await two.next(10)]) == [1, 1]
            assert await three.next(0) is None


async def test_what_agents_say_to_each_other_is_not_given_to_clients(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        house.agent("a")
        house.agent("b")
        with house.bus.clients.expect("talk") as waiter:
            house.ask("a", conversation_id="talk")
            house.cell.end(
                {"performative": "request", "receiver": "b", "conversation_id": "talk", "content": 1},
                {
                    "performative": "inform",
                    "receiver": ["b", "operator"],
                    "conversation_id": "talk",
                    "content": 2,
                },
            )
            assert contents([await waiter.next(10)]) == [2]
            assert await waiter.next(0) is None


async def test_a_failure_is_an_answer(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        with house.bus.clients.expect("talk") as waiter:
            house.ask("nobody", conversation_id="talk")
            body = await waiter.next(10)
            assert body is not None
            assert json.loads(body.body)["performative"] == "failure"


async def test_who_no_longer_waits_leaves_nothing_behind(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        house.agent("a")
        with house.bus.clients.expect("talk"), house.bus.clients.expect("talk"):
            house.ask("a", conversation_id="talk")
        assert house.bus.clients.waiters == {}
        answer(house, 1)
        with house.bus.clients.expect("talk") as late:
            await house.commit()
            assert await late.next(0) is None, "it was said before this one waited"


async def test_a_waiter_who_does_not_look_keeps_the_newest(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        house.agent("a")
        with house.bus.clients.expect("talk") as waiter:
            for round_no in range(WAITING_MAX // 50 + 1):
                house.ask("a", conversation_id="talk")
                answer(house, *range(round_no * 50, round_no * 50 + 50))
            await house.commit()
            assert contents([await waiter.next(0)]) == [50]


async def test_a_message_to_a_client_needs_no_turn(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        house.agent("a")
        house.ask(["operator.ann", "operator"])
        seq = house.ask(["a", "operator.ann"])
        await house.commit()
        assert house.pending() == [(seq, ["a@local", "operator.ann@local"])]
        house.redeliver()
        answer(house, 1)
        # the client has had its chance: what it did not see is in the journal
        assert house.bus.counts.dead_letters == 0


async def test_waiting_ends_with_the_time(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        with house.bus.clients.expect("talk") as waiter:
            began = asyncio.get_running_loop().time()
            assert await waiter.next(0.05) is None
            assert asyncio.get_running_loop().time() - began >= 0.049
