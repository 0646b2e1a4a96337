"""The first success of docs/effects.md, typed as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cli.command import ROOT
from cli.docs_lines import Shell

pytestmark = pytest.mark.system


def test_the_first_success_of_the_page_is_one(tmp_path: Path) -> None:
    part = (
        (ROOT / "docs/effects.md").read_text("utf-8").partition("## A first success")[2].partition("\n## ")[0]
    )
    source, toml, commands = re.findall(r"```\w+\n(.*?)```", part, re.DOTALL)
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "shout.py").write_text(source)
    (folder / "caxton.toml").write_text(toml)
    shell = Shell(folder, tmp_path)
    try:
        done = [shell.type(line) for line in commands.splitlines()]
        assert [one.returncode for one in done] == [0, 0, 0], done
        assert "HELLO" in done[1].stdout
        assert re.search(r"shout +effects +\d+ +0 +1 ", done[2].stdout)
    finally:
        assert shell.type("caxton down").returncode == 0
