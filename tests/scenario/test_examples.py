"""Every small example has a scenario, and every scenario of an example passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from caxton.sandbox.python.build import PythonRuntime
from caxton.scenario.read import find, read_scenario
from caxton.scenario.suite import Settings, play

from .files import EXAMPLES

ALL = find([EXAMPLES])
IN_PYTHON = ("python-counter", "sensors")
WITHOUT = {"election", "market-day", "philosophers", "ring", "word-count"}
"""Those of a few seconds, which tests/testing/test_examples_alive.py runs."""


def example(path: Path) -> str:
    return path.parents[1].name


def test_every_small_example_has_one() -> None:
    there = {folder.name for folder in EXAMPLES.iterdir() if (folder / "README.md").is_file()}
    assert {example(path) for path in ALL} == there - WITHOUT


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
