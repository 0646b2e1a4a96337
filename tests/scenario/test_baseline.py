"""What agents have used, held to what they used before: in a scenario, and over all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from caxton.cli import baselines, scenario_updates
from caxton.cli.options import Format
from caxton.errors import ConfigurationError, Exit
from caxton.scenario.baseline import Baseline, beside, read_baseline, together
from caxton.scenario.comparison import compared, markdown
from caxton.scenario.read import read_scenario
from caxton.scenario.suite import Settings, play

from .files import ADD, step, written

HELD = (
    ADD
    + step(wait='{ filter = "act:inform" }')
    + step(expect='{ fuel = "<= 1.02 * baseline" }')
    + step(expect='{ agent = "counter", memory = "<=baseline" }')
)


def changed(file: Path, by: float) -> int:
    """Let its one figure of fuel be another, and return what it was."""
    kept = read_baseline(file)
    fuel = kept.agents["counter"].fuel["request"]
    text = kept.text().replace(f"most = {fuel.most}", f"most = {round(fuel.most * by)}")
    file.write_text(text, "utf-8")
    return fuel.most


def test_a_scenario_is_held_to_its_baseline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, HELD).path
    without = play(read_scenario(path), Settings())
    assert without.exit is Exit.EXPECTATION
    assert without.difference
    assert "the baseline has none" in without.difference.got

    assert scenario_updates.update([path], "", None, 0, yes=True) is Exit.OK
    assert "+fuel.request = { turns = 1, most = " in capsys.readouterr().out
    assert play(read_scenario(path), Settings()).passed

    # a hundredth more than it was is within, a tenth is not
    most = changed(beside(path), 1 / 1.01)
    assert play(read_scenario(path), Settings()).passed
    changed(beside(path), 1.01 / 1.1)
    beyond = play(read_scenario(path), Settings())
    assert beyond.difference
    assert beyond.difference.what == "fuel of counter@local's turn on request"
    assert beyond.difference.expected == "<= 1.02 * baseline"
    assert beyond.difference.got.startswith(f"{most:,}, 1.1 times the baseline's ")
    assert scenario_updates.update([path], "", None, 0, yes=True) is Exit.OK
    assert changed(beside(path), 1) == most


@pytest.mark.parametrize("text", ["<= twice * baseline", "<= -1 * baseline", "<= baseline * 2"])
def test_what_is_no_share_of_a_baseline_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be compared with"):
        written(tmp_path, step(expect=f'{{ fuel = "{text}" }}'))
    with pytest.raises(ConfigurationError, match="cannot be compared with"):
        written(tmp_path, step(expect='{ count = "<= baseline" }'))


def test_runs_add_up_and_grow_row_by_row(tmp_path: Path) -> None:
    result = play(written(tmp_path, ADD + step(wait='{ filter = "act:inform" }')), Settings(measure=True))
    one = result.used
    assert one
    counter = one.agents["counter"]
    assert (
        counter.module == (Path(__file__).parents[2] / "agents-examples/counter/counter.wasm").stat().st_size
    )
    assert counter.memory
    both = together([one, one, Baseline()]).agents["counter"]
    fuel = counter.fuel["request"]
    assert both.fuel["request"] == type(fuel)(turns=2, most=fuel.most, total=2 * fuel.total)
    assert (both.module, both.memory) == (counter.module, counter.memory)
    (tmp_path / "kept").write_text(one.text(), "utf-8")
    assert read_baseline(tmp_path / "kept") == one

    grown = [row for row in compared(one, together([one, one])) if row.exceeds(2)]
    assert [(row.agent, row.what, row.change) for row in grown] == [
        ("counter", "fuel on request, all turns", 100.0)
    ]
    assert {row.verdict(2) for row in compared(Baseline(), one)} == {"new"}
    assert {row.verdict(2) for row in compared(one, Baseline())} == {"gone"}
    assert {row.verdict(2) for row in compared(one, one)} == {""}
    assert "| counter | fuel on request, all turns |" in markdown(grown, 2)


def test_the_command_compares_and_records(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, ADD + step(wait='{ filter = "act:inform" }')).path
    file = tmp_path / "bench.toml"

    def compare(**options: Any) -> Exit:
        usual = {"tolerance": 2.0, "record": False, "table": None, "output": Format.TEXT}
        return baselines.compare([path], file, **(usual | options))

    with pytest.raises(ConfigurationError, match="there is no baseline"):
        compare()
    assert compare(record=True) is Exit.OK
    assert compare() is Exit.OK
    changed(file, 1 / 1.1)
    capsys.readouterr()
    assert compare(output=Format.JSON, table=tmp_path / "table.md") is Exit.EXPECTATION
    rows = json.loads(capsys.readouterr().out)
    (grown,) = [row for row in rows if row["exceeded"]]
    assert (grown["agent"], grown["what"]) == ("counter", "fuel on request, at most")
    assert "**1 of 4 figures have grown" in (tmp_path / "table.md").read_text()
    assert compare(tolerance=11.0) is Exit.OK
    assert compare(record=True) is Exit.OK
    assert compare() is Exit.OK
    path.write_text(path.read_text().replace("act:inform", "act:refuse"), "utf-8")
    assert compare() is Exit.EXPECTATION
    assert "nothing is compared" in capsys.readouterr().err
