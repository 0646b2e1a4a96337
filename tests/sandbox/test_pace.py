"""No work is charged ticks for time before it, whenever the watcher happens to look."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from caxton.limits import Limits
from caxton.sandbox.cell.watcher import MOST_TICKS, Pace
from caxton.sandbox.engines import TICK_S, ticks

LOOKS = st.lists(st.tuples(st.floats(0.0005, 0.3), st.sampled_from(["same", "next", "none"])), max_size=60)


@given(looks=LOOKS, begins=st.lists(st.floats(0, 1), min_size=60, max_size=60))
def test_a_limit_is_never_short(looks: list[tuple[float, str]], begins: list[float]) -> None:
    pace, now, work, began, told = Pace(0.0), 0.0, None, 0.0, 0
    for (gap, what), share in zip(looks, begins, strict=False):
        if what == "none":
            work = None
        elif what == "next" or work is None:
            # it began somewhere between the two looks
            work, began, told = object(), now + gap * share, 0
        now += gap
        told += pace.look(now, work)
        # the budget of a call has one tick more than its limit, for the one that is under way when it begins
        assert told <= math.floor((now - began) / TICK_S + 1e-6) + 1


@given(gaps=st.lists(st.floats(0.0005, MOST_TICKS * TICK_S / 2), min_size=1, max_size=60))
def test_work_that_goes_on_is_charged_all_of_its_time(gaps: list[float]) -> None:
    pace, work = Pace(0.0), object()
    assert pace.look(0.0005, work) == 0
    now = 0.0005 + TICK_S
    told = pace.look(now, work)
    for gap in gaps:
        now += gap
        told += pace.look(now, work)
    assert told >= math.floor(now / TICK_S - 1e-6)


def test_a_budget_covers_the_limit_and_the_tick_under_way() -> None:
    assert ticks(Limits(wall_ms=100)) == round(0.1 / TICK_S) + 1
