"""Orders that fail are found, made short, and fail again by what is printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from caxton.cli.commands.explore import explore as command
from caxton.cli.options import Format
from caxton.errors import Exit
from caxton.scenario.explore import explore, given, read_schedule, written
from caxton.scenario.result import Verdict
from caxton.scenario.suite import Settings, play

from . import files
from .files import ADD, EXAMPLES, step

MARKET = f'format = 1\nproject = "{EXAMPLES / "market"}"\n'
CALL = step(
    send='{ receiver = "buyer", performative = "request", protocol = "fipa-request", '
    'content = { action = "buy", item = "book", rounds = 1 } }'
)
ANN_FIRST = CALL + step(
    expect='{ order = ["from:seller-ann act:propose", "from:seller-bob act:propose"], within = "1s" }'
)
"""Nobody promises that: who has the first turn says who answers first."""


def test_an_order_that_fails_is_made_short_and_fails_again(tmp_path: Path) -> None:
    file = files.written(tmp_path, ANN_FIRST, MARKET)
    found = explore(file, 6)
    assert found.failing
    assert found.shortest
    assert len(found.schedule) == 1
    (choice,) = found.schedule
    assert (choice.agent, choice.instead_of) == ("seller-bob@local", "seller-ann@local")
    assert "seller-ann act:propose" in found.shortest.diagram
    schedule = read_schedule(written(found.schedule))
    again = play(file, Settings(seed=found.shortest.seed, choices=given(schedule)))
    assert (again.verdict, again.digest) == (Verdict.FAILED, found.shortest.digest)
    assert play(file, Settings(seed=found.shortest.seed, choices=given({}))).passed


def test_what_holds_in_every_order_passes(tmp_path: Path) -> None:
    file = files.written(tmp_path, CALL + step(expect='{ filter = "act:propose", count = 3 }'), MARKET)
    found = explore(file, 4, first=10)
    assert (found.runs, found.failing, found.shortest) == (4, [], None)


def test_what_always_fails_needs_no_schedule(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = files.written(tmp_path, ADD + step(expect='{ filter = "act:refuse", within = 1 }'))
    with pytest.raises(typer.Exit) as ended:
        command(file.path, seeds=2, first=0, output=Format.JSON)
    assert ended.value.exit_code == Exit.EXPECTATION
    said = json.loads(capsys.readouterr().out)
    assert (said["failing"], said["choices"], said["schedule"]) == ([0, 1], "-", [])


def test_a_scenario_that_cannot_be_played_ends_it(tmp_path: Path) -> None:
    file = files.written(tmp_path, step(swap='{ agent = "nobody" }'))
    found = explore(file, 50)
    assert found.runs == 1
    assert found.shortest
    assert found.shortest.verdict is Verdict.BROKEN


@pytest.mark.parametrize("text", ["", "x:1", "1:y", "-1:1", "1:-1", "99999999:1"])
def test_a_schedule_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"invalid|places"):
        read_schedule(text)
