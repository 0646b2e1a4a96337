"""What happened between two looks at the meters."""

from __future__ import annotations

import re
from typing import Any

import pytest
from shapes import made

from caxton.cli.commands.top import Look, Order, paces, screen
from caxton.presentation.text import memory
from caxton.schemas.daemon import AgentBody, StatusBody

STATUS = made(StatusBody, {})


def agent(name: str, **meters: Any) -> AgentBody:
    return made(AgentBody, {"name": name, "state": "running", "cell": 1, "memory_kib": 0, **meters})


def test_rates_are_per_second_of_the_time_between_the_looks() -> None:
    before = Look(10.0, STATUS, [agent("a", turns=100, fuel=1000, turn_us=0)])
    now = Look(12.0, STATUS, [agent("a", turns=300, fuel=5000, turn_us=500_000, mailbox=3)])
    (pace,) = paces(before, now, Order.RATE)
    assert (pace.turns_s, pace.fuel_s, pace.busy, pace.waiting) == (100.0, 2000.0, 0.25, 3)


def test_an_agent_that_is_new_or_began_again_counts_from_zero() -> None:
    before = Look(0.0, STATUS, [agent("again", turns=500)])
    now = Look(1.0, STATUS, [agent("again", turns=20), agent("new", turns=7)])
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
        STATUS,
        [
            agent("a", turns=2, fuel=9, memory_kib=1, mailbox=5),
            agent("b", turns=1, fuel=5, memory_kib=9, mailbox=0),
            agent("c", turns=3, fuel=1, memory_kib=5, mailbox=2),
        ],
    )
    assert "".join(pace.name for pace in paces(Look(0.0, STATUS, []), now, order)) == names


def test_a_memory_that_nobody_can_see_is_none_and_comes_last() -> None:
    agents = [agent("python", memory_kib=None), agent("c", memory_kib=64), agent("stopped")]
    found = paces(Look(0.0, STATUS, []), Look(1.0, STATUS, agents), Order.MEMORY)
    assert [(pace.name, memory(pace.memory_kib)) for pace in found] == [
        ("c", "64.0 KiB"),
        ("python", "?"),
        ("stopped", "0 B"),
    ]


def test_the_screen_shows_cells_and_as_many_agents_as_fit() -> None:
    fields = {
        "project": "p\x1b[2J",
        "uptime_s": 61,
        "agents": {"running": 40, "total": 40},
        "journal": {"bytes": 2048, "waiting_rows": 0},
        "cells": [
            {
                "no": 1,
                "state": "ready",
                "agents": 40,
                "in_flight": 2,
                "rss_kib": 1024,
                "cpu_s": 2.5,
                "restarts": 0,
            }
        ],
    }
    status = made(StatusBody, fields)
    before = Look(0.0, status, [])
    now = Look(2.0, status, [agent(f"a{number:02}", turns=number) for number in range(40)])
    text = "\n".join(screen(now, before, Order.RATE, 15))
    assert "p\\x1b[2J  up 1 min  390 turns/s" in text
    assert re.search(r"^ +1 +ready +40 +2 +1.0 MiB +2.5 +0$", text, re.M)
    rows = [line.split()[0] for line in text.splitlines() if line.startswith("a")]
    assert rows == [f"a{number:02}" for number in range(39, 31, -1)]
    assert "… 32 more" in text
