"""The referee on the bus: what is delivered, what is marked, what the platform says, and what survives a restart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from caxton.bus import Bus, Endpoint
from caxton.bus.conduct import Conduct, Mode
from caxton.errors import ConfigurationError
from caxton.ids import conversation_key
from caxton.protocols.conversation import state, state_names

from .stand import Json, Rings, Stand, stand

CFP: Json = {
    "performative": "cfp",
    "protocol": "fipa-contract-net",
    "conversation_id": "sale",
    "reply_with": "c",
}


def set_mode(bus: Bus, mode: Mode, modes: Mapping[str, Mode] | None = None) -> None:
    """Another setting than enforce, as `[referee]` has it."""
    bus.conduct.mode_of_all = mode
    bus.conduct._modes.update(modes or {})  # pyright: ignore[reportPrivateUsage]


def said(house: Stand, speaker: Endpoint, **message: Any) -> None:
    """An agent ends its next turn with one message."""
    assert house.cell.frames[0].slot == speaker.slot
    house.cell.end(message)


async def acts(house: Stand, after: int = 0) -> list[tuple[str, str]]:
    return [(one["sender"].partition("@")[0], one["performative"]) for one in await house.messages(after)]


def branch_states(house: Stand, id: str) -> dict[str, str]:
    conversation = house.bus.conduct.known[id]
    return state_names(conversation, house.bus.conduct.library.protocols[conversation.protocol])


async def test_a_violation_is_not_delivered_and_its_sender_is_told_what_was_legal(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        a = house.agent("a")
        with house.bus.clients.expect("talk") as waiter:
            seq = house.ask("a", protocol="fipa-request", conversation_id="talk", reply_with="r")
            said(house, a, performative="propose", content=1)
            await house.commit()
            assert await waiter.next(0.0) is None
        frame = house.cell.frames.popleft()
        told = frame.message
        assert (told["sender"], told["performative"]) == ("ams@local", "not-understood")
        assert told["content"]["rule"] == "out-of-sequence"
        assert (told["content"]["act"], told["content"]["state"]) == ("propose", "requested")
        assert told["content"]["legal"] == ["agree", "failure", "inform", "not-understood", "refuse"]
        rows = await house.messages(seq)
        (mark,) = await house.journal.reader.marks([row["seq"] for row in rows])
        assert (mark.legality, mark.rule, mark.delivered) == ("violation", "out-of-sequence", False)
        key = conversation_key("talk")
        assert await house.journal.reader.violations([key]) == {key: 1}
        assert branch_states(house, "talk") == {"a@local": "requested"}
        assert house.bus.counts.by_rule == {"out-of-sequence": 1}
        assert [one for one, _ in house.pending()] == [frame.seq]


async def test_the_legal_answer_is_delivered_and_ends_the_conversation(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        a = house.agent("a")
        house.ask("a", protocol="fipa-request", conversation_id="talk")
        said(house, a, performative="inform", content=1)
        assert branch_states(house, "talk") == {"a@local": "done"}
        assert await acts(house) == [("operator", "request"), ("a", "inform")]
        assert not house.bus.counts.violations


async def test_warn_delivers_and_marks(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        set_mode(house.bus, "warn")
        a, b = house.agent("a"), house.agent("b")
        house.ask("a", protocol="fipa-request", conversation_id="talk")
        said(house, a, performative="propose", receiver="b", conversation_id="talk")
        assert house.cell.frames[0].slot == b.slot
        rows = await house.messages()
        (mark,) = await house.journal.reader.marks([row["seq"] for row in rows])
        assert (mark.legality, mark.rule, mark.delivered) == ("violation", "receiver", True)
        assert await acts(house) == [("operator", "request"), ("a", "propose")]


async def test_off_looks_at_nothing_and_a_protocol_may_have_its_own_setting(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        set_mode(house.bus, "off", {"fipa-query": "enforce"})
        house.agent("a")
        house.ask("a", protocol="fipa-request", conversation_id="one")
        house.cell.end({"performative": "propose"})
        house.ask("a", protocol="fipa-query", conversation_id="two")
        assert "one" not in house.bus.conduct.known
        assert house.bus.counts.violations == 1
        assert [sender for sender, act in await acts(house) if act == "not-understood"] == ["ams"]


def test_a_setting_for_a_protocol_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="fipa-reqest"):
        Conduct(Rings(), modes={"fipa-reqest": "off"})


async def test_a_message_to_several_that_is_wrong_for_one_is_delivered_to_none(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        a, _ = house.agent("a"), house.agent("b")
        house.ask(["a", "b"], protocol="fipa-request", conversation_id="talk")
        said(house, a, performative="inform")
        house.cell.frames.clear()
        house.ask(["a", "b"], conversation_id="talk", protocol="fipa-request")
        assert not house.cell.frames
        assert house.bus.counts.violations == 1


async def test_a_late_proposal_is_rejected_by_the_platform(tmp_path: Path) -> None:
    rings = Rings()
    async with stand(tmp_path, rings) as house:
        seller = house.agent("seller")
        start = house.bus.now_us()
        seq = house.bus.submit({**CFP, "receiver": "seller", "reply_by": "500ms"}).seq
        rings.stands_at_us = start + 2_000_000
        rings.ring()
        assert branch_states(house, "sale") == {"seller@local": "no-response"}
        said(house, seller, performative="propose", content={"price": 3}, reply_with="p")
        assert branch_states(house, "sale") == {"seller@local": "late-rejected"}
        rejected = house.cell.frames.popleft().message
        assert (rejected["sender"], rejected["performative"]) == ("ams@local", "reject-proposal")
        assert (rejected["content"], rejected["in_reply_to"]) == ({"reason": "late"}, "p")
        (mark,) = await house.journal.reader.marks([row["seq"] for row in await house.messages(seq)])
        assert (mark.legality, mark.rule, mark.delivered) == ("legal", "late-proposal", False)
        (ended,) = await house.journal.reader.events(kind="branch")
        assert json.loads(ended.body)["state"] == "no-response"


async def test_a_deadline_that_is_kept_has_no_effect(tmp_path: Path) -> None:
    rings = Rings()
    async with stand(tmp_path, rings) as house:
        seller = house.agent("seller")
        start = house.bus.now_us()
        house.bus.submit({**CFP, "receiver": "seller", "reply_by": "500ms"})
        said(house, seller, performative="propose", content={"price": 3}, reply_with="p")
        rings.stands_at_us = start + 600_000
        rings.ring()
        assert branch_states(house, "sale") == {"seller@local": "proposed"}
        assert not await house.journal.reader.events(kind="branch")


async def test_a_participant_that_is_gone_fails_its_branches_to_the_initiator(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        buyer = house.agent("buyer")
        house.agent("ann")
        house.agent("bob")
        house.ask("buyer")
        cfp = {**CFP, "receiver": ["ann", "bob"]}
        said(house, buyer, **cfp)
        house.cell.frames.clear()
        house.bus.agent_gone("ann@local", "ann was removed")
        told = house.cell.frames.popleft()
        assert told.slot == buyer.slot
        assert (told.message["performative"], told.message["in_reply_to"]) == ("failure", "c")
        assert told.message["content"] == {"reason": "ann was removed", "agent": "ann@local"}
        assert branch_states(house, "sale") == {"ann@local": "failed-delivery", "bob@local": "cfp-sent"}
        house.bus.agent_gone("buyer@local", "buyer was removed")
        cancelled = house.cell.frames.popleft().message
        assert (cancelled["performative"], cancelled["receiver"]) == ("cancel", ["bob@local"])
        assert branch_states(house, "sale")["bob@local"] == "cancelled"


async def test_the_timer_belongs_to_no_protocol(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        buyer, _ = house.agent("buyer"), house.agent("ann")
        house.ask("buyer")
        said(house, buyer, **{**CFP, "receiver": "ann"})
        house.ask("buyer")
        house.cell.frames.popleft()
        said(
            house, buyer, performative="request", receiver="timer", conversation_id="sale",
            content={"after_ms": 5, "tag": "x"},
        )  # fmt: skip
        house.rings.ring()
        assert not house.bus.counts.violations
        assert branch_states(house, "sale") == {"ann@local": "cfp-sent"}


async def test_conversations_and_their_deadlines_survive_a_restart(tmp_path: Path) -> None:
    rings = Rings()
    async with stand(tmp_path, rings) as house:
        buyer, _, bob = house.agent("buyer"), house.agent("ann"), house.agent("bob")
        start = house.bus.now_us()
        house.ask("buyer")
        said(house, buyer, **{**CFP, "receiver": ["ann", "bob"], "reply_by": "1s"})
        house.bus.conduct.write(house.journal.batch, house.bus.last_seq, all_of_it=True)
        # after what was written down there is more, which is judged again
        house.cell.frames.popleft()
        said(house, bob, performative="refuse", content="no")
        house.ask("ann", protocol="fipa-request", conversation_id="other")
        before = {id: branch_states(house, id) for id in ("sale", "other")}
        await house.commit()
    again = Rings()
    again.stands_at_us = start + 900_000
    async with stand(tmp_path, again) as house:
        for name in ("buyer", "ann", "bob"):
            house.agent(name)
        assert await house.bus.conduct.restore(house.journal.reader) == 2
        assert {id: branch_states(house, id) for id in ("sale", "other")} == before
        assert before["sale"] == {"ann@local": "cfp-sent", "bob@local": "refused"}
        again.stands_at_us = start + 1_500_000
        again.ring()
        assert branch_states(house, "sale")["ann@local"] == "no-response"
        conversation = house.bus.conduct.known["sale"]
        assert state(conversation, house.bus.conduct.library.protocols[conversation.protocol]) == "Completed"
    third = Rings()
    third.stands_at_us = start + 1_600_000
    async with stand(tmp_path, third) as house:
        assert await house.bus.conduct.restore(house.journal.reader) == 1
        assert branch_states(house, "sale")["ann@local"] == "no-response"


async def test_a_protocol_that_nobody_knows_passes_and_is_told_once(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        house.agent("a")
        for number in range(3):
            house.ask("a", protocol="shop-talk", conversation_id=f"talk-{number}")
            house.cell.end({"performative": "propose"})
        await house.commit()
        assert len(await house.journal.reader.events(kind="unknown_protocol")) == 1
        assert not house.bus.counts.violations


async def test_forgotten_conversations_were_written_down_before(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        house.agent("a")
        house.bus.conduct.referee.kept = 4
        for number in range(12):
            house.ask("a", protocol="fipa-request", conversation_id=f"talk-{number}")
        house.bus.conduct.write(house.journal.batch, house.bus.last_seq, all_of_it=True)
        await house.commit()
        found = await house.journal.reader.states([f"talk-{number}" for number in range(12)])
        assert len(found) == 12
        assert all(one.is_open for one in found.values())
