"""Messages that need a yes: who is asked, what becomes of them, and that nothing goes on without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bus.harness import Json, Stand, stand
from msgspec import Raw

from caxton.access import OWNER, Principal, Role
from caxton.acl import Performative
from caxton.clock import VirtualClock
from caxton.config import ApprovalTable
from caxton.errors import ConfigurationError, InvalidMessage, NotHeld, SecurityError
from caxton.hold.approval_rules import ApprovalRules
from caxton.protocols.outcomes import state_names

ANNA = Principal("anna", Role.OPERATOR)
BEN = Principal("ben", Role.OPERATOR)


def rules(where: str = "to:bank", **more: Any) -> dict[str, ApprovalTable]:
    return {"payments": ApprovalTable(where=where, **more)}


def contents(runtime: Stand) -> list[object]:
    """What the cell has been given and was not looked at yet."""
    runtime.bus.settle()
    found = [frame.message["content"] for frame in runtime.cell.frames]
    runtime.cell.frames.clear()
    return found


async def told(runtime: Stand) -> list[tuple[str, str]]:
    """What `ams` has said to the operator: act, and error or content."""
    return [
        (one["performative"], (one["content"] or {}).get("error", ""))
        for one in await runtime.messages()
        if one["sender"] == "ams@local"
    ]


async def steps(runtime: Stand, seq: int) -> list[tuple[str, str, str]]:
    await runtime.commit()
    return [(one.step, one.by, one.note) for one in await runtime.journal.reader.approval_steps([seq])]


async def test_what_a_rule_means_waits_and_goes_on_once_with_a_yes(tmp_path: Path) -> None:
    async with stand(tmp_path, approvals=rules("to:bank content.amount:>100")) as runtime:
        runtime.agent("bank")
        asked: Json = {"performative": "request", "receiver": "bank", "content": {"amount": 500}}
        sent = runtime.bus.submit(asked)
        runtime.ask("bank", {"amount": 100})
        assert contents(runtime) == [{"amount": 100}]
        (one,) = runtime.hold.approvals.waiting()
        assert (one.held.seq, one.needs) == (sent.seq, ["payments"])
        assert (len(runtime.hold), sent.seq in runtime.hold) == (0, False)
        went_on = runtime.hold.approvals.approve(sent.seq, ANNA, "anna", "as agreed")
        assert went_on is not None
        assert contents(runtime) == [{"amount": 500}]
        with pytest.raises(NotHeld):
            runtime.hold.approvals.approve(sent.seq, ANNA, "anna")
        await runtime.commit()
        (stored,) = await runtime.journal.reader.held([sent.seq])
        assert (stored.state, stored.went_on, stored.break_id) == ("approved", went_on, "approval:payments")
        assert await steps(runtime, sent.seq) == [("asked", "", ""), ("yes", "anna", "as agreed")]
        kinds = [(one.kind, one.seq) for one in await runtime.journal.reader.events(limit=100)]
        assert ("approval", sent.seq) in kinds


async def test_a_no_refuses_it_to_its_sender_and_ends_its_branch(tmp_path: Path) -> None:
    async with stand(tmp_path, approvals=rules()) as runtime:
        runtime.agent("bank")
        seq = runtime.ask("bank", 1, protocol="fipa-request", conversation_id="talk", reply_with="r")
        runtime.hold.approvals.refuse(seq, ANNA, "anna", "too much")
        assert contents(runtime) == []
        answer = (await runtime.messages())[-1]
        assert (answer["performative"], answer["in_reply_to"]) == ("refuse", "r")
        content = answer["content"]
        assert (content["error"], content["approval"], content["receiver"]) == (
            "approval-refused",
            "payments",
            "bank@local",
        )
        assert "anna said no: too much" in content["reason"]
        talk = runtime.bus.referee_service.known["talk"]
        assert not talk.open
        protocols = runtime.bus.referee_service.library.protocols
        assert state_names(talk, protocols[talk.protocol]) == {"bank@local": "failed-delivery"}
        assert await runtime.journal.reader.dead_letters() == []


@pytest.mark.parametrize("wait", [{"timeout": 60}, {}], ids=["timeout", "reply_by"])
async def test_when_time_is_over_it_is_refused_also_when_nobody_was_there(
    tmp_path: Path, wait: dict[str, float]
) -> None:
    clock = VirtualClock()
    tables = rules(timeout=wait.get("timeout", 86_400))
    async with stand(tmp_path, clock, approvals=tables) as runtime:
        runtime.agent("bank")
        seq = runtime.ask("bank", 1, **({} if wait else {"reply_by": "60s"}))
        clock.advance(59)
        assert len(runtime.hold.approvals) == 1
        clock.advance(1.1)
        assert len(runtime.hold.approvals) == 0
        assert await told(runtime) == [("refuse", "approval-timeout")]
        assert [step for step, _, _ in await steps(runtime, seq)] == ["asked", "timeout"]
        late = runtime.ask("bank", 2, **({} if wait else {"reply_by": "60s"}))
        await runtime.commit()
    clock.advance(3600)
    async with stand(tmp_path, clock, approvals=tables) as runtime:
        runtime.agent("bank")
        assert [one.held.seq for one in runtime.hold.approvals.waiting()] == [late]
        clock.advance(0.1)
        assert await told(runtime) == [("refuse", "approval-timeout")] * 2
        assert contents(runtime) == []


async def test_after_its_time_it_may_be_left_to_an_admin(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with stand(tmp_path, clock, approvals=rules(timeout=60, then="admin")) as runtime:
        runtime.agent("bank")
        seq = runtime.ask("bank", 1)
        clock.advance(61)
        assert [step for step, _, _ in await steps(runtime, seq)] == ["asked", "escalated"]
        with pytest.raises(SecurityError, match="given by admin"):
            runtime.hold.approvals.approve(seq, ANNA, "anna")
        clock.advance(86_400 * 40)
        assert runtime.hold.approvals.approve(seq, OWNER, "owner") is not None
        assert contents(runtime) == [1]


async def test_only_those_whom_the_rule_names_decide(tmp_path: Path) -> None:
    async with stand(tmp_path, approvals=rules(by=["anna", "developer"])) as runtime:
        runtime.agent("bank")
        seq = runtime.ask("bank", 1)
        for step in (runtime.hold.approvals.approve, runtime.hold.approvals.refuse):
            with pytest.raises(SecurityError, match="given by anna, developer"):
                step(seq, BEN, "ben")
        with pytest.raises(SecurityError):
            runtime.hold.edit_waiting(seq, BEN, "ben", content=Raw(b"2"))
        runtime.hold.approvals.approve(seq, Principal("dora", Role.DEVELOPER), "dora")
        assert contents(runtime) == [1]


async def test_every_rule_that_means_it_has_to_be_satisfied(tmp_path: Path) -> None:
    both = {
        "first": ApprovalTable(where="to:bank", by=["anna"]),
        "second": ApprovalTable(where='"secret"', by=["ben"]),
    }
    async with stand(tmp_path, approvals=both) as runtime:
        runtime.agent("bank")
        seq = runtime.ask("bank", "x" * 5000 + " secret")
        with pytest.raises(SecurityError):
            runtime.hold.approvals.approve(seq, BEN, "ben")
        assert runtime.hold.approvals.approve(seq, ANNA, "anna") is None
        await runtime.commit()
    # the yes of the first counts after a restart too
    async with stand(tmp_path, approvals=both) as runtime:
        runtime.agent("bank")
        (one,) = runtime.hold.approvals.waiting()
        assert one.needs == ["second"]
        # another message needs every yes anew
        runtime.hold.edit_waiting(seq, BEN, "ben", content=Raw(b'"secret too"'))
        assert runtime.hold.approvals.get(seq).needs == ["first", "second"]
        runtime.hold.approvals.approve(seq, ANNA, "anna")
        assert contents(runtime) == []
        assert runtime.hold.approvals.approve(seq, BEN, "ben") is not None
        assert contents(runtime) == ["secret too"]


async def test_a_message_that_waits_survives_a_restart_as_it_was_edited(tmp_path: Path) -> None:
    async with stand(tmp_path, approvals=rules("content.amount:>0")) as runtime:
        runtime.agent("bank")
        seq = runtime.ask("bank", {"amount": 500}, conversation_id="talk")
        runtime.hold.edit_waiting(seq, ANNA, "anna", content=Raw(b'{"amount": 5}'))
        behind = runtime.ask("bank", "later", conversation_id="talk")
        await runtime.commit()
    async with stand(tmp_path, approvals={}) as runtime:
        # the rule is gone: only an admin decides, and nothing has slipped through
        runtime.agent("bank")
        assert contents(runtime) == []
        assert [one.seq for one in runtime.hold] == [behind]
        assert runtime.bus.low_water() < seq
        with pytest.raises(SecurityError):
            runtime.hold.approvals.approve(seq, ANNA, "anna")
        runtime.hold.approvals.approve(seq, OWNER, "owner")
        assert contents(runtime) == [{"amount": 5}, "later"]
        assert runtime.bus.interceptor is None
        assert [step for step, _, _ in await steps(runtime, seq)] == ["asked", "edited", "yes"]


async def test_one_that_has_its_yes_waits_for_its_turn(tmp_path: Path) -> None:
    async with stand(tmp_path, approvals=rules('"pay"')) as runtime:
        runtime.agent("bank")
        point = runtime.hold.add('"first"', by="operator@local")
        first = runtime.ask("bank", "first", conversation_id="talk")
        seq = runtime.ask("bank", "pay", conversation_id="talk")
        assert runtime.hold.approvals.approve(seq, ANNA, "anna") is None
        with pytest.raises(NotHeld, match="waits behind"):
            runtime.hold.approvals.approve(seq, ANNA, "anna")
        await runtime.commit()
    async with stand(tmp_path, approvals=rules('"pay"')) as runtime:
        runtime.agent("bank")
        runtime.hold.remove(point.id)
        runtime.hold.release(first)
        assert contents(runtime) == ["first", "pay"]
        assert [step for step, _, _ in await steps(runtime, seq)] == ["asked", "yes", "released"]


async def test_break_points_and_approvals_are_apart(tmp_path: Path) -> None:
    async with stand(tmp_path, approvals=rules('"pay"')) as runtime:
        runtime.agent("bank")
        runtime.hold.add("", by="operator@local")
        other, seq = runtime.ask("bank", "other"), runtime.ask("bank", "pay")
        assert [one.seq for one in runtime.hold] == [other]
        for step in (runtime.hold.release, runtime.hold.drop):
            with pytest.raises(NotHeld, match="waits for the approval payments"):
                step(seq)
        assert (runtime.hold.release_some([seq]), runtime.hold.drop_some([seq])) == (0, 0)
        # what a break point holds cannot become what needs a yes
        with pytest.raises(InvalidMessage, match="approval payments"):
            runtime.hold.edit(other, content=Raw(b'"pay"'))
        runtime.hold.most = 1
        runtime.ask("bank", "one more")
        assert [one.held.seq for one in runtime.hold.approvals.waiting()] == [seq]


async def test_nobody_has_all_the_room_and_what_has_none_is_refused(tmp_path: Path) -> None:
    async with stand(tmp_path, approvals=rules(waiting=4)) as runtime:
        runtime.agent("bank")
        for n in range(3):
            runtime.ask("bank", n)
        assert await told(runtime) == [("refuse", "approval-full")]
        runtime.bus.submit({"performative": "request", "receiver": "bank", "sender": "operator.b"})
        assert len(runtime.hold.approvals) == 3
        assert contents(runtime) == []
        runtime.hold.approvals.approve(runtime.hold.approvals.waiting()[0].held.seq, ANNA, "anna")
        runtime.ask("bank", 3)
        assert len(runtime.hold.approvals) == 3


@pytest.mark.parametrize("protocol", [None, "fipa-request"])
async def test_a_cancel_withdraws_it(tmp_path: Path, protocol: str | None) -> None:
    more: Json = {"protocol": protocol} if protocol else {}
    async with stand(tmp_path, approvals=rules("to:bank")) as runtime:
        runtime.agent("bank")
        seq = runtime.ask("bank", 1, conversation_id="talk", reply_with="r", **more)
        cancel = {"performative": "cancel", "receiver": "bank", "conversation_id": "talk", **more}
        runtime.bus.submit(cancel)
        assert len(runtime.hold.approvals) == 0
        acts = await told(runtime)
        assert acts[0] == ("refuse", "approval-withdrawn")
        assert [step for step, _, _ in await steps(runtime, seq)] == ["asked", "withdrawn"]
        rows = await runtime.messages()
        assert [one["seq"] for one in rows] == sorted(one["seq"] for one in rows)
        assert not runtime.hold.all()


async def test_what_an_agent_that_is_gone_has_asked_for_is_withdrawn(tmp_path: Path) -> None:
    async with stand(tmp_path, approvals=rules("from:buyer")) as runtime:
        runtime.agent("bank")
        runtime.agent("buyer")
        runtime.ask("buyer", 1)
        runtime.bus.settle()
        runtime.cell.end({"performative": "request", "receiver": "bank", "content": 7})
        assert len(runtime.hold.approvals) == 1
        runtime.hold.approvals.agent_gone("buyer@local")
        assert len(runtime.hold.approvals) == 0
        assert contents(runtime)[-1]["error"] == "approval-withdrawn"  # type: ignore[index]


async def test_they_stand_before_the_platforms_agents_which_break_points_leave_out(tmp_path: Path) -> None:
    async with stand(tmp_path, approvals=rules("to:df")) as runtime:
        runtime.hold.add("", by="operator@local")
        seq = runtime.bus.submit({"performative": "request", "receiver": "df", "content": {}}).seq
        assert await told(runtime) == []
        runtime.hold.approvals.approve(seq, ANNA, "anna")
        # an act of its own protocol: the platform's answers are never held
        assert [one["sender"] for one in await runtime.messages()] == ["operator@local", "df@local"]


async def test_a_conversation_does_not_run_out_while_one_waits(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with stand(tmp_path, clock, approvals=rules("to:bank act:request")) as runtime:
        runtime.agent("bank")
        seq = runtime.ask("bank", 1, protocol="fipa-request", conversation_id="talk", reply_with="r")
        clock.advance(86_000)
        runtime.hold.approvals.approve(seq, ANNA, "anna")
        assert runtime.bus.referee_service.known["talk"].open
        runtime.bus.settle()
        runtime.cell.end({"performative": "inform", "content": "paid"})
        assert not runtime.bus.referee_service.known["talk"].open
        assert ("refuse", "approval-timeout") not in await told(runtime)


def test_a_rule_that_cannot_be_read_is_named_and_nothing_runs_without_it() -> None:
    with pytest.raises(ConfigurationError, match=r"\[approvals.payments\] where"):
        ApprovalRules(rules("state:open"), "local")
    with pytest.raises(ValueError, match="viewer cannot decide"):
        ApprovalTable(where="to:bank", by=["viewer"])


async def test_is_problem_means_acts_that_say_so(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.hold.add("is:problem", by="operator@local")
        for act in (Performative.INFORM, Performative.REFUSE, Performative.FAILURE):
            runtime.bus.submit({"performative": act, "receiver": "a", "content": act})
        assert contents(runtime) == ["inform"]
