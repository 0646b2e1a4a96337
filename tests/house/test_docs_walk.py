"""The walk through the code names packages and files that are there, and every link of every page leads somewhere."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from .source import ROOT, files

WALK = ROOT / "docs" / "architecture.md"
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
PAGES = sorted(path for path in files() if path.suffix == ".md")


def anchors(page: Path) -> set[str]:
    """Where links into a page may point, as GitHub makes them from its headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for target in LINK.findall(FENCE.sub("", page.read_text("utf-8"))):
        if "://" in target or target.startswith("mailto:"):
            continue
        place, _, anchor = target.partition("#")
        file = (page.parent / place).resolve() if place else page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file), target


def test_the_walk_lists_the_packages_in_the_order_that_is_held() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (layers,) = [one["layers"] for one in contracts if "caxton.errors" in one.get("layers", ())]
    held = [{name.strip().removeprefix("caxton.") for name in layer.split("|")} for layer in reversed(layers)]
    text = WALK.read_text("utf-8").split("A package imports only packages that come before it", 1)[1]
    listed = text.split("\n\n")[1]
    assert [set(re.findall(r"`(\w+)`", group)) for group in listed.split("·")] == held


def test_every_package_is_in_that_list() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (layers,) = [one["layers"] for one in contracts if "caxton.errors" in one.get("layers", ())]
    held = {name.strip().removeprefix("caxton.") for layer in layers for name in layer.split("|")}
    packages = {path.parent.name for path in (ROOT / "caxton").glob("*/__init__.py")}
    modules = {path.stem for path in (ROOT / "caxton").glob("*.py")} - {"__init__"}
    assert packages | modules | {"caxton_tui"} == held
