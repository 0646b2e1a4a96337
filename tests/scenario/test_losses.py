"""Every fault in one scenario: the journal has all that was acknowledged, with its turn. And what is not promised."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from caxton.journal.records.record import AGENT_BITS
from caxton.scenario.explore import Wish, explore
from caxton.scenario.format import ACTIONS
from caxton.scenario.play import Player
from caxton.scenario.simulated import simulated_host
from caxton.scenario.suite import Settings, play

from .files import COUNTER, step, written

LOSS = '{ filter = "act:request", agent = "counter" }'
FAULTS = [
    ("delay", '{ filter = "act:request", by = "5ms" }'),
    ("crash_cell", '"counter"'),
    ("kill_daemon", "{ after = 3 }"),
    ("fail_disk", '{ error = "full", times = 2 }'),
    ("fail_disk", '{ error = "io", landed = true }'),
    ("swap", '{ agent = "counter" }'),
    ("fill", '{ agent = "counter", performative = "inform", content = { add = 0 } }'),
    ("advance", "60"),
    ("drop", LOSS),
    ("duplicate", LOSS),
    ("reorder", LOSS),
    ("kill_daemon", "{}"),
]
SUM = sum(1 << number for number in range(len(FAULTS))) - (1 << 8) + (1 << 9)
"""Each fault is followed by a message that adds another bit: one of them is lost, one comes twice."""


def add(number: int) -> str:
    return step(
        send=f'{{ receiver = "counter", performative = "request", content = {{ add = {1 << number} }} }}'
    )


def test_what_was_acknowledged_is_in_the_journal_whatever_breaks(tmp_path: Path) -> None:
    quiet = step(wait='{ quiet = "1s" }')
    steps = "".join(
        (quiet if how == LOSS else "") + step(**{kind: how}) + (quiet if kind == "fill" else "") + add(number)
        for number, (kind, how) in enumerate(FAULTS)
    )
    ask = step(
        send='{ receiver = "counter", performative = "request", conversation_id = "sum", content = { add = 0 } }'
    )
    sums = step(expect=f'{{ filter = "from:counter conv:sum", path = {{ count = {SUM} }} }}')
    few = COUNTER.replace("format = 1", "format = 1\nlimits = { mailbox = 20 }")
    result = play(written(tmp_path, steps + ask + sums, few), Settings(keep=tmp_path))
    assert result.passed, result.lines()
    with closing(sqlite3.connect(next(tmp_path.glob("*.db")))) as journal:
        bodies = {seq: json.loads(body) for seq, body in journal.execute("select seq, body from message")}
        handled = {id >> AGENT_BITS for (id,) in journal.execute("select id from turn")}
    asked = {seq: one["content"]["add"] for seq, one in bodies.items() if one["performative"] == "request"}
    assert sorted(asked.values()) == [0, *(1 << number for number in range(len(FAULTS)))]
    assert set(asked) <= handled
    said = {"send", "task", "wait", "expect", "expect_nothing"}
    assert {kind for kind, _ in FAULTS} == set(ACTIONS) - said


@pytest.mark.parametrize(
    ("kind", "counts"), [("drop", [2]), ("duplicate", [1, 2, 4]), ("reorder", [2, 3])], ids=str
)
def test_a_loss_is_what_the_guest_saw(kind: str, counts: list[int], tmp_path: Path) -> None:
    file = written(tmp_path, step(**{kind: LOSS}) + add(0) + add(1) + step(wait='{ quiet = "1s" }'))
    with simulated_host(file, 0) as host:
        assert Player(file, host).play(lambda number, step: None) is None
        contents = [one["content"] for one in host.system.messages(sender="counter@local")]
    assert [one["count"] for one in contents] == counts


def test_losses_are_looked_for_only_when_asked_for(tmp_path: Path) -> None:
    file = written(tmp_path, add(0) + add(1) + step(expect='{ filter = "from:counter", count = 2 }'))
    assert not explore(file, Wish(seeds=24)).failing
    found = explore(file, Wish(seeds=24, faults=True))
    assert found.shortest
    assert found.schedule[0].what.startswith("message ")
    assert len(found.schedule) == 1
