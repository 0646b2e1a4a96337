"""The site has every page, and its build says where one would be missing."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

from .source import ROOT


def named(nav: object) -> Iterator[str]:
    """The pages of a navigation, in order."""
    match nav:
        case str():
            yield nav
        case list():
            for one in nav:
                yield from named(one)
        case dict():
            for one in nav.values():
                yield from named(one)
        case _:
            raise AssertionError(nav)


NAV = list(named(tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))["project"]["nav"]))


def test_every_page_is_in_the_navigation_once() -> None:
    pages = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md")}
    assert len(NAV) == len(set(NAV))
    assert pages <= set(NAV)
    assert all((ROOT / page).is_file() for page in NAV)


def test_the_tutorial_comes_first() -> None:
    assert NAV[:3] == ["README.md", "docs/first-agent.md", "docs/tutorial.md"]
