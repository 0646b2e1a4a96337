"""Every decision says when it was taken and whether it holds, and stands in the index with that."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from .source import ROOT

FOLDER = ROOT / "docs" / "decisions"
DECISIONS = sorted(FOLDER.glob("[0-9]*.md"))
HEAD = re.compile(
    r"# (?P<number>\d+)\. (?P<title>.+)\n\nDate: (?P<date>\d{4}-\d\d-\d\d) · "
    r"Status: (?P<status>accepted|proposed|superseded by \d+)\n"
)


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_date_and_status_and_a_line_in_the_index(path: Path) -> None:
    found = HEAD.match(path.read_text("utf-8"))
    assert found, "begin with: # N. Title, a blank line, Date: YYYY-MM-DD · Status: accepted"
    assert int(path.name[:4]) == int(found["number"])
    assert date.fromisoformat(found["date"]) >= date(2026, 11, 22)
    line = f"| {found['number']} | [{found['title']}]({path.name}) | {found['date']} | {found['status']} |"
    assert line in (FOLDER / "README.md").read_text("utf-8").splitlines()


def test_numbers_are_given_once() -> None:
    numbers = [path.name[:4] for path in DECISIONS]
    assert len(numbers) == len(set(numbers))
