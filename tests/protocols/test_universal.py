"""What holds in every protocol: cancel (fipa.md 2.7), exceptions (2.8) and the universal events (2.10)."""

from __future__ import annotations

import pytest

from caxton.protocols import Answer, Ended, Referee, library

from .talk import Talk
from .test_rows import AUCTIONS, PATHS, STATES, arrive

OPEN = [
    (protocol, state)
    for protocol, state in STATES
    if protocol not in AUCTIONS and state not in PATHS[protocol][3].split()
]
ENDED = [
    (protocol, state)
    for protocol, state in STATES
    if protocol not in AUCTIONS and state in PATHS[protocol][3].split()
]

# ---------------------------------------------------------------------- cancel


@pytest.mark.parametrize(("protocol", "state"), OPEN)
def test_a_cancel_is_confirmed_by_inform(protocol: str, state: str) -> None:
    talk = arrive(protocol, state)
    assert talk.i("cancel", rw="x").rule == "cancel"
    assert talk.a == "cancelling"
    verdict = talk.p("a", "inform", irt="x")
    assert (verdict.legality, verdict.rule, verdict.state) == ("legal", "cancelled", "cancelling")
    assert talk.a == "cancelled"
    assert talk.state == "Completed"


@pytest.mark.parametrize(("protocol", "state"), OPEN)
@pytest.mark.parametrize("act", ["failure", "not-understood"])
def test_a_cancel_that_is_refused_leaves_the_branch_where_it_was(protocol: str, state: str, act: str) -> None:
    talk = arrive(protocol, state)
    before = talk.conversation.branches["a@local"]
    talk.i("cancel", rw="x")
    assert talk.p("a", act, irt="x").rule == "cancel-refused"
    after = talk.conversation.branches["a@local"]
    assert (talk.a, after.deadline_us, after.cancel) == (state, before.deadline_us, None)
    assert talk.i("cancel", rw="y").legality == "legal", "it may be tried again"


@pytest.mark.parametrize(("protocol", "state"), ENDED)
def test_a_cancel_after_the_end_is_answered_by_failure(protocol: str, state: str) -> None:
    talk = arrive(protocol, state)
    verdict = talk.i("cancel", rw="x")
    assert (verdict.legality, verdict.rule, talk.a) == ("ignored", "nothing-to-cancel", state)
    (answer,) = verdict.effects
    assert isinstance(answer, Answer)
    assert (answer.performative, answer.receiver, answer.reason) == (
        "failure",
        "i@local",
        "nothing to cancel",
    )
    assert answer.in_reply_to == "x"
    assert talk.p("a", "failure", irt="x").legality == "ignored"
    assert talk.p("a", "failure", irt="x").legality == "violation", "an answer comes once"
    assert talk.a == state


def test_a_result_that_crosses_with_the_cancel_wins() -> None:
    talk = Talk("fipa-request")
    talk.i("request", rw="r")
    talk.i("cancel", rw="x")
    verdict = talk.p("a", "inform", irt="r")
    assert (verdict.rule, verdict.state, talk.a) == ("step", "cancelling", "done")
    for act in ("inform", "failure", "not-understood"):
        again = Talk("fipa-request")
        again.i("request", rw="r")
        again.i("cancel", rw="x")
        again.p("a", "inform", irt="r")
        assert again.p("a", act, irt="x").rule == "cancel-answer"
        assert again.a == "done"


def test_a_step_that_crosses_and_does_not_end_is_taken_while_the_cancel_waits() -> None:
    talk = Talk("fipa-subscribe")
    talk.i("subscribe", rw="r")
    talk.p("a", "agree", irt="r")
    talk.i("cancel", rw="x", by=9)
    for _ in range(3):
        assert talk.p("a", "inform", irt="r").rule == "step"
        assert talk.a == "cancelling"
    assert talk.p("a", "inform", irt="x").rule == "cancelled"
    assert talk.p("a", "inform", irt="r").legality == "violation"


def test_a_failure_and_a_not_understood_that_cross_belong_to_the_state() -> None:
    for act, state in (("failure", "failed"), ("not-understood", "not-understood")):
        talk = Talk("fipa-request")
        talk.i("request", rw="r")
        talk.i("cancel", rw="x")
        talk.p("a", act, irt="r")
        assert talk.a == state


def test_a_wrong_reference_while_cancelling_is_out_of_sequence() -> None:
    talk = Talk("fipa-request")
    talk.i("request", rw="r")
    talk.i("cancel", rw="x")
    verdict = talk.p("a", "inform", irt="z")
    assert (verdict.rule, verdict.state, talk.a) == ("in-reply-to", "cancelling", "cancelling")


def test_an_answer_without_reference_answers_the_cancel_where_the_state_expects_no_such_act() -> None:
    talk = arrive("fipa-contract-net", "proposed")
    talk.i("cancel", rw="x")
    assert talk.p("a", "inform").rule == "cancelled"


def test_the_old_deadline_rests_while_a_cancel_waits_and_goes_on_after_it() -> None:
    talk = Talk("fipa-request")
    talk.i("request", rw="r", by=5)
    talk.i("cancel", rw="x", at=1)
    assert talk.wait(20) == ()
    assert talk.a == "cancelling"
    talk.p("a", "failure", irt="x", at=21)
    assert talk.a == "requested"
    talk.wait(21.5)
    assert talk.a == "timed-out"


@pytest.mark.parametrize(("by", "end"), [(4.0, 4.0), (None, 31.0)])
def test_a_cancel_without_answer_ends_unconfirmed(by: float | None, end: float) -> None:
    talk = Talk("fipa-subscribe")
    talk.i("subscribe", rw="r")
    talk.i("cancel", rw="x", at=1, by=by)
    assert talk.wait(end) == (), "the deadline itself is still in time"
    assert talk.wait(end + 0.001) == (
        Ended("a@local", "cancelled-unconfirmed", "no answer to the cancel", "cancelling"),
    )
    assert (talk.a, talk.state) == ("cancelled-unconfirmed", "Failed")


def test_a_cancel_needs_a_reply_with_that_is_fresh() -> None:
    talk = Talk("fipa-contract-net")
    talk.i("cfp", rw="r1")
    talk.p("a", "propose", irt="r1", rw="p1")
    talk.i("accept-proposal", rw="r2", irt="p1")
    for used in (None, "r1", "r2"):
        assert talk.i("cancel", rw=used).rule == "cancel-reply-with"
    assert talk.i("cancel", rw="r3", irt="wrong").rule == "in-reply-to"
    assert talk.i("cancel", rw="r3", irt="p1").rule == "cancel"


def test_only_the_initiator_cancels_and_says_nothing_else_meanwhile() -> None:
    talk = arrive("fipa-contract-net", "proposed")
    assert talk.p("a", "cancel", rw="x").rule == "cancel-by-participant"
    talk.i("cancel", rw="x")
    for act in ("accept-proposal", "cancel", "inform"):
        verdict = talk.i(act, rw="y")
        assert (verdict.rule, verdict.legal) == ("cancelling", ("not-understood",))
    assert talk.p("a", "cancel", rw="y").rule == "cancel-by-participant"


@pytest.mark.parametrize(("protocol", "state"), [one for one in STATES if one[0] in AUCTIONS])
def test_an_auction_has_no_cancel(protocol: str, state: str) -> None:
    assert arrive(protocol, state).i("cancel", rw="x").rule == "no-cancel"


def test_a_cancel_is_for_each_participant_by_itself() -> None:
    talk = Talk("fipa-contract-net")
    talk.i("cfp", "a", "b", rw="r")
    talk.i("cancel", "b", rw="x")
    assert talk.states == {"a": "cfp-sent", "b": "cancelling"}
    talk.p("b", "inform", irt="x")
    assert talk.state == "InProgress"
    talk.i("cancel", "a", "b", rw="y")
    assert talk.states == {"a": "cancelling", "b": "cancelled"}


# ---------------------------------------------------------------------- not-understood


@pytest.mark.parametrize(("protocol", "state"), OPEN)
def test_a_participant_that_understood_nothing_ends_its_branch_only(protocol: str, state: str) -> None:
    talk = arrive(protocol, state)
    first = PATHS[protocol][2][state].split(", ")[0].split()[1]
    talk.i(first, "b")
    assert talk.p("a", "not-understood").rule == "not-understood"
    assert talk.states["a"] == "not-understood"
    assert talk.state == "InProgress"
    assert talk.conversation.open == 1


def test_a_not_understood_is_never_answered_by_another() -> None:
    talk = arrive("fipa-request", "agreed")
    talk.p("a", "not-understood")
    assert (answer := talk.i("not-understood")).legality == "ignored"
    assert answer.rule == "not-understood-answered"
    assert talk.p("a", "not-understood").rule == "ended", "nor said twice"
    talk = arrive("fipa-request", "agreed")
    assert talk.i("not-understood").legality == "legal"
    assert talk.p("a", "not-understood").legality == "ignored"


def test_who_has_received_nothing_understood_everything() -> None:
    talk = Talk("fipa-request")
    talk.i("request")
    assert talk.i("not-understood").rule == "nothing-received"


def test_a_not_understood_with_a_wrong_reference_is_out_of_sequence() -> None:
    talk = Talk("fipa-request")
    talk.i("request", rw="r")
    assert talk.p("a", "not-understood", irt="z").rule == "in-reply-to"
    assert talk.a == "requested"


# ---------------------------------------------------------------------- undeliverable


def test_a_failure_of_the_ams_ends_the_branch_that_its_reference_points_to() -> None:
    talk = Talk("fipa-request")
    talk.i("request", "a", rw="r1")
    talk.i("request", "b", rw="r2")
    verdict = talk.say("ams", "failure", "i", irt="r2")
    assert (verdict.legality, verdict.rule, verdict.participant) == ("legal", "undeliverable", "b@local")
    assert talk.states == {"a": "requested", "b": "failed-delivery"}
    assert isinstance(verdict.effects[0], Ended)


@pytest.mark.parametrize(
    "content",
    [
        {"error": "unknown_agent", "receiver": "b@local"},
        {"receiver": "b"},
        "((action (agent-identifier :name i@local) (ACLMessage)) "
        '(MTS-error (agent-identifier :name b@local) (internal-error "gone")))',
    ],
)
def test_where_many_share_a_reference_the_agent_that_the_failure_names_is_meant(content: object) -> None:
    for refers in ("r", None):
        talk = Talk("fipa-contract-net")
        talk.i("cfp", "a", "b", rw="r")
        assert talk.say("ams", "failure", "i", irt=refers, content=content).rule == "undeliverable"
        assert talk.states == {"a": "cfp-sent", "b": "failed-delivery"}


def test_a_failure_about_a_branch_that_has_ended_does_not_end_another_one() -> None:
    talk = Talk("fipa-contract-net")
    talk.i("cfp", "a", "b", rw="r")
    talk.p("b", "refuse")
    assert talk.say("ams", "failure", "i", irt="r", content={"receiver": "b@local"}).legality == "ignored"
    assert talk.say("ams", "failure", "i", irt="r", content={"reason": "who knows"}).legality == "ignored"
    assert talk.states == {"a": "cfp-sent", "b": "refused"}


def test_a_failure_of_the_ams_to_the_participant_ends_its_branch() -> None:
    talk = Talk("fipa-request")
    talk.i("request", rw="r")
    talk.p("a", "agree", rw="p")
    talk.say("ams", "failure", "a", irt="p", content={"receiver": "i"})
    assert (talk.a, talk.state) == ("failed-delivery", "Failed")


def test_other_words_of_the_ams_change_nothing() -> None:
    talk = arrive("fipa-request", "requested")
    for act in ("not-understood", "inform", "reject-proposal"):
        assert talk.say("ams", act, "a").legality == "ignored"
    assert talk.say("a", "not-understood", "ams").rule == "not-understood-answered"
    assert talk.a == "requested"
    talk.p("a", "inform")
    assert talk.say("ams", "failure", "i", content={"receiver": "a"}).legality == "ignored"
    assert talk.a == "done"


def test_the_ams_as_a_participant_is_one_like_any_other() -> None:
    talk = Talk("fipa-request")
    talk.i("request", "ams")
    assert talk.say("ams", "agree", "i").rule == "step"
    assert talk.say("ams", "failure", "i").rule == "step"
    assert talk.states == {"ams": "failed"}


def test_a_strangers_failure_is_a_violation() -> None:
    talk = arrive("fipa-request", "requested")
    verdict = talk.say("z", "failure", "i")
    assert (verdict.legality, verdict.rule, talk.a) == ("violation", "stranger", "requested")
    assert talk.say("z", "failure", "i", content={"receiver": "a"}).legality == "violation"


# ---------------------------------------------------------------------- time


@pytest.mark.parametrize(
    ("protocol", "way", "end", "state"),
    [
        ("fipa-request", "I request*", "timed-out", "Failed"),
        ("fipa-request", "I request, P agree*", "timed-out", "Failed"),
        ("fipa-query", "I query-if*", "timed-out", "Failed"),
        ("fipa-query", "I query-ref, P agree*", "timed-out", "Failed"),
        ("fipa-request-when", "I request-when*", "timed-out", "Failed"),
        ("fipa-contract-net", "I cfp*", "no-response", "Failed"),
        ("fipa-contract-net", "I cfp, P propose*", "rejected", "Completed"),
        ("fipa-contract-net", "I cfp, P propose, I accept-proposal*", "timed-out", "Failed"),
        ("fipa-iterated-contract-net", "I cfp, P propose, I cfp*", "no-response", "Failed"),
        ("fipa-brokering", "I proxy*", "timed-out", "Failed"),
        ("fipa-recruiting", "I proxy*", "timed-out", "Failed"),
        ("fipa-subscribe", "I subscribe*", "timed-out", "Failed"),
        ("fipa-propose", "I propose*", "rejected", "Completed"),
    ],
)
def test_a_deadline_bounds_the_next_message(protocol: str, way: str, end: str, state: str) -> None:
    talk = Talk(protocol)
    for word in way.split(", "):
        side, act = word.rstrip("*").split()
        by = 5.0 if word.endswith("*") else None
        assert (talk.i(act, by=by) if side == "I" else talk.p("a", act, by=by)).legality == "legal"
    before = talk.a
    assert talk.wait(5.0) == (), "the deadline itself is still in time"
    assert talk.a == before
    (ended,) = talk.wait(5.000001)
    assert isinstance(ended, Ended)
    assert (ended.state, talk.a, talk.state) == (end, end, state)
    assert talk.wait(100.0) == ()


def test_an_answer_ends_the_wait_and_the_next_one_has_its_own() -> None:
    talk = Talk("fipa-request")
    talk.i("request", by=5)
    talk.p("a", "agree", at=4)
    talk.wait(200)
    assert talk.a == "agreed"
    assert talk.p("a", "inform", at=250).legality == "legal"


@pytest.mark.parametrize("act", ["agree", "inform", "failure", "not-understood", "refuse"])
def test_after_a_deadline_an_answer_is_out_of_sequence_and_a_refusal_ignored(act: str) -> None:
    talk = Talk("fipa-request")
    talk.i("request", by=5)
    verdict = talk.p("a", act, at=6)
    assert (verdict.legality, talk.a) == ("ignored" if act == "refuse" else "violation", "timed-out")
    assert isinstance(verdict.effects[0], Ended), "what time has done comes with the verdict"


def test_a_refusal_is_late_only_where_time_has_ended_the_branch() -> None:
    done = Talk("fipa-request")
    done.i("request", rw="r", by=5)
    done.p("a", "inform", at=1)
    assert done.p("a", "refuse", at=2).rule == "ended"


def test_what_crosses_a_failed_delivery_is_nobodys_fault() -> None:
    talk = Talk("fipa-contract-net")
    talk.i("cfp", "a", "b", rw="r")
    talk.p("a", "propose", rw="p")
    talk.referee.died("a@local", "stopped", "ams@local")
    assert talk.i("accept-proposal", irt="q").rule == "ended", "what was wrong before is wrong still"
    accepted = talk.i("accept-proposal", irt="p", rw="s")
    assert (accepted.legality, accepted.rule, accepted.effects) == ("ignored", "crossed", ())
    assert talk.a == "failed-delivery", "an end is not left"
    assert talk.i("accept-proposal", irt="p").rule == "ended", "once is enough"
    assert talk.p("a", "inform", irt="s").rule == "crossed"
    assert talk.p("a", "inform", irt="s").rule == "ended"


def test_what_crosses_the_end_of_the_initiator_is_nobodys_fault_and_its_cancel_is_still_answered() -> None:
    talk = Talk("fipa-request")
    talk.i("request", rw="r", by=5)
    talk.say("ams", "cancel", "a", rw="x", at=1)
    assert [talk.p("a", act, irt="r", at=2).rule for act in ("agree", "agree")] == ["crossed", "ended"]
    assert talk.p("a", "inform", irt="x", at=3).rule == "cancel-answer"
    assert talk.a == "cancelled"


@pytest.mark.parametrize("protocol", ["fipa-subscribe", "fipa-request-when"])
def test_who_waits_for_something_to_happen_does_not_die_of_idleness(protocol: str) -> None:
    talk = arrive(protocol, "active" if protocol == "fipa-subscribe" else "waiting")
    assert talk.wait(1e7) == ()
    assert talk.p("a", "inform").legality == "legal"


def test_a_conversation_expires_when_nothing_happens_and_not_before() -> None:
    talk = Talk("fipa-request")
    talk.i("request", "a", "b")
    talk.p("a", "agree", at=200)
    talk.p("b", "inform", at=300)
    assert talk.wait(600) == (), "each step renews it"
    ended, told = talk.wait(600.001)
    assert isinstance(ended, Ended)
    assert isinstance(told, Answer)
    assert (told.performative, told.about, told.error) == ("failure", "a@local", "expired")
    assert "time_to_live_s of fipa-request" in told.reason
    assert (talk.states, talk.state) == ({"a": "expired", "b": "done"}, "Expired")
    assert talk.p("a", "inform").rule == "ended"


def test_a_record_does_not_say_who_worked_so_silence_ends_nothing_there() -> None:
    talk = Talk("fipa-request", referee=Referee(library(), silence_ends=False))
    talk.i("request", by=50)
    talk.p("a", "agree", at=20)
    assert talk.p("a", "inform", at=2_000).legality == "legal"
    late = Talk("fipa-request", referee=Referee(library(), silence_ends=False))
    late.i("request", by=50)
    late.wait(51)
    assert late.states == {"a": "timed-out"}, "a deadline is one all the same"


def test_the_platforms_word_that_a_recorded_conversation_has_expired_ends_it() -> None:
    talk = Talk("fipa-request", referee=Referee(library(), silence_ends=False))
    talk.i("request")
    verdict = talk.say(
        "ams", "failure", "i", content={"error": "expired", "reason": "nothing was said"}, at=400
    )
    assert verdict.legality == "ignored"
    assert (talk.states, talk.state) == ({"a": "expired"}, "Expired")


def test_who_has_a_deadline_to_wait_for_is_not_idle() -> None:
    talk = Talk("fipa-request")
    talk.i("request", by=1000)
    assert talk.wait(999) == ()
    assert talk.p("a", "inform", at=1000).legality == "legal"


# ---------------------------------------------------------------------- duplicates, death


def test_a_duplicate_changes_nothing() -> None:
    talk = Talk("fipa-subscribe")
    talk.i("subscribe", id="one")
    talk.p("a", "agree", id="two")
    assert talk.p("a", "agree", id="two").rule == "duplicate"
    assert talk.i("subscribe", id="one").legality == "ignored"
    assert talk.a == "active"


def test_only_as_many_ids_are_remembered_as_was_said() -> None:
    talk = Talk("fipa-subscribe", referee=Referee(library(), seen=4))
    talk.i("subscribe", id="first")
    for number in range(4):
        talk.p("a", "inform", id=f"m{number}")
    assert talk.p("a", "inform", id="m3").rule == "duplicate"
    assert talk.i("subscribe", id="first").rule == "out-of-sequence", "it was forgotten"
    talk = Talk("fipa-subscribe", referee=Referee(library(), seen=0))
    talk.i("subscribe", id="first")
    assert talk.i("subscribe", id="first").rule == "out-of-sequence"


def test_when_a_participant_dies_the_platform_fails_each_of_its_open_branches() -> None:
    talk = Talk("fipa-contract-net")
    talk.i("cfp", "a", "b", rw="r")
    talk.p("b", "propose")
    told = talk.referee.died("b@local", "stopped", "ams@local")
    ended, answer = told["c"]
    assert isinstance(ended, Ended)
    assert answer == Answer(
        performative=answer.performative,
        receiver="i@local",
        reason="stopped",
        in_reply_to="r",
        about="b@local",
    )
    assert answer.performative == "failure"
    assert talk.states == {"a": "cfp-sent", "b": "failed-delivery"}
    assert talk.referee.died("b@local", "stopped", "ams@local") == {}


def test_when_an_initiator_dies_the_platform_cancels_in_its_name() -> None:
    talk = Talk("fipa-contract-net")
    talk.i("cfp", "a", "b", rw="r")
    talk.p("b", "refuse")
    told = talk.referee.died("i@local", "removed", "ams@local")["c"]
    (cancel,) = [one for one in told if isinstance(one, Answer)]
    assert (cancel.performative, cancel.receiver, cancel.about) == ("cancel", "a@local", "i@local")
    assert talk.states == {"a": "cancelled", "b": "refused"}
    assert talk.say("a", "inform", "ams", irt=cancel.in_reply_to).legality == "ignored"
    assert talk.p("a", "inform", irt=cancel.in_reply_to).rule == "cancel-answer"


def test_death_read_from_a_record_is_the_same() -> None:
    talk = arrive("fipa-request", "agreed")
    assert talk.say("ams", "cancel", "a", rw="x").rule == "initiator-died"
    assert (talk.a, talk.state) == ("cancelled", "Failed")
