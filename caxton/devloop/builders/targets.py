"""What is built for whom: the project's configuration as modules to keep up to date.

In: a `Project`. Out: one `Target` for each module; agents that name the same module share it, so it is built once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from caxton.config import STATE_FOLDER, Project
from caxton.devloop.builders import source_builders
from caxton.devloop.builders.inputs import Inputs
from caxton.devloop.builders.recipe import Recipe
from caxton.errors import ConfigurationError

BUILD_FOLDER: Final = f"{STATE_FOLDER}/build"
"""Where modules of implied projects, and whatever builders leave lying, go."""

_TEXTS: Final = frozenset({".wat", ".py"})
"""Endings of texts that are modules."""
_SOURCES: Final = (
    frozenset({*source_builders.SUFFIXES, ".cc", ".cxx", ".h", ".rs", ".go", ".ts", ".toml"}) - _TEXTS
)
"""Endings of what a build reads, and never writes."""


@dataclass(slots=True)
class Target:
    """One module. `recipe` is None for a module that somebody else builds; then the module itself is watched."""

    module: Path
    agents: list[str]
    recipe: Recipe | None
    inputs: Inputs = field(init=False)

    def __post_init__(self) -> None:
        self.inputs = Inputs(self.module, self.recipe)

    def is_for(self, agents: list[str]) -> None:
        """Those agents get the module."""
        self.agents = agents


def targets(project: Project) -> list[Target]:
    """Every module of the project; raises ConfigurationError where it does not say how one is made."""
    made: dict[Path, Target] = {}
    for name, table in project.config.agents.items():
        place = project.module(name)
        given = (project.folder / table.source).resolve() if table.source else None
        if place.suffix in _SOURCES or (place == given and place.suffix not in _TEXTS):
            raise ConfigurationError(
                f"[agents.{name}] wasm: {place.name} is a source, and the build would write its module over it",
                hint=f"write source = {place.name!r} and wasm = {place.with_suffix('.wasm').name!r}",
            )
        scratch = project.folder / BUILD_FOLDER
        if table.build is not None:
            folder = given if given and given.is_dir() else (given or place).parent
            recipe: Recipe | None = source_builders.from_table(name, table.build, folder, place)
        else:
            source = source_builders.source_of(given, place)
            # each module has a corner of its own, since two sources may share a name
            inside = place.relative_to(project.folder) if place.is_relative_to(project.folder) else place
            corner = scratch / inside.as_posix().strip("/").replace("/", "_") if source else scratch
            recipe = source_builders.from_source(source, place, corner) if source else None
        if place.suffix in _TEXTS and recipe is not None and table.build is None:
            # the text is the module: it is translated here for the place of its errors, and left where it stands
            place = recipe.output
        known = made.get(place)
        if known is None:
            made[place] = Target(place, [name], recipe)
        elif known.recipe is not None and recipe is not None and known.recipe.command != recipe.command:
            raise ConfigurationError(
                f"{known.agents[0]} and {name} make the same module {place} in two ways",
                hint="give one of them another place with wasm",
            )
        else:
            known.agents.append(name)
    return list(made.values())
