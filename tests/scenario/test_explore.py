"""Orders that fail are found, made short, and fail again by what is printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from caxton.cli.commands.explore import explore as command
from caxton.cli.options import Format
from caxton.errors import Exit
from caxton.scenario.explore import Exploration, Wish, explore, read_schedule, written
from caxton.scenario.play import Player
from caxton.scenario.read import ScenarioFile, read_scenario
from caxton.scenario.result import Result, Verdict
from caxton.scenario.simulated import simulated_host
from caxton.scenario.suite import Settings, play
from caxton.simulation.orders import CELL_DIES, POWER_GOES, WIDTH, Orders

from . import files
from .files import ADD, EXAMPLES, step
from .planted.build import FAULTS, build

PLANTED = Path(__file__).parent / "planted"

MARKET = f'format = 1\nproject = "{EXAMPLES / "market"}"\n'
CALL = step(
    send='{ receiver = "buyer", performative = "request", protocol = "fipa-request", '
    'content = { action = "buy", item = "book", rounds = 1 } }'
)
ANN_FIRST = CALL + step(
    expect='{ order = ["from:seller-ann act:propose", "from:seller-bob act:propose"], within = "1s" }'
)
"""Nobody promises that: who has the first turn says who answers first."""


def again(file: ScenarioFile, found: Exploration) -> Result:
    """The run that the printed command plays."""
    assert found.shortest
    schedule = read_schedule(written(found.schedule))
    return play(file, Settings(seed=found.shortest.seed, decisions=schedule))


def test_an_order_that_fails_is_made_short_and_fails_again(tmp_path: Path) -> None:
    file = files.written(tmp_path, ANN_FIRST, MARKET)
    found = explore(file, Wish(seeds=6))
    assert found.failing
    assert found.shortest
    assert len(found.schedule) == 1
    (decided,) = found.schedule
    assert decided.what == "seller-bob@local before seller-ann@local"
    assert "seller-ann act:propose" in found.shortest.diagram
    other = again(file, found)
    assert (other.verdict, other.digest) == (Verdict.FAILED, found.shortest.digest)
    assert play(file, Settings(seed=found.shortest.seed, decisions={})).passed


@pytest.mark.parametrize("name", ["two-buyers", "at-the-deadline", "crossing"])
def test_a_fault_that_only_some_orders_show_is_found(name: str) -> None:
    """Agents with a planted fault: they pass in the plainest order."""
    file = read_scenario(PLANTED / f"{name}.toml")
    found = explore(file, Wish(seeds=20))
    assert found.failing
    assert found.shortest
    assert 1 <= len(found.schedule) <= 10
    assert "here: content" in found.shortest.diagram
    assert again(file, found).digest == found.shortest.digest
    assert play(file, Settings(seed=found.shortest.seed, decisions={})).passed


@pytest.mark.long
@pytest.mark.parametrize("name", FAULTS)
def test_the_planted_faults_are_what_their_sources_give(name: str) -> None:
    assert (PLANTED / f"{name}.wasm").read_bytes() == build(name)


def test_what_holds_in_every_order_passes(tmp_path: Path) -> None:
    """Eight seeds are every way of looking, with crashes of cells and of the daemon."""
    file = files.written(tmp_path, CALL + step(expect='{ filter = "act:propose", count = 3 }'), MARKET)
    found = explore(file, Wish(seeds=8, first=8))
    assert (found.runs, found.failing, found.shortest) == (8, [], None)


@pytest.mark.parametrize(
    ("what", "act", "place", "lives"),
    [
        ("the cell dies in the turn of", CELL_DIES, "4", 1),
        ("the daemon dies before the turn of", POWER_GOES, "9", 2),
    ],
)
def test_a_crash_is_a_decision_like_others(
    what: str, act: int, place: str, lives: int, tmp_path: Path
) -> None:
    file = files.written(
        tmp_path, CALL + step(expect='{ filter = "from:buyer act:inform", count = 1 }'), MARKET
    )
    with simulated_host(file, 0, orders=Orders(given={place: WIDTH * act})) as host:
        assert Player(file, host).play(lambda number, step: None) is None
        assert host.system.lives == lives
        (decided,) = host.decided()
        assert decided.what.startswith(what)


def test_an_agent_that_is_slower_than_a_deadline_is_only_looked_at_when_asked_for(tmp_path: Path) -> None:
    sold = step(expect='{ filter = "from:buyer act:inform", path = { bought = 1 }, within = "1m" }')
    file = files.written(tmp_path, CALL + sold, MARKET)
    assert not explore(file, Wish(seeds=1, first=7)).failing
    assert explore(file, Wish(seeds=1, first=7, late=True)).failing


@pytest.mark.system
def test_side_by_side_it_finds_the_same(tmp_path: Path) -> None:
    file = files.written(tmp_path, ANN_FIRST, MARKET)
    alone, both = (explore(file, Wish(seeds=12, jobs=jobs)) for jobs in (1, 2))
    assert (alone.failing, alone.schedule) == (both.failing, both.schedule)


def test_what_always_fails_needs_no_schedule(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = files.written(tmp_path, ADD + step(expect='{ filter = "act:refuse", within = 1 }'))
    with pytest.raises(typer.Exit) as ended:
        command(file.path, seeds=2, first=0, jobs=1, late=False, faults=False, output=Format.JSON)
    assert ended.value.exit_code == Exit.EXPECTATION
    said = json.loads(capsys.readouterr().out)
    assert (said["failing"], said["choices"], said["schedule"]) == ([0, 1], "-", [])


def test_a_scenario_that_cannot_be_played_ends_it(tmp_path: Path) -> None:
    file = files.written(tmp_path, step(swap='{ agent = "nobody" }'))
    found = explore(file, Wish(seeds=50))
    assert found.runs == 1
    assert found.shortest
    assert found.shortest.verdict is Verdict.BROKEN


@pytest.mark.parametrize("text", ["", "x:1", "1:y", "-1:1", "1:-1", "c:1", "1.:1"])
def test_a_schedule_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="invalid"):
        read_schedule(text)


@pytest.mark.parametrize("name", ["two-books", "late-proposal"])
def test_a_slow_agent_goes_on_when_its_time_is_over(name: str) -> None:
    """By a rounding it once waited for the next measuring of its cell, seconds later."""
    file = read_scenario(EXAMPLES / "market" / "scenarios" / f"{name}.toml")
    assert play(file, Settings(seed=31, decisions={"0": 2 * WIDTH})).passed
