"""The files that a build reads, and whether any of them has changed since.

In: a recipe, or a module that somebody else builds. Out: whether there is something to build, and the folders to watch.
One object for each module remembers what the last build read, as its compiler's dependency file says, what those files
looked like when the build began, and which of them the builder itself writes.
"""

from __future__ import annotations

import shlex
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pathspec import GitIgnoreSpec

from caxton.devloop.builders.recipe import Recipe
from caxton.devloop.watch.fingerprints import Fingerprints
from caxton.devloop.watch.ignored_files import walk
from caxton.errors import CaxtonError

SELF_MADE: Final = 3
"""After so many builds in a row that only the one before can have set off, what changed is the builder's own work."""


class Inputs:
    """What may make another module of one target. `recipe` is None for a module that somebody else builds."""

    def __init__(self, module: Path, recipe: Recipe | None) -> None:
        self._module = module
        self._recipe = recipe
        self._read: frozenset[Path] | None = None
        """What the last build read; None where its compiler did not say."""
        self._fingerprints: Fingerprints | None = None
        self._own: set[Path] = set()
        """What the builder writes among its sources."""
        self._last_touched: frozenset[Path] = frozenset()
        self._in_a_row = 0

    def changed(self) -> bool:
        """Whether something has changed since the last build began, or there was none."""
        return self._fingerprints is None or self._fingerprints.differ(self.files())

    @contextmanager
    def recorded(self) -> Generator[None]:
        """Around a build: what changes from its beginning on is for the next one."""
        self._fingerprints = Fingerprints(self.files())
        try:
            yield
        except CaxtonError:
            # what a build that failed has read is not all that may mend it
            self._ended(None)
            raise
        self._ended(self._dependencies())

    def files(self) -> frozenset[Path]:
        """Every file that counts."""
        if self._recipe is None:
            return frozenset({self._module})
        read = self._may_read(self._recipe) if self._read is None else self._read
        return frozenset(self._recipe.reads).union(read)

    def folders(self) -> Iterator[Path]:
        """Every folder in which a file may be saved that counts."""
        if self._recipe is None:
            yield self._module.parent
            return
        yield self._recipe.folder
        if self._recipe.may_read is None:
            yield from (place for place, _ in walk(self._recipe.folder))
        else:
            yield from {file.parent for file in self.files()}

    def _ended(self, read: frozenset[Path] | None) -> None:
        assert self._fingerprints is not None
        before = self.files()
        self._read = read
        if self.files() != before:
            # of files that the build read without our knowing we have no fingerprint from before it; one that was
            # changed while it ran shows by its time
            self._fingerprints = self._fingerprints.extended(self.files())
        if self._recipe is None or self._recipe.may_read is not None:
            return
        # a command that writes among its sources must not set itself off for ever
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
                if file in (recipe.output, self._module):
                    continue
                if recipe.may_read is not None and file.suffix not in recipe.may_read:
                    continue
                if spec is None or spec.match_file(file.relative_to(recipe.folder).as_posix()):
                    yield file

    def _dependencies(self) -> frozenset[Path] | None:
        """What the compiler read, from the file that it wrote in make's syntax; None where it wrote none."""
        if self._recipe is None or self._recipe.depfile is None:
            return None
        try:
            text = self._recipe.depfile.read_text("utf-8", "replace")
        except OSError:
            return None
        _, colon, names = text.replace("\\\n", " ").partition(": ")
        if not colon:
            return None
        return frozenset(
            (self._recipe.folder / name).resolve() for name in shlex.split(names.replace("$$", "$"))
        )
