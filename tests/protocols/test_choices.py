"""What Caxton does where FIPA leaves a choice (fipa.md 2.11), and the rules across the branches of 2.9."""

from __future__ import annotations

import pytest

from caxton.protocols import Answer, Referee, library

from .talk import Talk


def answer(effects: tuple[object, ...]) -> tuple[str, str, str]:
    (found,) = [one for one in effects if isinstance(one, Answer)]
    return found.performative.value, found.receiver, found.reason


# ---------------------------------------------------------------------- contract net


@pytest.mark.parametrize("protocol", ["fipa-contract-net", "fipa-iterated-contract-net"])
def test_a_late_proposal_is_a_step_and_is_rejected(protocol: str) -> None:
    talk = Talk(protocol)
    talk.i("cfp", "a", "b", rw="r", by=5)
    talk.p("b", "propose", irt="r", at=5)
    verdict = talk.p("a", "propose", irt="r", rw="p", at=5.000001)
    assert (verdict.legality, verdict.rule, talk.a) == ("legal", "late-proposal", "late-rejected")
    assert answer(verdict.effects) == ("reject-proposal", "a@local", "late")
    assert talk.states["b"] == "proposed"
    assert talk.p("a", "propose").legality == "violation"
    assert talk.i("accept-proposal", "a").legality == "violation"
    assert talk.i("reject-proposal", "a").legality == "legal", "the initiator may say it too"
    assert talk.a == "late-rejected"


def test_a_late_refusal_is_ignored_and_anything_else_late_is_out_of_sequence() -> None:
    for act, legality in (
        ("refuse", "ignored"),
        ("failure", "violation"),
        ("not-understood", "violation"),
        ("inform", "violation"),
    ):
        talk = Talk("fipa-contract-net")
        talk.i("cfp", by=5)
        assert (talk.p("a", act, at=6).legality, talk.a) == (legality, "no-response")


def test_no_decision_for_who_did_not_propose_and_one_for_who_did() -> None:
    talk = Talk("fipa-contract-net")
    talk.i("cfp", "a", "b", "c", by=5)
    talk.p("b", "refuse")
    talk.wait(6)
    for name in ("a", "b"):
        for act in ("accept-proposal", "reject-proposal"):
            assert talk.i(act, name).legality == "violation"
    talk = Talk("fipa-contract-net")
    talk.i("cfp", "a", "b")
    talk.p("a", "propose")
    assert talk.i("accept-proposal", "b").legality == "violation"
    assert talk.p("a", "propose").legality == "violation"
    assert talk.i("accept-proposal", "a").legality == "legal"
    assert talk.i("reject-proposal", "a").legality == "violation"
    assert talk.i("accept-proposal", "a").legality == "violation"


def test_the_aggregate_collects_decides_executes_and_is_complete() -> None:
    talk = Talk("fipa-contract-net")
    talk.i("cfp", "a", "b", "c", "d", by=5)
    assert (talk.aggregate, talk.state) == ("collecting", "Initiated")
    talk.p("a", "propose")
    talk.p("b", "propose")
    talk.p("c", "refuse")
    assert (talk.aggregate, talk.state) == ("collecting", "InProgress")
    talk.wait(6)
    assert talk.aggregate == "deciding"
    talk.i("accept-proposal", "a")
    assert talk.aggregate == "deciding"
    talk.i("reject-proposal", "b")
    assert (talk.aggregate, talk.outcome) == ("executing", None)
    talk.p("a", "inform")
    assert (talk.aggregate, talk.state, talk.outcome) == ("complete", "Completed", "awarded")
    assert talk.states == {"a": "done", "b": "rejected", "c": "refused", "d": "no-response"}


def test_several_winners_no_proposal_and_nobody() -> None:
    talk = Talk("fipa-contract-net")
    talk.i("cfp", "a", "b")
    talk.p("a", "propose")
    talk.p("b", "propose")
    assert talk.i("accept-proposal", "a", "b").legality == "legal"
    talk.p("a", "inform")
    talk.p("b", "failure")
    assert (talk.state, talk.outcome) == ("Completed", "awarded")
    talk = Talk("fipa-contract-net")
    talk.i("cfp", "a", "b")
    talk.p("a", "refuse")
    talk.p("b", "refuse")
    assert (talk.aggregate, talk.state, talk.outcome) == ("complete", "Completed", "no-award")
    talk = Talk("fipa-contract-net")
    talk.i("cfp", "a", "b", by=5)
    talk.wait(6)
    assert (talk.aggregate, talk.state, talk.outcome) == ("complete", "Failed", "no-award")


def test_an_offer_past_its_time_is_rejected_and_an_accept_gets_failure() -> None:
    talk = Talk("fipa-contract-net")
    talk.i("cfp", rw="r")
    talk.p("a", "propose", irt="r", rw="p", by=5)
    verdict = talk.i("accept-proposal", irt="p", rw="x", at=6)
    assert (verdict.legality, verdict.rule, talk.a) == ("ignored", "expired-offer", "rejected")
    assert answer(verdict.effects) == ("failure", "i@local", "expired")
    assert talk.i("reject-proposal").legality == "ignored"
    assert talk.i("cfp").legality == "violation"
    talk = Talk("fipa-propose")
    talk.i("propose", by=5)
    verdict = talk.p("a", "accept-proposal", at=6)
    assert (verdict.legality, talk.a) == ("ignored", "rejected")
    assert answer(verdict.effects) == ("failure", "a@local", "expired")


def test_a_round_that_asks_again_accepts_nothing_and_one_that_accepts_asks_no_more() -> None:
    talk = Talk("fipa-iterated-contract-net")
    talk.i("cfp", "a", "b", "c")
    for name in "abc":
        talk.p(name, "propose")
    assert talk.conversation.rounds.number == 1
    assert talk.i("cfp", "a").legality == "legal"
    assert talk.conversation.rounds.number == 2
    assert talk.i("accept-proposal", "b").rule == "this-round"
    assert talk.i("cfp", "b").legality == "legal", "the same new round"
    assert talk.conversation.rounds.number == 2
    assert talk.i("reject-proposal", "c").legality == "legal"
    talk.p("a", "propose")
    talk.p("b", "propose")
    assert talk.i("accept-proposal", "a").legality == "legal"
    verdict = talk.i("cfp", "b")
    assert (verdict.rule, "cfp" in verdict.legal, "reject-proposal" in verdict.legal) == (
        "no-award",
        False,
        True,
    )
    assert talk.i("cfp", "c").legality == "violation", "who was rejected is not asked again"
    talk.i("reject-proposal", "b")
    talk.p("a", "inform")
    assert talk.state == "Completed"


# ---------------------------------------------------------------------- auctions


def english() -> Talk:
    talk = Talk("fipa-auction-english")
    talk.i("inform", "a", "b")
    talk.i("cfp", "a", "b", by=10)
    return talk


def test_an_english_auction_from_the_first_price_to_the_sale() -> None:
    talk = english()
    talk.p("a", "propose")
    talk.p("b", "propose")
    assert talk.aggregate == "deciding"
    talk.i("accept-proposal", "a")
    talk.i("reject-proposal", "b")
    assert talk.states == {"a": "leading", "b": "lost"}
    talk.i("cfp", "a", "b", by=20)
    assert talk.states == {"a": "round", "b": "round"}
    talk.i("inform", "a", "b", at=21)
    assert (talk.states, talk.state) == ({"a": "closed", "b": "closed"}, "Completed")
    assert talk.i("request", "b").rule == "leader"
    assert talk.i("request", "a").legality == "legal"
    assert (talk.a, talk.state) == ("sale", "InProgress")
    talk.p("a", "agree")
    talk.p("a", "inform")
    assert (talk.states, talk.outcome) == ({"a": "done", "b": "closed"}, "awarded")


def test_an_auctions_deadline_ends_the_round_and_not_the_branch() -> None:
    for protocol in ("fipa-auction-english", "fipa-auction-dutch"):
        talk = Talk(protocol)
        talk.i("inform", "a", "b")
        talk.i("cfp", "a", "b", by=10)
        assert talk.p("b", "propose", at=10).legality == "legal"
        verdict = talk.p("a", "propose", at=10.1)
        assert (verdict.rule, talk.a) == ("past-deadline", "round")
        assert "propose" not in verdict.legal
        talk.i("accept-proposal", "b")
        assert talk.i("cfp", "a", "b", by=20).legality == "legal"
        assert talk.p("a", "propose", at=15).legality == "legal"


def test_an_english_round_has_one_leader() -> None:
    talk = english()
    talk.p("a", "propose")
    talk.p("b", "propose")
    assert talk.i("accept-proposal", "a", "b").rule == "sole-award"
    assert talk.states == {"a": "bid", "b": "bid"}, "a message that is wrong for one is stopped whole"
    talk.i("accept-proposal", "a")
    assert talk.i("accept-proposal", "b").rule == "sole-award"
    talk.i("reject-proposal", "b")
    talk.i("cfp", "a", "b")
    talk.p("b", "propose")
    assert talk.i("accept-proposal", "b").legality == "legal", "a new round, a new leader"


def test_an_english_round_follows_a_bid_and_a_dutch_one_silence() -> None:
    talk = english()
    assert talk.i("cfp", "a", "b", at=11).rule == "a-bid"
    talk = english()
    talk.p("a", "propose")
    assert talk.i("cfp", "b").legality == "legal", "somebody bid"
    talk = Talk("fipa-auction-dutch")
    talk.i("inform", "a")
    talk.i("cfp", "a", by=10)
    assert talk.i("cfp", "a", at=11).legality == "legal"
    assert talk.conversation.rounds.number == 2


def test_a_dutch_auction_awards_several_while_goods_remain() -> None:
    talk = Talk("fipa-auction-dutch")
    talk.i("inform", "a", "b", "d")
    talk.i("cfp", "a", "b", "d")
    for name in "abd":
        talk.p(name, "propose")
    assert talk.i("accept-proposal", "a", "b").legality == "legal"
    talk.i("reject-proposal", "d")
    talk.i("inform", "a", "b", "d")
    assert (talk.state, talk.outcome) == ("Completed", "awarded")


# ---------------------------------------------------------------------- brokers


def broker(protocol: str = "fipa-brokering") -> tuple[Talk, Talk]:
    talk = Talk(protocol, "outer")
    talk.i("proxy", "a", rw="r")
    return talk, Talk("fipa-request", "sub", talk.referee)


def test_a_sub_conversation_begins_only_once_the_broker_has_said_so() -> None:
    talk, sub = broker()
    assert sub.say("a", "request", "m", proxy_of="outer").rule == "proxy-too-early"
    talk.p("a", "agree")
    assert sub.say("a", "request", "m", proxy_of="outer").rule == "proxy-too-early"
    free = Talk(None, "free", talk.referee)
    assert free.say("a", "inform", "m", proxy_of="outer").rule == "proxy-too-early"
    talk.p("a", "inform")
    assert sub.say("a", "request", "m", proxy_of="outer").legality == "legal"
    assert sub.say("a", "request", "m", proxy_of="outer").legality == "violation", "nor twice"


def test_brokering_is_done_when_every_answer_was_relayed() -> None:
    talk, first = broker()
    talk.p("a", "agree")
    talk.p("a", "inform")
    second = Talk("fipa-query", "other", talk.referee)
    first.say("a", "request", "m", proxy_of="outer")
    second.say("a", "query-if", "n", proxy_of="outer")
    first.say("m", "inform", "a")
    talk.p("a", "inform")
    assert talk.a == "forwarding", "the other has not answered"
    second.say("n", "inform", "a")
    assert talk.a == "forwarding", "and its answer is not relayed yet"
    talk.p("a", "inform")
    assert (talk.a, talk.state) == ("done", "Completed")


def forwarding(*asked: str) -> tuple[Talk, list[Talk]]:
    """A broker `a` that has asked each of these in a sub-conversation."""
    talk, _ = broker()
    talk.p("a", "agree")
    talk.p("a", "inform")
    subs = [Talk("fipa-request", f"sub-{name}", talk.referee) for name in asked]
    for name, sub in zip(asked, subs, strict=True):
        assert sub.say("a", "request", name, proxy_of="outer", by=5).legality == "legal"
    return talk, subs


def test_an_agree_that_was_relayed_is_not_the_answer() -> None:
    talk, (m, n) = forwarding("m", "n")
    m.say("m", "agree", "a")
    n.say("n", "inform", "a")
    assert talk.p("a", "agree").legality == "legal"
    m.say("m", "inform", "a")
    for state in ("forwarding", "done"):
        assert talk.p("a", "inform").legality == "legal"
        assert talk.a == state


def test_what_a_broker_says_before_an_answer_is_there_is_not_that_answer() -> None:
    talk, (m,) = forwarding("m")
    assert talk.p("a", "inform").legality == "legal"
    m.say("m", "refuse", "a")
    assert talk.a == "forwarding"
    assert talk.p("a", "refuse").legality == "legal"
    assert talk.a == "done"


@pytest.mark.parametrize("act", ["failure", "not-understood"])
def test_a_failure_is_an_answer_too_and_the_broker_may_fail_with_it(act: str) -> None:
    talk, (m,) = forwarding("m")
    m.say("m", act, "a")
    assert talk.a == "forwarding"
    assert talk.p("a", "failure").legality == "legal"
    assert (talk.a, talk.state, talk.outcome) == ("failed", "Failed", "not-achieved")
    talk, (m, n) = forwarding("m", "n")
    m.say("m", act, "a")
    n.say("n", "inform", "a")
    for state in ("forwarding", "done"):
        assert talk.p("a", "inform").legality == "legal"
        assert talk.a == state


def test_where_nobody_answers_a_broker_is_not_done_and_where_somebody_did_nothing_more_is_owed() -> None:
    talk, (m, n) = forwarding("m", "n")
    m.say("ams", "failure", "a", content={"receiver": "m@local"})
    n.wait(6)
    assert (talk.a, n.states) == ("forwarding", {"n": "timed-out"})
    assert talk.p("a", "failure").legality == "legal"
    assert talk.a == "failed"
    talk, (m, n) = forwarding("m", "n")
    m.say("m", "inform", "a")
    talk.p("a", "inform")
    assert talk.a == "forwarding"
    n.wait(6)
    assert (talk.a, talk.state) == ("done", "Completed")


def test_brokering_without_sub_conversations_in_sight_goes_on() -> None:
    talk, _ = broker()
    talk.p("a", "agree")
    talk.p("a", "inform")
    for _ in range(3):
        assert talk.p("a", "inform").legality == "legal"
    assert talk.a == "forwarding"
    talk.p("a", "failure")
    assert talk.state == "Failed"


def test_recruited_agents_answer_the_initiator_itself() -> None:
    talk, sub = broker("fipa-recruiting")
    assert sub.say("a", "request", "m", proxy_of="outer").rule == "proxy-too-early"
    talk.p("a", "agree")
    assert sub.say("a", "request", "m", proxy_of="outer").legality == "legal"
    assert talk.p("a", "inform").legality == "legal"
    assert (talk.a, talk.state) == ("done", "Completed")
    assert sub.say("m", "agree", "z").rule == "receiver"
    assert sub.say("m", "inform", "i").legality == "legal"
    assert sub.states == {"m": "done"}


# ---------------------------------------------------------------------- who, where, which


def test_a_reference_may_be_missing_and_must_not_be_wrong() -> None:
    for refers, legality in ((None, "legal"), ("r", "legal"), ("old", "violation")):
        talk = Talk("fipa-request")
        talk.i("request", rw="r")
        assert talk.p("a", "agree", irt=refers).legality == legality
    talk = Talk("fipa-contract-net")
    talk.i("cfp", rw="r1")
    talk.p("a", "propose", irt="r1", rw="p1")
    assert talk.i("accept-proposal", irt="r1", rw="r2").rule == "in-reply-to"
    assert talk.i("accept-proposal", irt="p1", rw="r2").legality == "legal"
    assert talk.p("a", "inform", irt="r1").rule == "in-reply-to", "the last message, not an earlier one"
    assert talk.p("a", "inform", irt="r2").legality == "legal"


def test_a_message_that_was_wrong_is_nobodys_last_message() -> None:
    talk = Talk("fipa-request")
    talk.i("request", rw="r")
    assert talk.i("request", rw="r2").legality == "violation"
    assert talk.p("a", "inform", irt="r2").rule == "in-reply-to"
    assert talk.p("a", "inform", irt="r").legality == "legal"


def test_a_message_without_protocol_belongs_to_the_conversations_and_another_protocols_does_not() -> None:
    talk = Talk("fipa-request")
    talk.i("request")
    assert talk.p("a", "agree", protocol=None).protocol == "fipa-request"
    assert talk.p("a", "inform", protocol="fipa-query").rule == "another-protocol"
    assert talk.p("a", "inform", protocol="nobody-knows").rule == "another-protocol"
    assert talk.p("a", "inform", protocol="FIPA-Request").legality == "legal"


def test_what_names_no_protocol_or_an_unknown_one_passes_unjudged() -> None:
    for protocol, rule in ((None, "free"), ("my-own", "unknown-protocol")):
        talk = Talk(protocol)
        assert (verdict := talk.i("propagate")).legality == "legal"
        assert verdict.rule == rule
        assert not talk.referee.conversations


def test_a_message_to_several_that_is_wrong_for_one_is_stopped_whole() -> None:
    talk = Talk("fipa-contract-net")
    talk.i("cfp", "a", "b", "d")
    talk.p("a", "propose")
    talk.p("d", "propose")
    verdict = talk.i("reject-proposal", "a", "b", "d")
    assert (verdict.legality, verdict.participant, verdict.state) == ("violation", "b@local", "cfp-sent")
    assert talk.states == {"a": "proposed", "b": "cfp-sent", "d": "proposed"}
    assert talk.i("reject-proposal", "a", "d").legality == "legal"


@pytest.mark.parametrize(
    ("protocol", "first"),
    [("fipa-request", "request"), ("fipa-contract-net", "cfp"), ("fipa-subscribe", "subscribe")],
)
def test_who_is_named_later_gets_a_branch_until_the_conversation_is_complete(
    protocol: str, first: str
) -> None:
    talk = Talk(protocol)
    talk.i(first, "a")
    assert talk.i(first, "b").legality == "legal"
    assert talk.i(first, "b").legality == "violation", "one branch each"
    talk.p("a", "refuse")
    talk.p("b", "refuse")
    assert talk.state == "Completed"
    assert talk.i(first, "d").rule == "already-in-use"
    assert talk.i(first, "a").rule == "already-in-use"


def test_a_conversation_id_is_used_once() -> None:
    talk = Talk("fipa-request")
    talk.i("request")
    assert talk.say("z", "request", "a").rule == "already-in-use"
    talk.p("a", "inform")
    assert talk.say("z", "request", "a").rule == "already-in-use"
    assert talk.i("query-if", protocol="fipa-query").rule == "already-in-use"


def test_participants_speak_to_the_initiator_or_to_whom_it_named() -> None:
    talk = Talk("fipa-request")
    talk.i("request", "a", "b", reply_to=["boss"])
    assert talk.say("a", "inform", "b").rule == "receiver"
    assert talk.say("a", "inform", "i", "b").rule == "receiver"
    assert talk.say("a", "inform", "boss").legality == "legal"
    talk = Talk("fipa-contract-net")
    talk.i("cfp", "a")
    talk.p("a", "propose", reply_to=["desk"])
    assert talk.i("accept-proposal", "desk").legality == "legal"
    assert talk.states == {"a": "accepted"}


def test_who_received_something_in_place_of_a_member_may_say_that_it_was_not_understood() -> None:
    talk = Talk("fipa-request")
    talk.i("request", "a", reply_to=["boss"])
    assert talk.say("boss", "not-understood", "a").rule == "nothing-received"
    talk.say("a", "agree", "boss", rw="p")
    assert talk.say("boss", "not-understood", "a", irt="z").rule == "in-reply-to"
    assert talk.say("boss", "not-understood", "a", irt="p").rule == "not-understood"
    assert talk.a == "not-understood"
    talk = Talk("fipa-contract-net")
    talk.i("cfp", "a")
    talk.p("a", "propose", reply_to=["desk"])
    talk.i("accept-proposal", "desk")
    assert talk.say("desk", "inform", "i").rule == "stranger"
    assert talk.say("desk", "not-understood", "i").legality == "legal"
    assert talk.a == "not-understood"
    assert talk.say("z", "not-understood", "i").rule == "stranger"


def test_an_agent_may_speak_with_itself() -> None:
    talk = Talk("fipa-request")
    talk.i("request", "i")
    assert talk.say("i", "agree", "i").legality == "legal"
    assert talk.say("i", "inform", "i").legality == "legal"
    assert talk.say("i", "inform", "i").legality == "violation"
    assert talk.states == {"i": "done"}


def test_the_oldest_complete_conversations_are_forgotten_first() -> None:
    referee = Referee(library(), kept=10)
    for number in range(40):
        talk = Talk("fipa-request", f"c{number}", referee)
        talk.i("request")
        if number:
            talk.p("a", "inform")
    assert len(referee.conversations) <= 10
    assert "c0" in referee.conversations, "it is still open"
    assert "c39" in referee.conversations


def test_who_begins_most_open_conversations_loses_its_own_first() -> None:
    referee = Referee(library(), kept=20)
    talk = Talk("fipa-request", "mine", referee)
    talk.i("request")
    for number in range(60):
        talk = Talk("fipa-request", f"flood{number}", referee)
        talk.say("flooder", "request", "a", protocol="fipa-request")
    assert len(referee.conversations) <= 20
    assert "mine" in referee.conversations
