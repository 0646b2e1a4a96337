"""What a shadow counts and says, by itself."""

from __future__ import annotations

from caxton.deploy.options import DeploymentOptions
from caxton.deploy.states import ProbationFailed
from caxton.deploy.strategies.revision_metrics import ComparedMetrics
from caxton.deploy.strategies.shadow import EXAMPLES, Shadow
from caxton.limits import Limits
from deploy.strategies.turns import answer, heard, pending

OTHER = answer(fuel=3, turn_us=1024, said=b'{"performative":"inform","content":2}')


def shadow(**saved: object) -> Shadow:
    return Shadow(DeploymentOptions(shadow_s=60), "c@local", Limits(), saved)


def test_it_never_speaks_and_nothing_but_time_ends_it() -> None:
    policy, metrics = shadow(), ComparedMetrics()
    assert policy.routing is None
    assert not policy.speaks("t")
    for seq in range(100):
        assert heard(policy, metrics, pending(seq, new=OTHER, for_new=False, new_speaks=False)) is None
    assert policy.broke_down("trap") is None
    assert policy.countdown_s == 60


def test_same_and_different_are_counted_and_the_first_are_kept_word_for_word() -> None:
    policy, metrics = shadow(), ComparedMetrics()
    for seq in range(20):
        new = OTHER if seq % 4 else answer()
        heard(policy, metrics, pending(seq, new=new, for_new=False, new_speaks=False))
    made = policy.progress(12.0)
    assert (made["same"], made["different"], made["over"], made["left_s"]) == (5, 15, False, 12.0)
    assert len(made["examples"]) == EXAMPLES
    assert made["examples"][0]["seq"] == 1
    assert made["examples"][0]["differences"] == ["[0].content: 1 before, 2 after"]


def test_its_end_says_what_was_found() -> None:
    policy, metrics = shadow(), ComparedMetrics()
    heard(policy, metrics, pending(new=OTHER, for_new=False, new_speaks=False))
    verdict = policy.expired(metrics)
    assert verdict == ProbationFailed(
        "the shadow's time is over: 1 turns, 0 same and 1 different, errors 0 and 0, fuel a turn 1 and 3, "
        "p99 0.00 ms and 1.02 ms"
    )
    assert policy.progress(0)["over"]


def test_it_goes_on_with_what_it_had() -> None:
    first, metrics = shadow(), ComparedMetrics()
    heard(first, metrics, pending(new=OTHER, for_new=False, new_speaks=False))
    again = shadow(**first.progress(5.0))
    assert again.progress(5.0) == first.progress(5.0)
