"""Calls to the world over the whole runtime, on virtual time: what is asked, answered, refused, never asked twice."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from caxton.effects.calls import KIND
from caxton.errors import TimedOut
from caxton.testing import Crashed, System, runtime

Json = dict[str, Any]


def effects(**settings: Any) -> Json:
    return {"effects": {"shout": {"command": ["shout"], **settings}}}


def shouted(call: Json) -> Json:
    return {"inform": {"text": call["request"]["text"].upper()}}


def events(system: System, *kinds: str) -> list[bytes]:
    return [row[5] for row in system.rows()["event"] if row[2] in kinds]


def answers(system: System) -> list[Json]:
    return system.messages(sender="shout@local")


def test_a_request_is_answered_by_the_process() -> None:
    with runtime({}, config=effects(), effects={"shout": shouted}) as system:
        answer = system.ask({"text": "hello"}, to="shout", protocol="fipa-request")
        assert (answer["performative"], answer["content"]) == ("inform", {"text": "HELLO"})
        (called,) = events(system, "effect")
        assert b'"what":"called"' in called
        assert not [row for row in system.rows()["directory"] if row[0] == KIND], "it is over"


@pytest.mark.parametrize(
    ("said", "act", "code"),
    [
        ({"failure": {"error": "broken", "reason": "it is"}}, "failure", "broken"),
        ({"refuse": {"error": "unknown", "reason": "what?"}}, "refuse", "unknown"),
        ({}, "failure", "wrong-answer"),
        ({"inform": {"x": [[[[1]]]] * 70_000}}, "failure", "too-long"),
        ({"inform": "x" * 300_000}, "failure", "too-long"),
    ],
)
def test_what_the_process_says_is_what_the_asker_gets(said: Json, act: str, code: str) -> None:
    with runtime({}, config=effects(), effects={"shout": lambda call: said}) as system:
        answer = system.ask({"text": "x"}, to="shout", protocol="fipa-request")
        assert (answer["performative"], answer["content"]["error"]) == (act, code)


def test_a_call_that_takes_long_is_agreed_to_and_then_given_up() -> None:
    with runtime({}, config=effects(timeout="5s"), effects={"shout": lambda call: None}) as system:
        system.send({"text": "x"}, to="shout", protocol="fipa-request", conversation_id="slow")
        system.advance(6)
        assert [one["performative"] for one in answers(system)] == ["agree", "failure"]
        assert answers(system)[1]["content"]["error"] == "timeout"
        assert not events(system, "violation")


def test_a_reply_by_bounds_a_call_and_its_answer_is_in_time() -> None:
    with runtime({}, config=effects(), effects={"shout": lambda call: None}) as system:
        system.send({"text": "x"}, to="shout", protocol="fipa-request", reply_by="800ms")
        system.advance(2)
        (answer,) = answers(system)
        assert answer["content"]["error"] == "timeout"
        assert not events(system, "violation", "branch")


def test_a_cancelled_call_is_told_to_the_process_and_not_answered() -> None:
    with runtime({}, config=effects(), effects={"shout": lambda call: None}) as system:
        asked: Any = {"to": "shout", "protocol": "fipa-request", "conversation_id": "c"}
        system.send({"text": "x"}, **asked)
        system.advance(0.5)
        system.send(None, performative="cancel", reply_with="stop", **asked)
        system.advance(30)
        (answer,) = answers(system)
        assert answer["content"] == {"cancelled": 1}
        assert system.ask(None, to="shout", performative="cancel")["content"]["error"] == "internal-error"


def test_a_process_that_never_answers_is_ended_and_others_are_served() -> None:
    silent: list[str] = []

    def once(call: Json) -> Json | None:
        if not silent:
            silent.append(call["id"])
            return None
        return shouted(call)

    with runtime({}, config=effects(timeout="2s"), effects={"shout": once}) as system:
        system.send({"text": "a"}, to="shout")
        system.advance(2.5)
        # the one place is taken until the process is ended
        answer = system.ask({"text": "b"}, to="shout", reply_by="60s")
        assert answer["content"]["error"] == "timeout"
        system.advance(10)
        assert system.ask({"text": "c"}, to="shout")["content"] == {"text": "C"}


def test_who_asks_too_much_leaves_room_for_others() -> None:
    with runtime({}, config=effects(waiting=4), effects={"shout": lambda call: None}) as system:
        for _ in range(4):
            system.send({"text": "x"}, to="shout", sender="operator.greedy")
        system.send({"text": "y"}, to="shout", sender="operator.modest")
        refused = [one for one in answers(system) if one["performative"] == "refuse"]
        assert [(one["receiver"], one["content"]["error"]) for one in refused] == [
            (["operator.greedy@local"], "busy")
        ] * 2


def test_an_effect_that_is_not_there_says_so() -> None:
    with runtime({}, config=effects()) as system:
        answer = system.ask({"text": "x"}, to="shout", limit_s=120)
        assert answer["content"]["error"] == "unavailable"
        assert "the simulation has no effect shout" in answer["content"]["reason"]


@pytest.mark.parametrize(
    ("steps", "idempotent"), [*((n, False) for n in range(1, 15)), (4, True), (7, True), (10, True)]
)
def test_a_crash_at_any_step_makes_no_call_twice_and_leaves_nobody_waiting(
    steps: int, idempotent: bool
) -> None:
    done: Counter[str] = Counter()

    def pay(call: Json) -> Json:
        done[call["id"]] += 1
        return shouted(call)

    with runtime({}, config=effects(idempotent=idempotent), effects={"shout": pay}, seed=steps) as system:
        try:
            system.crash_after(steps)
            system.send({"text": "x"}, to="shout", conversation_id="c", protocol="fipa-request")
            accepted = True
            system.advance(5)
        except (Crashed, TimedOut):
            accepted = bool(system.disk)
        finally:
            system.crash_after(None)
        system.restart()
        system.advance(10)
        asked = system.messages(receiver="shout@local", performative="request")
        final = [one for one in answers(system) if one["performative"] != "agree"]
        assert len(final) == len(asked), "everybody who asked is answered once"
        if not idempotent:
            assert all(many == 1 for many in done.values())
            for one in final:
                wrong = one["performative"] == "failure"
                assert not wrong or one["content"]["error"] == "interrupted"
        else:
            assert all(one["performative"] == "inform" for one in final)
        assert accepted or not asked
