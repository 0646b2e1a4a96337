"""The first success of docs/effects.md, models.md and tools.md, typed as it stands there."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import pytest
from cli.command import ROOT
from cli.docs_lines import Shell

from .provider import Reply, provider

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


async def test_the_first_success_with_a_model_is_one_and_its_key_is_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "sk-a-key-that-nobody-may-see"
    monkeypatch.setenv("SOME_KEY", key)
    part = (ROOT / "docs/models.md").read_text("utf-8").partition("## A first success")[2]
    toml, commands = re.findall(r"```\w+\n(.*?)```", part, re.DOTALL)[:2]
    echoing = Reply(f"your key {key} is wrong", status=401)
    async with provider(Reply("hello there"), echoing) as at:
        folder = tmp_path / "p"
        folder.mkdir()
        here = toml.replace("http://127.0.0.1:11434/v1", at.url)
        (folder / "caxton.toml").write_text(f'{here}key_env = "SOME_KEY"\n')
        shell = Shell(folder, tmp_path)
        lines = [*commands.splitlines(), commands.splitlines()[1], "caxton config show", "caxton effect list"]
        try:
            done = [await asyncio.to_thread(shell.type, line) for line in lines]
            assert "hello there" in done[1].stdout, done
            assert re.search(r"operator +1 +11 +5 +7 +18 ", done[2].stdout), done[2]
            assert "your key *** is wrong" in done[3].stdout
            assert [headers["authorization"] for _, headers, _ in at.requests] == [f"Bearer {key}"] * 2
        finally:
            done.append(await asyncio.to_thread(shell.type, "caxton down"))
    assert not [one for one in done if key in one.stdout + one.stderr]
    written = [file for file in folder.rglob("*") if file.is_file()]
    assert len(written) > 3
    assert not [file for file in written if key.encode() in file.read_bytes()]


def test_the_first_success_with_a_tool_is_one(tmp_path: Path) -> None:
    part = (ROOT / "docs/tools.md").read_text("utf-8").partition("## A first success")[2]
    source, toml, commands = re.findall(r"```\w+\n(.*?)```", part, re.DOTALL)[:3]
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "server.py").write_text(source)
    # the Python that has the extra
    (folder / "caxton.toml").write_text(toml.replace("python3", sys.executable))
    shell = Shell(folder, tmp_path)
    try:
        done = [shell.type(line) for line in commands.splitlines()]
        assert [one.returncode for one in done] == [0, 0, 0], done
        assert "Hello, Ada!" in done[1].stdout
        assert "tool.greeter" in done[2].stdout
        assert "greet" in done[2].stdout
    finally:
        assert shell.type("caxton down").returncode == 0
