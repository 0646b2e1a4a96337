"""Pages, help and docstrings use the field's terms: no allegory that a newcomer has to decode."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from caxton import config
from caxton.cli.app import COMMANDS, app
from caxton.telemetry.metrics import METERS

from .source import ROOT, files, python, tree

ALLEGORY = re.compile(
    r"\b(the house|rooms|desk|deeds?|shelf|voices?|bury|buried|outlets?|front door|at the door)\b"
    r"|\bthat there (?:are|is) not\b|\bthat is none\b|\bwhat is none\b|\bwho is none\b",
    re.IGNORECASE,
)
PAGES = sorted(path for path in files() if path.suffix == ".md" and "templates" not in path.parts)


def docstrings() -> Iterator[tuple[str, str]]:
    """The first docstring of every module, with its place."""
    for path in [*python("caxton"), *python("tui")]:
        yield path.relative_to(ROOT).as_posix(), ast.get_docstring(tree(path)) or ""


def sentences() -> Iterator[tuple[str, str]]:
    """What users read of commands, options, keys and meters, with its place."""
    root: Any = get_command(app)
    for name in COMMANDS:
        root.load(name)
        command = root.commands[name]
        for one in [command, *getattr(command, "commands", {}).values()]:
            yield f"caxton {name}", one.help or ""
            for parameter in one.params:
                yield f"caxton {name} {parameter.name}", getattr(parameter, "help", None) or ""
    yield from dict(config.keys()).items()
    yield from ((meter.name, meter.help) for meter in METERS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_needs_no_decoding(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    assert ALLEGORY.findall(text) == []


def test_docstrings_of_modules_need_no_decoding() -> None:
    found = {place: ALLEGORY.findall(text) for place, text in docstrings() if ALLEGORY.search(text)}
    assert found == {}


def test_help_needs_no_decoding() -> None:
    said = dict(sentences())
    assert len(said) > 150
    found = {place: text for place, text in said.items() if ALLEGORY.search(text)}
    assert found == {}
