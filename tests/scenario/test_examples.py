"""Every example has a scenario, and every scenario of an example passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from caxton.sandbox.python.build import PythonRuntime
from caxton.scenario.read import find, read_scenario
from caxton.scenario.suite import Settings, play

from .files import EXAMPLES

ALL = find([EXAMPLES])
IN_PYTHON = (
    "assistant",
    "election",
    "market-day",
    "philosophers",
    "python-counter",
    "review",
    "sensors",
    "word-count",
)


def example(path: Path) -> str:
    return path.parents[1].name


def test_every_example_has_one() -> None:
    there = {folder.name for folder in EXAMPLES.iterdir() if (folder / "README.md").is_file()}
    assert {example(path) for path in ALL} == there


@pytest.mark.parametrize(
    "path", [one for one in ALL if example(one) not in IN_PYTHON], ids=lambda path: path.stem
)
def test_it_passes(path: Path) -> None:
    result = play(read_scenario(path), Settings())
    assert result.passed, "\n".join(result.lines())


@pytest.mark.system
@pytest.mark.parametrize(
    "path", [one for one in ALL if example(one) in IN_PYTHON], ids=lambda path: path.stem
)
def test_it_passes_in_python(path: Path, python_runtime: PythonRuntime) -> None:
    test_it_passes(path)


@pytest.mark.long
@pytest.mark.system
@pytest.mark.parametrize("path", ALL, ids=lambda path: f"{example(path)}-{path.stem}")
def test_its_journal_is_the_same_in_50_runs_and_in_1_2_and_4_cells(
    path: Path, python_runtime: PythonRuntime
) -> None:
    file = read_scenario(path)
    many = 3 if example(path) in IN_PYTHON else 50
    runs = [Settings()] * many + [Settings(cells=cells) for cells in (1, 2, 4)]
    assert len({play(file, settings).digest for settings in runs}) == 1
