"""How far the building of the Python runtime is said to be."""

from __future__ import annotations

import pytest

from caxton.sandbox.python.progress import COMPILE, COMPONENT, TRY, WAIT, Estimate


class Hand:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


@pytest.mark.parametrize("pace", [0.5, 1.0, 4.0])
def test_it_goes_forward_to_the_end_and_learns_how_fast_the_machine_is(pace: float) -> None:
    now = Hand()
    estimate = Estimate(now)
    seen = []
    for step, usual_s in ((COMPONENT, 32), (COMPILE, 33), (TRY, 2)):
        estimate.begin(step)
        first = estimate.progress()
        for _ in range(usual_s):
            now.s += pace
            seen.append(estimate.progress().part)
        if step == COMPILE:
            assert first.left_s == pytest.approx(35 * pace)
    assert seen == sorted(seen)
    assert seen[-1] > 0.95
    assert estimate.progress().left_s < 1 * pace


def test_what_takes_longer_than_was_thought_is_not_said_to_be_done() -> None:
    now = Hand()
    estimate = Estimate(now)
    estimate.begin(COMPILE)
    now.s += 10_000
    assert estimate.progress().part < 0.95
    assert estimate.progress().left == "about 5 s left"


def test_what_others_make_is_waited_for_at_the_beginning() -> None:
    now = Hand()
    estimate = Estimate(now)
    estimate.begin(WAIT)
    now.s += 60
    assert (estimate.progress().part, estimate.progress().left_s) == (0, 67)
    assert estimate.progress().title == f"Python runtime, only once: {WAIT}"
