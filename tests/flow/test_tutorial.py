"""The tutorials, as a new user follows them: every file saved, every command run, every answer compared."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import pytest
from processes import built_python_runtime

from .running import ROOT
from .typed_page import Terminals, comparable, steps

pytestmark = [pytest.mark.system, pytest.mark.long]


@pytest.mark.parametrize(("page", "shows"), [("tutorial", 12), ("first-agent", 4)])
def test_a_tutorial_from_its_first_line_to_its_last(page: str, shows: int, tmp_path: Path) -> None:
    built_python_runtime()
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "caxton").write_text(f'#!/bin/sh\nexec {sys.executable} -m caxton.cli "$@"\n')
    (bin_folder / "caxton").chmod(0o755)
    folder = tmp_path / page
    folder.mkdir()
    compared = 0
    with closing(Terminals(folder, bin_folder)) as terminals:
        for step in steps(ROOT / "docs" / f"{page}.md"):
            if step.words == ["setup"]:
                continue
            seen = terminals.follow(step)
            if step.kind == "text":
                assert comparable(seen) == comparable(step.text.splitlines())
                compared += 1
        assert compared >= shows
        assert terminals.dev is None
