"""Scenario files: found, read, and brought together with the project whose agents they run.

In: paths as they are given on the command line. Out: `ScenarioFile`s, or ConfigurationError with the line, the rule and
the remedy. The modules are read when a scenario is played.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from caxton import toml_file
from caxton.config import Config, Project, check_agent_name, find_folder, load
from caxton.errors import ConfigurationError
from caxton.scenario.baseline import NOTHING, Baseline, beside, read_baseline
from caxton.scenario.format import Scenario, Step

SUFFIX = ".toml"


@dataclass(frozen=True, slots=True)
class ScenarioFile:
    """A scenario and where it stands."""

    path: Path
    text: str
    scenario: Scenario
    baseline: Baseline = NOTHING
    """What a run may be held to: the file of that name beside it."""

    @property
    def name(self) -> str:
        """What it is called."""
        return self.scenario.name or self.path.stem

    def line(self, step: int) -> int:
        """The line of a step, counted from 0."""
        return toml_file.line_of(self.text, ("step", step)) or 1

    def steps(self) -> Iterator[tuple[int, Step]]:
        """Each step with its number, counted from 0."""
        return iter(enumerate(self.scenario.step))

    @property
    def relative(self) -> bool:
        """Whether it holds anything to its baseline."""
        return any(step.expect is not None and step.expect.relative for step in self.scenario.step)

    def project(self) -> Project:
        """The project that it runs: its own agents, or those of caxton.toml with its own in their places."""
        folder, said = self._said()
        agents = dict(said.pop("agents", {}))
        for name, table in self.scenario.agents.items():
            check_agent_name(name)
            own = table.model_dump(exclude_unset=True, exclude={"sha256"})
            for key in ("wasm", "source"):
                if key in own:
                    own[key] = str((self.path.parent / own[key]).resolve())
            agents[name] = own
        said["agents"] = agents
        if self.scenario.platform is not None:
            said["platform"] = self.scenario.platform
        said["limits"] = {**said.get("limits", {}), **self.scenario.limits}
        try:
            return Project(folder, Config.model_validate(said))
        except ValidationError as error:
            raise toml_file.explain(self.path, self.text, error, Config) from error

    def _said(self) -> tuple[Path, dict[str, Any]]:
        """The folder that modules are relative to, and what its caxton.toml says."""
        here = self.path.resolve().parent
        if self.scenario.project is None and self.scenario.agents:
            return here, {}
        found = (here / self.scenario.project).resolve() if self.scenario.project else find_folder(here)
        if found is None:
            raise ConfigurationError(
                f"{self.path} names no agents, and there is no caxton.toml at or above it",
                hint='say which project it runs, project = "..", or name agents: [agents.echo] wasm = "echo.wasm"',
            )
        project = load(found, {})
        return project.folder, project.config.model_dump(exclude_unset=True)


def read_scenario(path: Path) -> ScenarioFile:
    """One file; raises ConfigurationError."""
    text, _ = toml_file.read(path)
    return scenario_of(path, text)


def scenario_of(path: Path, text: str) -> ScenarioFile:
    """A file that may say something else than what is on the disk; `text` is TOML."""
    try:
        scenario = Scenario.model_validate(toml_file.data_of(text))
    except ValidationError as error:
        raise toml_file.explain(path, text, error, Scenario) from error
    kept = beside(path)
    return ScenarioFile(path, text, scenario, read_baseline(kept) if kept.is_file() else NOTHING)


def is_scenario(path: Path) -> bool:
    """Whether a TOML file says that it is one: `format` and `step` stand at its top."""
    try:
        data = toml_file.data_of(path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return False
    return "format" in data and "step" in data


def find(places: Iterable[Path]) -> list[Path]:
    """The files that are named, and those in folders that are: the scenarios among their TOML files, by name.

    Raises ConfigurationError where there is nothing.
    """
    found: list[Path] = []
    for place in places:
        if not place.is_dir():
            found.append(place)
            continue
        inside = [one for one in sorted(place.rglob(f"*{SUFFIX}")) if ".caxton" not in one.parts]
        scenarios = [one for one in inside if is_scenario(one)]
        if not scenarios:
            raise ConfigurationError(
                f"there is no scenario in {place}",
                hint="a scenario is a TOML file that begins with format = 1; see: caxton docs scenarios",
            )
        found += scenarios
    return list(dict.fromkeys(found))


def schema() -> dict[str, Any]:
    """The format as JSON Schema, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A Caxton scenario",
        **{key: value for key, value in Scenario.model_json_schema().items() if key != "title"},
    }
