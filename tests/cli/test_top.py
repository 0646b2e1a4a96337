"""What happened between two looks at the meters."""

from __future__ import annotations

from typing import Any

import pytest

from caxton.cli.top import Look, Order, paces


def agent(name: str, **meters: Any) -> dict[str, Any]:
    start = dict.fromkeys(
        ("turns", "sent", "fuel", "failed_turns", "turn_us", "mailbox", "memory_kib", "restarts"), 0
    )
    return {"name": name, "state": "running", "cell": 1, **start, **meters}


def test_rates_are_per_second_of_the_time_between_the_looks() -> None:
    before = Look(10.0, {}, [agent("a", turns=100, fuel=1000, turn_us=0)])
    now = Look(12.0, {}, [agent("a", turns=300, fuel=5000, turn_us=500_000, mailbox=3)])
    (pace,) = paces(before, now, Order.RATE)
    assert (pace.turns_s, pace.fuel_s, pace.busy, pace.waiting) == (100.0, 2000.0, 0.25, 3)


def test_an_agent_that_is_new_or_began_again_counts_from_zero() -> None:
    before = Look(0.0, {}, [agent("again", turns=500)])
    now = Look(1.0, {}, [agent("again", turns=20), agent("new", turns=7)])
    assert {pace.name: pace.turns_s for pace in paces(before, now, Order.NAME)} == {"again": 20.0, "new": 7.0}


@pytest.mark.parametrize(
    ("order", "names"),
    [
        (Order.RATE, "cab"),
        (Order.FUEL, "abc"),
        (Order.MEMORY, "bca"),
        (Order.WAITING, "acb"),
        (Order.NAME, "abc"),
    ],
)
def test_the_busiest_comes_first(order: Order, names: str) -> None:
    now = Look(
        1.0,
        {},
        [
            agent("a", turns=2, fuel=9, memory_kib=1, mailbox=5),
            agent("b", turns=1, fuel=5, memory_kib=9, mailbox=0),
            agent("c", turns=3, fuel=1, memory_kib=5, mailbox=2),
        ],
    )
    assert "".join(pace.name for pace in paces(Look(0.0, {}, []), now, order)) == names
