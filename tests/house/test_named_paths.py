"""Every file and folder that the pages for contributors name is there."""

from __future__ import annotations

import re
from functools import cache

import pytest

from .source import ROOT, files

PAGES = [
    "CONTRIBUTING.md",
    "AGENTS.md",
    "SECURITY.md",
    "docs/architecture.md",
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs" / "decisions").glob("*.md")),
]
NOT_IN_THE_TREE = {"caxton.toml", "agent.py", "build.zig", "Cargo.toml", "application/json"}
"""What projects of users have, and what only looks like a path."""
ROOTS = ("", "caxton", "tui/caxton_tui")
PATH = re.compile(r"`([\w.*{}-]+(?:/[\w.*-]+)*/?)`")
ENDS = (".py", ".toml", ".md", ".txt", ".yml", ".wasm", ".svg", ".wit", "/")


def named(page: str) -> list[str]:
    """The paths between code marks, outside of code blocks."""
    text = re.sub(r"^```.*?^```", "", (ROOT / page).read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    found = [token for token in PATH.findall(text) if token.endswith(ENDS) or token.startswith(".ci/")]
    return [
        token for token in found if token not in NOT_IN_THE_TREE and not token.startswith((".caxton/", ".wa"))
    ]


@cache
def names() -> frozenset[str]:
    """The names of all files, for those that are named without their folder."""
    return frozenset(path.name for path in files())


def is_there(token: str) -> bool:
    if "/" not in token:
        return token in names()
    return any(any((ROOT / root).glob(token.rstrip("/"))) for root in ROOTS)


@pytest.mark.parametrize("page", PAGES)
def test_every_path_that_a_page_names_is_there(page: str) -> None:
    assert [token for token in named(page) if not is_there(token)] == []


@pytest.mark.parametrize("page", PAGES[:4])
def test_the_pages_name_paths_at_all(page: str) -> None:
    assert named(page)


def test_a_path_that_is_gone_is_found() -> None:
    assert is_there("caxton/errors.py")
    assert is_there("errors.py")
    assert is_there("agents-examples/**/*.wasm")
    assert not is_there("caxton/house.py")
    assert not is_there("no_such_file.py")
