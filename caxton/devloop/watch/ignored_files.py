"""What nobody would call a source: what git ignores, what tools leave lying, and Caxton's own state.

In: a folder, and the `.gitignore` files around and below it. Out: whether a path counts, and walks that leave out what
does not. An explicit source always counts; this is about everything else in a folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from pathspec import GitIgnoreSpec

from caxton.config import STATE_FOLDER

_NEVER: Final = GitIgnoreSpec.from_lines(
    [
        *(
            f"{STATE_FOLDER}/",
            ".git/",
            ".hg/",
            ".svn/",
            "__pycache__/",
            "node_modules/",
            ".zig-cache/",
            ".venv/",
        ),
        # what editors write beside a file while they save it
        *("*~", "*.swp", "*.swx", "*.tmp", ".#*", "#*#", "4913", ".DS_Store"),
    ]
)


def walk(folder: Path) -> Iterator[tuple[Path, list[Path]]]:
    """Every folder that counts, from `folder` down, with its files that count."""
    root = _root(folder)
    for place, folders, files in os.walk(folder):
        here = Path(place)
        folders[:] = sorted(name for name in folders if not _ignored(root, here / name, folder=True))
        yield here, [here / name for name in sorted(files) if not _ignored(root, here / name, folder=False)]


def _ignored(root: Path, path: Path, *, folder: bool) -> bool:
    name = f"{path.name}/" if folder else path.name
    if _NEVER.match_file(name):
        return True
    # the nearest .gitignore that says anything about it decides, as in git
    for place in path.parents:
        spec = _spec(place / ".gitignore", _stamp(place / ".gitignore"))
        if spec is not None:
            said = spec.check_file(f"{path.relative_to(place).as_posix()}{'/' if folder else ''}").include
            if said is not None:
                return said
        if place == root:
            break
    return False


def _root(folder: Path) -> Path:
    """The folder above which no .gitignore counts: that of the repository, else the folder itself."""
    return next((place for place in (folder, *folder.parents) if (place / ".git").exists()), folder)


def _stamp(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=256)
def _spec(file: Path, stamp: int) -> GitIgnoreSpec | None:
    if not stamp:
        return None
    try:
        return GitIgnoreSpec.from_lines(file.read_text("utf-8-sig", "replace").splitlines())
    except OSError:
        return None
