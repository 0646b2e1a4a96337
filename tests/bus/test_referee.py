"""The referee on the bus: what is delivered, what is marked, what the platform says, and what survives a restart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from caxton.bus import Bus, Endpoint, referee_service
from caxton.bus.referee_service import Mode, RefereeService
from caxton.errors import ConfigurationError
from caxton.ids import conversation_key
from caxton.protocols.outcomes import state, state_names

from .harness import Json, Rings, Stand, stand

CFP: Json = {
    "performative": "cfp",
    "protocol": "fipa-contract-net",
    "conversation_id": "sale",
    "reply_with": "c",
}


def set_mode(bus: Bus, mode: Mode, modes: Mapping[str, Mode] | None = None) -> None:
    """Another setting than enforce, as `[referee]` has it."""
    bus.referee_service.mode_of_all = mode
    bus.referee_service._modes.update(modes or {})  # pyright: ignore[reportPrivateUsage]


def said(runtime: Stand, speaker: Endpoint, **message: Any) -> None:
    """An agent ends its next turn with one message."""
    assert runtime.cell.frames[0].slot == speaker.slot
    runtime.cell.end(message)


async def acts(runtime: Stand, after: int = 0) -> list[tuple[str, str]]:
    return [(one["sender"].partition("@")[0], one["performative"]) for one in await runtime.messages(after)]


def branch_states(runtime: Stand, id: str) -> dict[str, str]:
    conversation = runtime.bus.referee_service.known[id]
    return state_names(conversation, runtime.bus.referee_service.library.protocols[conversation.protocol])


async def test_a_violation_is_not_delivered_and_its_sender_is_told_what_was_legal(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        a = runtime.agent("a")
        with runtime.bus.clients.expect("talk") as waiter:
            seq = runtime.ask("a", protocol="fipa-request", conversation_id="talk", reply_with="r")
            said(runtime, a, performative="propose", content=1)
            await runtime.commit()
            assert await waiter.next(0.0) is None
        frame = runtime.cell.frames.popleft()
        told = frame.message
        assert (told["sender"], told["performative"]) == ("ams@local", "not-understood")
        assert told["content"]["rule"] == "out-of-sequence"
        assert (told["content"]["act"], told["content"]["state"]) == ("propose", "requested")
        assert told["content"]["legal"] == ["agree", "failure", "inform", "not-understood", "refuse"]
        rows = await runtime.messages(seq)
        (mark,) = await runtime.journal.reader.marks([row["seq"] for row in rows])
        assert (mark.legality, mark.rule, mark.delivered) == ("violation", "out-of-sequence", False)
        key = conversation_key("talk")
        assert await runtime.journal.reader.violations([key]) == {key: 1}
        assert branch_states(runtime, "talk") == {"a@local": "requested"}
        assert runtime.bus.counts.by_rule == {"out-of-sequence": 1}
        assert [one for one, _ in runtime.pending()] == [frame.seq]


async def test_the_legal_answer_is_delivered_and_ends_the_conversation(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        a = runtime.agent("a")
        runtime.ask("a", protocol="fipa-request", conversation_id="talk")
        said(runtime, a, performative="inform", content=1)
        assert branch_states(runtime, "talk") == {"a@local": "done"}
        assert await acts(runtime) == [("operator", "request"), ("a", "inform")]
        assert not runtime.bus.counts.violations


async def test_warn_delivers_and_marks(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        set_mode(runtime.bus, "warn")
        a, b = runtime.agent("a"), runtime.agent("b")
        runtime.ask("a", protocol="fipa-request", conversation_id="talk")
        said(runtime, a, performative="propose", receiver="b", conversation_id="talk")
        assert runtime.cell.frames[0].slot == b.slot
        rows = await runtime.messages()
        (mark,) = await runtime.journal.reader.marks([row["seq"] for row in rows])
        assert (mark.legality, mark.rule, mark.delivered) == ("violation", "receiver", True)
        assert await acts(runtime) == [("operator", "request"), ("a", "propose")]


async def test_off_looks_at_nothing_and_a_protocol_may_have_its_own_setting(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        set_mode(runtime.bus, "off", {"fipa-query": "enforce"})
        runtime.agent("a")
        runtime.ask("a", protocol="fipa-request", conversation_id="one")
        runtime.cell.end({"performative": "propose"})
        runtime.ask("a", protocol="fipa-query", conversation_id="two")
        assert "one" not in runtime.bus.referee_service.known
        assert runtime.bus.counts.violations == 1
        assert [sender for sender, act in await acts(runtime) if act == "not-understood"] == ["ams"]


def test_a_setting_for_a_protocol_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="fipa-reqest"):
        RefereeService(Rings(), modes={"fipa-reqest": "off"})


async def test_a_message_to_several_that_is_wrong_for_one_is_delivered_to_none(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        a, _ = runtime.agent("a"), runtime.agent("b")
        runtime.ask(["a", "b"], protocol="fipa-request", conversation_id="talk")
        said(runtime, a, performative="inform")
        runtime.cell.frames.clear()
        runtime.ask(["a", "b"], conversation_id="talk", protocol="fipa-request")
        assert not runtime.cell.frames
        assert runtime.bus.counts.violations == 1


async def test_a_late_proposal_is_rejected_by_the_platform(tmp_path: Path) -> None:
    rings = Rings()
    async with stand(tmp_path, rings) as runtime:
        seller = runtime.agent("seller")
        start = runtime.bus.now_us()
        seq = runtime.bus.submit({**CFP, "receiver": "seller", "reply_by": "500ms"}).seq
        rings.stands_at_us = start + 2_000_000
        rings.ring()
        assert branch_states(runtime, "sale") == {"seller@local": "no-response"}
        said(runtime, seller, performative="propose", content={"price": 3}, reply_with="p")
        assert branch_states(runtime, "sale") == {"seller@local": "late-rejected"}
        rejected = runtime.cell.frames.popleft().message
        assert (rejected["sender"], rejected["performative"]) == ("ams@local", "reject-proposal")
        assert (rejected["content"], rejected["in_reply_to"]) == ({"reason": "late"}, "p")
        (mark,) = await runtime.journal.reader.marks([row["seq"] for row in await runtime.messages(seq)])
        assert (mark.legality, mark.rule, mark.delivered) == ("legal", "late-proposal", False)
        (ended,) = await runtime.journal.reader.events(kind="branch")
        assert json.loads(ended.body)["state"] == "no-response"


async def test_a_deadline_that_is_kept_has_no_effect(tmp_path: Path) -> None:
    rings = Rings()
    async with stand(tmp_path, rings) as runtime:
        seller = runtime.agent("seller")
        start = runtime.bus.now_us()
        runtime.bus.submit({**CFP, "receiver": "seller", "reply_by": "500ms"})
        said(runtime, seller, performative="propose", content={"price": 3}, reply_with="p")
        rings.stands_at_us = start + 600_000
        rings.ring()
        assert branch_states(runtime, "sale") == {"seller@local": "proposed"}
        assert not await runtime.journal.reader.events(kind="branch")


async def test_a_participant_that_is_gone_fails_its_branches_to_the_initiator(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        buyer = runtime.agent("buyer")
        runtime.agent("ann")
        runtime.agent("bob")
        runtime.ask("buyer")
        cfp = {**CFP, "receiver": ["ann", "bob"]}
        said(runtime, buyer, **cfp)
        runtime.cell.frames.clear()
        runtime.bus.agent_gone("ann@local", "ann was removed")
        told = runtime.cell.frames.popleft()
        assert told.slot == buyer.slot
        assert (told.message["performative"], told.message["in_reply_to"]) == ("failure", "c")
        assert told.message["content"] == {"reason": "ann was removed", "agent": "ann@local"}
        assert branch_states(runtime, "sale") == {"ann@local": "failed-delivery", "bob@local": "cfp-sent"}
        runtime.bus.agent_gone("buyer@local", "buyer was removed")
        cancelled = runtime.cell.frames.popleft().message
        assert (cancelled["performative"], cancelled["receiver"]) == ("cancel", ["bob@local"])
        assert branch_states(runtime, "sale")["bob@local"] == "cancelled"


async def test_the_timer_belongs_to_no_protocol(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        buyer, _ = runtime.agent("buyer"), runtime.agent("ann")
        runtime.ask("buyer")
        said(runtime, buyer, **{**CFP, "receiver": "ann"})
        runtime.ask("buyer")
        runtime.cell.frames.popleft()
        said(
            runtime, buyer, performative="request", receiver="timer", conversation_id="sale",
            content={"after_ms": 5, "tag": "x"},
        )  # fmt: skip
        runtime.rings.ring()
        assert not runtime.bus.counts.violations
        assert branch_states(runtime, "sale") == {"ann@local": "cfp-sent"}


async def test_conversations_and_their_deadlines_survive_a_restart(tmp_path: Path) -> None:
    rings = Rings()
    async with stand(tmp_path, rings) as runtime:
        buyer, _, bob = runtime.agent("buyer"), runtime.agent("ann"), runtime.agent("bob")
        start = runtime.bus.now_us()
        runtime.ask("buyer")
        said(runtime, buyer, **{**CFP, "receiver": ["ann", "bob"], "reply_by": "1s"})
        runtime.bus.referee_service.write(runtime.journal.batch, runtime.bus.last_seq, all_of_it=True)
        # after what was written down there is more, which is judged again
        runtime.cell.frames.popleft()
        said(runtime, bob, performative="refuse", content="no")
        runtime.ask("ann", protocol="fipa-request", conversation_id="other")
        before = {id: branch_states(runtime, id) for id in ("sale", "other")}
        await runtime.commit()
    again = Rings()
    again.stands_at_us = start + 900_000
    async with stand(tmp_path, again) as runtime:
        for name in ("buyer", "ann", "bob"):
            runtime.agent(name)
        assert await runtime.bus.referee_service.restore(runtime.journal.reader) == 2
        assert {id: branch_states(runtime, id) for id in ("sale", "other")} == before
        assert before["sale"] == {"ann@local": "cfp-sent", "bob@local": "refused"}
        again.stands_at_us = start + 1_500_000
        again.ring()
        assert branch_states(runtime, "sale")["ann@local"] == "no-response"
        conversation = runtime.bus.referee_service.known["sale"]
        assert (
            state(conversation, runtime.bus.referee_service.library.protocols[conversation.protocol])
            == "Completed"
        )
    third = Rings()
    third.stands_at_us = start + 1_600_000
    async with stand(tmp_path, third) as runtime:
        assert await runtime.bus.referee_service.restore(runtime.journal.reader) == 1
        assert branch_states(runtime, "sale")["ann@local"] == "no-response"


async def test_after_a_restart_the_newest_ids_are_used_and_older_ones_free_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(referee_service, "RESTORED", 2)
    ids = ("first", "second", "third")
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        for id in ids:
            runtime.ask("a", protocol="fipa-request", conversation_id=id)
            runtime.cell.end({"performative": "inform"})
        runtime.bus.referee_service.write(runtime.journal.batch, runtime.bus.last_seq, all_of_it=True)
        await runtime.commit()
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        await runtime.bus.referee_service.restore(runtime.journal.reader)
        for id in ids:
            runtime.ask("a", protocol="fipa-request", conversation_id=id)
        assert {id: branch_states(runtime, id)["a@local"] for id in ids} == {
            "first": "requested",
            "second": "done",
            "third": "done",
        }
        assert runtime.bus.counts.violations == 2


async def test_a_protocol_that_nobody_knows_passes_and_is_told_once(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        for number in range(3):
            runtime.ask("a", protocol="shop-talk", conversation_id=f"talk-{number}")
            runtime.cell.end({"performative": "propose"})
        await runtime.commit()
        assert len(await runtime.journal.reader.events(kind="unknown_protocol")) == 1
        assert not runtime.bus.counts.violations


async def test_forgotten_conversations_were_written_down_before(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.bus.referee_service.referee.kept = 4
        for number in range(12):
            runtime.ask("a", protocol="fipa-request", conversation_id=f"talk-{number}")
        runtime.bus.referee_service.write(runtime.journal.batch, runtime.bus.last_seq, all_of_it=True)
        await runtime.commit()
        found = await runtime.journal.reader.states([f"talk-{number}" for number in range(12)])
        assert len(found) == 12
        assert all(one.is_open for one in found.values())
