"""What a file may not say is refused with its line, the rule and what is meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from caxton.errors import ConfigurationError
from caxton.scenario.bounds import read_bounds
from caxton.scenario.read import find, read_scenario, schema

from .files import ADD, COUNTER, EXAMPLES, step, written

WRONG = {
    "a key that is mistyped": (
        step(expect='{ filter = "act:inform", conut = 1 }'),
        6,
        "did you mean 'count'",
    ),
    "a step that does nothing": (step(name='"idle"'), 5, "does nothing"),
    "a step that does two things": (step(advance="1", crash_cell='"counter"'), 5, "advance and crash_cell"),
    "a filter that is none": (step(wait='{ filter = "act:infrom" }'), 6, "did you mean inform"),
    "an act that FIPA does not have": (
        step(send='{ receiver = "counter", performative = "ask" }'),
        6,
        "performative",
    ),
    "a message to nobody": (step(send='{ performative = "inform" }'), 6, "no receiver"),
    "a time in a content": (
        step(send='{ receiver = "counter", performative = "inform", content = { at = 2026-01-01 } }'),
        6,
        "not a valid JSON value",
    ),
    "a bound that is none": (step(expect='{ fuel = "few" }'), 6, "cannot be compared"),
    "a pattern that is none": (step(expect='{ pattern = "(" }'), 6, "missing )"),
    "an approximation without a distance": (step(expect="{ path = { x = { approx = 1 } } }"), 6, "by"),
    "an expectation of nothing": (step(expect="{}"), 6, "expects nothing"),
    "memory of nobody": (step(expect='{ memory = "<1MiB" }'), 6, "memory and agent"),
    "a state of no conversation": (step(expect='{ state = "Completed" }'), 6, "say which"),
    "a wait for two things": (step(wait='{ filter = "x", quiet = 1 }'), 6, "one of the two"),
    "no step": ("", 1, "step"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_refused_with_its_line(case: str, tmp_path: Path) -> None:
    steps, line, words = WRONG[case]
    with pytest.raises(ConfigurationError) as refused:
        written(tmp_path, steps)
    said = f"{refused.value.message} {refused.value.hint}"
    assert words in said
    if line > 1:
        assert f"one.toml:{line}:" in said


def test_a_format_of_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="format"):
        written(tmp_path, ADD, COUNTER.replace("format = 1", "format = 2"))


def test_the_schema_names_every_key_and_forbids_others() -> None:
    said = schema()
    assert json.dumps(said)
    assert said["additionalProperties"] is False
    assert {"format", "seed", "agents", "step"} <= set(said["properties"])
    steps = said["$defs"]["Step"]
    assert {"required": ["kill_daemon"]} in steps["oneOf"]
    assert steps["additionalProperties"] is False


def test_folders_are_searched_for_scenarios_only() -> None:
    found = find([EXAMPLES / "market"])
    assert found
    assert all(path.parent.name == "scenarios" for path in found)
    with pytest.raises(ConfigurationError, match="no scenario"):
        find([EXAMPLES / "include"])


def test_a_scenario_without_agents_is_of_the_project_around_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no caxton\.toml"):
        written(tmp_path, ADD, "format = 1").project()
    (tmp_path / "caxton.toml").write_text(
        'platform = "shop"\n[agents.c]\nwasm = "c.wasm"\n[limits]\nfuel = 5000\n'
    )
    inner = tmp_path / "scenarios"
    inner.mkdir()
    project = written(inner, ADD, "format = 1\nlimits = { mailbox = 3 }").project()
    assert (project.folder, project.config.platform) == (tmp_path, "shop")
    assert project.config.limits_of("c").fuel == 5000
    assert project.config.limits_of("c").mailbox == 3


def test_an_agent_of_a_scenario_replaces_that_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "caxton.toml").write_text('[agents.c]\nwasm = "c.wasm"\n[agents.d]\nwasm = "d.wasm"\n')
    inner = tmp_path / "scenarios"
    inner.mkdir()
    head = 'format = 1\nproject = ".."\n[agents.c]\nwasm = "other.wasm"\n'
    project = written(inner, ADD, head).project()
    assert project.module("c") == inner / "other.wasm"
    assert project.module("d") == tmp_path / "d.wasm"


@pytest.mark.parametrize(
    ("text", "figure", "holds"),
    [
        (3, 3, True),
        (3, 4, False),
        (">=2", 2, True),
        ("<2", 2, False),
        ("1e6", 1_000_000, True),
        ("= 7", 7, True),
    ],
)
def test_bounds(text: object, figure: float, holds: bool) -> None:
    assert read_bounds(text, float).holds(figure) is holds


def test_a_file_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_scenario(tmp_path / "gone.toml")
