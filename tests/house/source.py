"""What the project's own tests look at: the project's own files, and what each module imports."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

NOT_OURS = {".git", ".venv", ".caxton", "node_modules", "dist", "build", "__pycache__"}
"""What is made here and never committed, with every other cache (`.*_cache`, `.hypothesis`)."""


def files() -> Iterator[Path]:
    """Every file of the project, committed or about to be."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name
            for name in folders
            if name not in NOT_OURS and not name.endswith(("_cache", ".egg-info")) and name != ".hypothesis"
        ]
        for name in names:
            if not name.endswith(".pyc") and name not in NOT_OURS:
                yield Path(folder, name)


def python(*parts: str) -> list[Path]:
    """The Python files below that folder of the project, but for those that protoc makes."""
    found = sorted(path for path in ROOT.joinpath(*parts).rglob("*.py") if not path.stem.endswith("_pb2"))
    assert found, parts
    return found


def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text("utf-8"), str(path))


@cache
def imports(path: Path) -> frozenset[str]:
    """The packages that a file imports anywhere, by their first name; relative ones are left out."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return frozenset(found)
