"""The probation's decisions, by themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton.deploy.options import Probation
from caxton.deploy.states import Passed, ProbationFailed
from caxton.deploy.strategies.blue_green import BlueGreen
from caxton.deploy.strategies.revision_metrics import ComparedMetrics
from caxton.ids import conversation_key
from caxton.turn_status import DISCARDED, Status
from deploy.strategies.turns import answer, heard, pending


@given(st.integers(1, 30), st.lists(st.booleans(), max_size=60))
def test_so_many_turns_in_which_it_spoke_are_enough(turns: int, spoke: list[bool]) -> None:
    policy, metrics = BlueGreen(Probation(turns=turns, warm_up_s=7)), ComparedMetrics()
    good = 0
    for seq, new_speaks in enumerate(spoke, 1):
        good += new_speaks
        verdict = heard(policy, metrics, pending(seq, new_speaks=new_speaks, for_new=new_speaks))
        assert verdict == (Passed() if new_speaks and good >= turns else None)


def test_one_failure_is_enough() -> None:
    policy, metrics = BlueGreen(Probation()), ComparedMetrics()
    turn = pending(7, new=answer(Status.GUEST_ERROR), new_speaks=False)
    verdict = heard(policy, metrics, turn)
    assert verdict == ProbationFailed("message 7: the new revision failed where the old one did not")


@pytest.mark.parametrize("status", sorted(DISCARDED))
def test_what_costs_the_instance_is_told_as_a_breakdown(status: Status) -> None:
    policy, metrics = BlueGreen(Probation()), ComparedMetrics()
    assert heard(policy, metrics, pending(new=answer(status), new_speaks=False)) is None
    assert policy.broke_down("message 1: trap") == ProbationFailed("message 1: trap")


def test_an_error_that_the_old_one_makes_too_is_none() -> None:
    policy, metrics = BlueGreen(Probation()), ComparedMetrics()
    refused = answer(Status.GUEST_ERROR)
    assert heard(policy, metrics, pending(old=refused, new=refused, new_speaks=False)) is None


def test_the_end_of_the_warm_up_is_good() -> None:
    policy = BlueGreen(Probation(turns=5, warm_up_s=7))
    assert policy.countdown_s == 7
    assert policy.expired(ComparedMetrics()) == Passed()


def test_what_was_under_way_stays_with_the_old_one() -> None:
    policy = BlueGreen(Probation())
    assert policy.routing is not None
    policy.routing.keep([conversation_key("under way")], new=False)
    assert not policy.speaks("under way")
    assert policy.speaks("a new one")
