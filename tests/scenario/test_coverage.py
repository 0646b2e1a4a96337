"""What a suite has exercised, and what never."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from caxton.cli.options import Format
from caxton.errors import Exit
from caxton.protocols.coverage import Transition
from caxton.scenario.coverage import Act, Exercised, together
from caxton.scenario.html_report import page
from caxton.scenario.read import find
from caxton.scenario.result import Result
from caxton.scenario.suite import Settings, chosen, run

from .files import ADD, COUNTER, EXAMPLES, step
from .test_runs import ran

NET = "fipa-contract-net"


@pytest.fixture(scope="module")
def results() -> list[Result]:
    """The two scenarios of the market."""
    return list(run(chosen(find([EXAMPLES / "market"])), Settings(coverage=True)))


def both(results: list[Result]) -> Exercised:
    return together(one.exercised for one in results if one.exercised)


def test_transitions_add_up_over_the_suite_deadlines_included(results: list[Result]) -> None:
    late, books = [one.exercised for one in results if one.exercised]
    cfp = Transition("start", "initiator", "cfp", "cfp-sent")
    deadline = Transition("cfp-sent", "", "deadline", "no-response")
    assert [one.transitions[NET][cfp] for one in (late, books, both(results))] == [1, 2, 3]
    assert [one.transitions[NET][deadline] for one in (late, books, both(results))] == [1, 0, 1]
    assert both(results).transitions[NET][Transition("cfp-sent", "participant", "refuse", "refused")] == 0


def test_an_agents_acts_are_those_of_its_part(results: list[Result]) -> None:
    sellers = both(results).acts["seller-ann"]
    as_seller = {(one.way, one.act): times for one, times in sellers.items()}
    assert as_seller == {
        ("hears", "cfp"): 3,
        ("hears", "accept-proposal"): 2,
        # of the last round, before the scenario was over
        ("hears", "reject-proposal"): 1,
        ("says", "propose"): 3,
        ("says", "refuse"): 0,
        ("says", "failure"): 0,
        ("says", "inform"): 2,
    }
    buyer = both(results).acts["buyer"]
    assert buyer[Act(NET, "initiator", "says", "reject-proposal")] == 5
    assert buyer[Act("fipa-request", "participant", "says", "refuse")] == 0


def test_a_page_has_what_never_happened_first(results: list[Result]) -> None:
    text = page(results, both(results))
    heading = text.index("agent seller-ann: 5 of 7 acts exercised")
    assert heading < text.index("never", heading) < text.index("hears cfp", heading)
    assert "coverage" not in page(results)


def test_the_command_says_it_in_every_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    idle = f'[agents.idle]\nwasm = "{EXAMPLES / "counter" / "counter.wasm"}"\n'
    path = tmp_path / "one.toml"
    path.write_text(COUNTER + idle + ADD + step(wait='{ filter = "act:inform" }'), "utf-8")
    monkeypatch.chdir(tmp_path)
    assert ran(tmp_path, coverage=True, html=tmp_path / "out.html") is Exit.OK
    lines = capsys.readouterr().out.splitlines()
    assert "agent idle: never took part" in lines
    assert lines[lines.index("agent counter: 2 of 2 acts exercised") + 1 :][:2] == [
        "      1  hears request",
        "      1  says inform",
    ]
    assert lines[-1].startswith("protocols that nobody used: fipa-request, ")
    assert "agent idle: never took part" in (tmp_path / "out.html").read_text("utf-8")

    found: list[Any] = []
    for output in (Format.JSON, Format.JSONL):
        assert ran(tmp_path, coverage=True, output=output) is Exit.OK
        text = capsys.readouterr().out
        found.append(json.loads(text if output is Format.JSON else text.splitlines()[-1]))
    assert found[0]["coverage"] == found[1]["coverage"]
    assert found[0]["results"][0]["verdict"] == "passed"
    assert found[0]["coverage"]["agents"]["idle"] == {"exercised": [], "never": []}
    assert found[0]["coverage"]["protocols"][NET]["never"][0]["source"] == "start"
