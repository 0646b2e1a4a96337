"""The canary's decisions, by themselves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from caxton.deploy.options import DeploymentOptions, Stage, conditions
from caxton.deploy.states import Passed, ProbationFailed
from caxton.deploy.strategies.canary import Canary
from caxton.deploy.strategies.conversation_routing import within
from caxton.deploy.strategies.revision_metrics import ComparedMetrics
from caxton.turn_status import Status
from deploy.strategies.turns import answer, heard, pending

STAGES = (Stage(10, 60), Stage(50, 120))
OPTIONS = DeploymentOptions(stages=STAGES, rollback_on=conditions("error_rate>1%"), min_turns=5)
TRAP = answer(Status.TRAP)


def test_it_goes_from_stage_to_stage_and_passes_after_the_last() -> None:
    canary = Canary(OPTIONS, {})
    assert canary.countdown_s == 60
    assert canary.expired(ComparedMetrics()) is None
    assert canary.countdown_s == 120
    assert canary.expired(ComparedMetrics()) == Passed()
    past = canary.progress(0)["past"]
    assert [one["percent"] for one in past] == [10, 50]


def test_it_is_judged_when_there_are_turns_enough() -> None:
    canary, metrics = Canary(OPTIONS, {}), ComparedMetrics()
    for seq in range(1, 5):
        assert heard(canary, metrics, pending(seq, new=TRAP, new_speaks=False)) is None
    verdict = heard(canary, metrics, pending(5))
    assert isinstance(verdict, ProbationFailed)
    assert verdict.reason == (
        "stage 1 (10 %): error_rate is 80.0 %, the old one's 0.0 % (error_rate>1%) after 5 turns"
    )


def test_at_the_end_of_a_stage_it_is_judged_however_few_they_are() -> None:
    canary, metrics = Canary(OPTIONS, {}), ComparedMetrics()
    assert heard(canary, metrics, pending(new=TRAP, new_speaks=False)) is None
    assert isinstance(canary.expired(metrics), ProbationFailed)
    assert canary.progress(0)["stage"] == 1, "it did not go on"


def test_a_breakdown_alone_decides_nothing() -> None:
    assert Canary(OPTIONS, {}).broke_down("trap") is None


def test_it_goes_on_where_it_was() -> None:
    first = Canary(OPTIONS, {})
    first.expired(ComparedMetrics())
    again = Canary(OPTIONS, first.progress(7.0))
    assert again.progress(7.0) == first.progress(7.0)
    assert again.countdown_s == 120
    assert again.expired(ComparedMetrics()) == Passed()


@given(st.lists(st.text(max_size=20), max_size=200))
def test_a_conversation_keeps_its_voice_over_the_stages(conversations: list[str]) -> None:
    canary = Canary(OPTIONS, {})
    before = {one: canary.speaks(one) for one in conversations}
    assert all(before[one] == within(one, 10) for one in conversations)
    canary.expired(ComparedMetrics())
    assert {one: canary.speaks(one) for one in conversations} == before
    assert all(canary.speaks(f"later {one}") == within(f"later {one}", 50) for one in set(conversations))


@given(st.text(), st.floats(0, 100), st.floats(0, 100))
def test_who_is_in_stays_in_as_the_share_grows(conversation: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert not within(conversation, low) or within(conversation, high)


@given(
    st.lists(
        st.tuples(st.sampled_from([Status.OK, Status.TRAP]), st.sampled_from([Status.OK, Status.TRAP])),
        max_size=80,
    )
)
def test_it_fails_as_soon_as_the_condition_is_not_met_and_never_before(
    turns: list[tuple[Status, Status]],
) -> None:
    canary, metrics = Canary(OPTIONS, {}), ComparedMetrics()
    errors = 0
    for seq, (old, new) in enumerate(turns, 1):
        errors += new is Status.TRAP
        verdict = heard(
            canary, metrics, pending(seq, old=answer(old), new=answer(new), new_speaks=new is Status.OK)
        )
        bad = seq >= OPTIONS.min_turns and 100 * errors / seq > 1
        assert isinstance(verdict, ProbationFailed) == bad
        if bad:
            return
