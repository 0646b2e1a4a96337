"""What is built for whom: the project's configuration as modules to keep up to date.

In: a `Project`. Out: one `Target` for each module; agents that name the same module share it, so it is built once. A
target remembers what its last build read and whether anything of that has changed since.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pathspec import GitIgnoreSpec

from caxton.config import STATE_FOLDER, Project
from caxton.devloop.builders import source_builders
from caxton.devloop.builders.recipe import Recipe
from caxton.devloop.watch.fingerprints import Fingerprints
from caxton.devloop.watch.ignored_files import walk
from caxton.errors import ConfigurationError

BUILD_FOLDER: Final = f"{STATE_FOLDER}/build"
"""Where modules of implied projects, and whatever builders leave lying, go."""
SELF_MADE: Final = 3
"""So many builds in a row that nothing but the build before set off, and what changed is taken for its own work."""


@dataclass(slots=True)
class Target:
    """One module. `recipe` is None for a module that somebody else builds; then the module itself is watched."""

    module: Path
    agents: list[str]
    recipe: Recipe | None
    read: frozenset[Path] | None = None
    """What the last build read, as its compiler said; None where it did not."""
    _fingerprints: Fingerprints | None = field(default=None, repr=False)
    _own: set[Path] = field(default_factory=set[Path], repr=False)
    """What the builder itself writes among its sources."""
    _last_touched: frozenset[Path] = field(default=frozenset(), repr=False)
    _in_a_row: int = field(default=0, repr=False)

    @property
    def folder(self) -> Path:
        """Where its source is."""
        return self.recipe.folder if self.recipe else self.module.parent

    def files(self) -> frozenset[Path]:
        """Everything that may make another module of it."""
        if self.recipe is None:
            return frozenset({self.module})
        if self.read is not None:
            return self.read | frozenset(self.recipe.reads)
        return frozenset(self.recipe.reads) | frozenset(self._may_read(self.recipe))

    def folders(self) -> Iterator[Path]:
        """Every folder in which something may be saved that matters."""
        yield self.folder
        if self.recipe is not None and self.recipe.may_read is None:
            yield from (place for place, _ in walk(self.folder))
        else:
            yield from {file.parent for file in self.files()}

    def is_stale(self) -> bool:
        """Whether something has changed since the last build began, or there was none."""
        return self._fingerprints is None or self._fingerprints.differ(self.files())

    def begin(self) -> None:
        """A build begins: what is changed from here on is for the next one."""
        self._fingerprints = Fingerprints(self.files())

    def end(self, read: frozenset[Path] | None) -> None:
        """A build ended that read those files (None: nobody knows)."""
        assert self._fingerprints is not None
        before = self.files()
        self.read = read
        if self.files() != before:
            # of files that the build read without our knowing we have no fingerprint from before it; one that
            # was changed while it ran shows by its time
            self._fingerprints = self._fingerprints.extended(self.files())
        self._recognise_own_work()

    def _recognise_own_work(self) -> None:
        """A command that writes among its sources must not set itself off for ever."""
        if self.recipe is None or self.recipe.may_read is not None:
            return
        assert self._fingerprints is not None
        touched = self._fingerprints.differing(self.files())
        self._own |= touched & self._last_touched
        self._in_a_row = self._in_a_row + 1 if touched else 0
        self._last_touched = touched
        if self._in_a_row >= SELF_MADE:
            self._own |= touched
        self._fingerprints = self._fingerprints.renewed(touched & self._own)

    def _may_read(self, recipe: Recipe) -> Iterator[Path]:
        if recipe.may_read is not None and not recipe.may_read:
            return
        spec = GitIgnoreSpec.from_lines(recipe.watch) if recipe.watch else None
        for _, files in walk(recipe.folder):
            for file in files:
                if file in (recipe.output, self.module):
                    continue
                if recipe.may_read is not None and file.suffix not in recipe.may_read:
                    continue
                if spec is None or spec.match_file(file.relative_to(recipe.folder).as_posix()):
                    yield file


def targets(project: Project) -> list[Target]:
    """Every module of the project; raises ConfigurationError where it does not say how one is made."""
    made: dict[Path, Target] = {}
    for name, table in project.config.agents.items():
        place = project.module(name)
        given = (project.folder / table.source).resolve() if table.source else None
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
        if place.suffix in (".wat", ".py") and recipe is not None and table.build is None:
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


def read_depfile(depfile: Path, folder: Path) -> frozenset[Path] | None:
    """What a compiler read, from the file that it wrote in make's syntax; None where it wrote none."""
    try:
        text = depfile.read_text("utf-8", "replace")
    except OSError:
        return None
    _, colon, names = text.replace("\\\n", " ").partition(": ")
    if not colon:
        return None
    return frozenset((folder / name).resolve() for name in shlex.split(names.replace("$$", "$")))
