"""Clients get what is said to them once, in order, and never before it is on disk."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from caxton.bus.clients import WAITING_MAX, StoredBody

from .harness import Stand, stand


def contents(bodies: list[StoredBody | None]) -> list[object]:
    return [json.loads(body.body)["content"] if body is not None else None for body in bodies]


def answer(runtime: Stand, *numbers: int) -> None:
    runtime.cell.end(*({"performative": "inform", "content": n} for n in numbers))


async def test_an_answer_is_given_after_its_commit_and_not_before(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        with runtime.bus.clients.expect("talk") as waiter:
            runtime.ask("a", conversation_id="talk")
            answer(runtime, 1)
            # the journal tells of a commit through the loop, which had no turn yet
            assert await waiter.next(0) is None
            body = await waiter.next(10)
            assert body is not None
            assert body.seq <= runtime.journal.committed
            stored = await runtime.journal.reader.message(body.seq)
            assert stored is not None
            assert stored.body == body.body


async def test_answers_come_once_and_in_order(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        with runtime.bus.clients.expect("talk") as waiter:
            for _ in range(3):
                runtime.ask("a", conversation_id="talk")
            answer(runtime, 1, 2)
            answer(runtime)
            answer(runtime, 3)
            assert contents([await waiter.next(10) for _ in range(3)]) == [1, 2, 3]
            await runtime.commit()
            assert await waiter.next(0) is None


async def test_everybody_who_waits_for_a_conversation_gets_it_and_nobody_else(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        expect = runtime.bus.clients.expect
        with expect("talk") as one, expect("talk") as two, expect("other") as three:
            runtime.ask("a", conversation_id="talk", sender="operator.ann")
            answer(runtime, 1)
            assert contents([await one.next(10), await two.next(10)]) == [1, 1]
            assert await three.next(0) is None


async def test_what_agents_say_to_each_other_is_not_given_to_clients(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.agent("b")
        with runtime.bus.clients.expect("talk") as waiter:
            runtime.ask("a", conversation_id="talk")
            runtime.cell.end(
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
    async with stand(tmp_path) as runtime:
        with runtime.bus.clients.expect("talk") as waiter:
            runtime.ask("nobody", conversation_id="talk")
            body = await waiter.next(10)
            assert body is not None
            assert json.loads(body.body)["performative"] == "failure"


async def test_who_no_longer_waits_leaves_nothing_behind(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        with runtime.bus.clients.expect("talk"), runtime.bus.clients.expect("talk"):
            runtime.ask("a", conversation_id="talk")
        assert runtime.bus.clients.waiters == {}
        answer(runtime, 1)
        with runtime.bus.clients.expect("talk") as late:
            await runtime.commit()
            assert await late.next(0) is None, "it was said before this one waited"


async def test_a_waiter_who_does_not_look_keeps_the_newest(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        with runtime.bus.clients.expect("talk") as waiter:
            for round_no in range(WAITING_MAX // 50 + 1):
                # who says so much rests in between
                runtime.rings.wait(1)
                runtime.ask("a", conversation_id="talk")
                answer(runtime, *range(round_no * 50, round_no * 50 + 50))
            await runtime.commit()
            assert contents([await waiter.next(0)]) == [50]


async def test_a_message_to_a_client_needs_no_turn(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.ask(["operator.ann", "operator"])
        seq = runtime.ask(["a", "operator.ann"])
        await runtime.commit()
        assert runtime.pending() == [(seq, ["a@local", "operator.ann@local"])]
        runtime.redeliver()
        answer(runtime, 1)
        # the client has had its chance: what it did not see is in the journal
        assert runtime.bus.counts.dead_letters == 0


async def test_waiting_ends_with_the_time(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        with runtime.bus.clients.expect("talk") as waiter:
            began = asyncio.get_running_loop().time()
            assert await waiter.next(0.05) is None
            assert asyncio.get_running_loop().time() - began >= 0.049
