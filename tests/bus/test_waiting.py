"""Whoever waits is told when what he waits for will not come; and what somebody works on is waited for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from caxton.protocols.outcomes import state

from .harness import INFORM, Stand, stand

NET = {"protocol": "fipa-contract-net", "conversation_id": "table"}
WORK = {"performative": "request", "receiver": "timer", "conversation_id": "work"}


def said_to_operator(said: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["performative"], one["sender"]) for one in said if one["receiver"] == ["operator@local"]]


async def award(runtime: Stand, work_s: float) -> None:
    """A contract net up to the work of whoever has won, which sets a timer for it in another conversation."""
    runtime.rings.stands_at_us = runtime.rings.now_us()
    runtime.agent("joiner")
    runtime.bus.submit({"performative": "cfp", "receiver": "joiner", "content": 1, **NET})
    runtime.cell.end({"performative": "propose", "content": 40})
    runtime.bus.submit({"performative": "accept-proposal", "receiver": "joiner", **NET})
    runtime.cell.end({**WORK, "content": {"after_ms": work_s * 1e3}})


async def test_agreed_work_stays_open_while_a_timer_of_its_runs(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        await award(runtime, 3_600)
        runtime.rings.wait(3_601)
        runtime.cell.end({"performative": "inform", "receiver": "operator", "content": "ready", **NET})
        assert said_to_operator(await runtime.messages())[-1] == ("inform", "joiner@local")
        assert runtime.bus.counts.violations == 0


async def test_work_that_sets_one_timer_after_another_goes_on_too_also_after_a_restart(
    tmp_path: Path,
) -> None:
    async with stand(tmp_path) as runtime:
        await award(runtime, 200)
        for _ in range(5):
            runtime.rings.wait(201)
            runtime.cell.end({**WORK, "content": {"after_ms": 200_000}})
        runtime.bus.referee_service.write(runtime.journal.batch, runtime.bus.last_seq, all_of_it=True)
        await runtime.commit()
        at_us = runtime.rings.now_us()
    async with stand(tmp_path) as runtime:
        runtime.rings.stands_at_us = at_us + 1_000_000
        joiner = runtime.agent("joiner")
        assert await runtime.bus.referee_service.restore(runtime.journal.reader) == 1
        runtime.redeliver()
        runtime.rings.wait(201)
        assert joiner.depth == 1
        runtime.cell.end({"performative": "inform", "receiver": "operator", "content": "ready", **NET})
        assert said_to_operator(await runtime.messages())[-1] == ("inform", "joiner@local")
        assert runtime.bus.counts.violations == 0


async def test_silence_after_the_work_ends_the_conversation_and_whoever_waits_gets_one_failure(
    tmp_path: Path,
) -> None:
    async with stand(tmp_path) as runtime:
        await award(runtime, 1_000)
        runtime.rings.wait(1_001)
        runtime.cell.end()
        runtime.rings.wait(299)
        assert said_to_operator(await runtime.messages()) == [("propose", "joiner@local")]
        runtime.rings.wait(3)
        failure = (await runtime.messages())[-1]
        assert said_to_operator([failure]) == [("failure", "ams@local")]
        assert failure["content"]["error"] == "expired"
        assert "time_to_live_s of fipa-contract-net" in failure["content"]["reason"]
        conversation = runtime.bus.referee_service.known["table"]
        protocol = runtime.bus.referee_service.library.tables[conversation.table]
        assert state(conversation, protocol) == "Expired"
        assert runtime.bus.counts.violations == 0


async def test_an_agent_that_waits_is_told_once_for_all_of_its_branches(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.rings.stands_at_us = runtime.rings.now_us()
        runtime.agent("buyer")
        for name in ("x", "y", "z"):
            runtime.agent(name)
        runtime.ask("buyer")
        runtime.cell.end({"performative": "cfp", "receiver": ["x", "y", "z"], "content": 1, **NET})
        while runtime.cell.frames:
            runtime.cell.end()
        runtime.rings.wait(301)
        (frame,) = runtime.cell.frames
        assert (frame.message["receiver"], frame.message["content"]["error"]) == (["buyer@local"], "expired")


async def test_a_client_learns_that_a_part_of_what_he_asked_for_was_lost(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.agent("b")
        seq = runtime.ask("a", conversation_id="why")
        with runtime.bus.clients.expect("why") as waiter:
            runtime.cell.end({"performative": "request", "receiver": "b", "conversation_id": "elsewhere"})
            runtime.cell.end(
                {"performative": "request", "receiver": "nobody", "conversation_id": "elsewhere"}
            )
            assert said_to_operator(await runtime.messages(seq)) == [], "b may still do something about it"
            runtime.cell.end()
            failure = (await runtime.messages(seq))[-1]
            assert (failure["receiver"], failure["conversation_id"]) == (["operator@local"], "why")
            assert failure["content"]["error"] == "unknown_agent"
            assert "there is no agent nobody@local" in failure["content"]["reason"]
            told, over = await waiter.next(1), await waiter.next(1)
            assert told is not None
            assert over is not None
            assert (told.ended, over.ended) == (None, "there is no agent nobody@local")


async def test_a_client_that_was_answered_hears_nothing_of_what_was_lost_beside(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        seq = runtime.ask("a")
        runtime.cell.end(INFORM, {"performative": "inform", "receiver": "nobody"})
        runtime.cell.end()
        assert said_to_operator(await runtime.messages(seq)) == [("inform", "a@local")]


async def test_while_a_message_is_held_nothing_is_over(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.agent("carol")
        seq = runtime.ask("a")
        runtime.hold.add("to:carol", by="operator")
        runtime.hold.watch()
        runtime.cell.end(
            {"performative": "inform", "receiver": "carol"}, {"performative": "inform", "receiver": "nobody"}
        )
        runtime.cell.end()
        assert said_to_operator(await runtime.messages(seq)) == []
        (held,) = runtime.hold
        runtime.hold.release(held.seq)
        runtime.bus.settle()
        runtime.cell.end()
        assert said_to_operator(await runtime.messages(seq)) == [("failure", "ams@local")]


async def test_a_deadline_that_ends_all_that_a_client_waits_for_ends_his_wait(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.rings.stands_at_us = runtime.rings.now_us()
        runtime.agent("slow")
        runtime.ask("slow", protocol="fipa-request", conversation_id="late", reply_by="5s")
        with runtime.bus.clients.expect("late") as waiter:
            runtime.cell.end()
            runtime.rings.wait(6)
            await runtime.commit()
            over = await waiter.next(1)
            assert over is not None
            assert over.ended == "slow@local: timed-out, reply_by has passed"


async def test_a_notice_is_not_judged_by_the_protocol_that_the_offender_named(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("switcher")
        runtime.ask("switcher", protocol="fipa-request", conversation_id="talk")
        runtime.cell.end(
            {
                "performative": "agree",
                "receiver": "operator",
                "protocol": "fipa-query",
                "conversation_id": "talk",
            }
        )
        notice = runtime.cell.frames[-1].message
        assert (notice["performative"], notice["sender"]) == ("not-understood", "ams@local")
        assert notice["protocol"] == "fipa-request"
        await runtime.commit()
        assert runtime.bus.counts.violations == 1
        (event,) = await runtime.journal.reader.events(kind="violation")
        assert event.agent == "switcher@local"
