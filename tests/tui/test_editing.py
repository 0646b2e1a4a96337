"""`E` opens an agent's source in the user's editor, on a real terminal; builds go on under it."""

from __future__ import annotations

import shlex
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from agents.systems import tally

from caxton.client import Client
from caxton.daemon_socket import socket_path
from caxton.errors import AgentNotFound, ConfigurationError
from caxton_tui.screens.panes.agents import AgentsPane
from caxton_tui.screens.source_editor import editor, source

from .harness import daemon, market, settled, stage
from .test_command import terminal

EDITOR = """
import os, sys
from pathlib import Path
from caxton.client import Client
from caxton.daemon_socket import socket_path

source = Path(sys.argv[-1])
fresh = source.with_suffix(".tmp")
fresh.write_text(source.read_text().replace("(call $add)", "(call $add)(call $add)"))
os.replace(fresh, source)
with Client(socket_path(source.parent / ".caxton"), 60.0) as caxton:
    before = 0
    while True:
        said = caxton.send({"performative": "request", "receiver": "tally"}, wait_s=30)
        now = int(said.replies[0].message.content)
        if now - before == 2:
            break
        before = now
"""
"""Saves another text, and stays open until the agent counts in twos."""


@pytest.fixture
def home() -> Generator[Path]:
    with tempfile.TemporaryDirectory(prefix="cx") as folder:
        yield Path(folder)


def test_a_save_is_taken_in_while_the_editor_is_open(home: Path) -> None:
    folder = home / "p"
    folder.mkdir()
    (folder / "tally.wat").write_bytes(tally())
    (folder / "caxton.toml").write_text('cells = 1\n[agents.tally]\nwasm = "tally.wasm"\n')
    (home / "editor.py").write_text(EDITOR)
    words = shlex.join([sys.executable, str(home / "editor.py")])
    with terminal("dev", folder, EDITOR=words, VISUAL="") as one:
        one.read(b"watching")
        one.type(b"2")
        one.read(b"profile")
        one.type(b"E")
        # the app is back, with a note about it
        one.read(b"source of tally")
        with Client(socket_path(folder / ".caxton"), 30.0) as caxton:
            assert caxton.agent("tally").turns >= 2
        one.type(b"q")
        one.read()
        assert one.process.wait(30) == 0


async def test_whose_source_is_not_known_and_where_there_is_no_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR", "true")
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path) as one:
        await one.until(settled(caxton), look=True)

        def said() -> str:
            return "\n".join(str(note.message) for note in one.app._notifications)

        await one.press("E")
        await one.shown(lambda: "whose source?" in said())
        await one.press("2", "down")
        assert one.app.main_screen.switcher.the(AgentsPane).agent == "buyer"
        await one.press("E")
        await one.shown(lambda: "the source of buyer is not known" in said())
        (tmp_path / "buyer.c").write_text("")
        await one.press("E")
        await one.shown(lambda: f"open {tmp_path / 'buyer.c'}" in said())


def test_editors_and_sources_by_name(tmp_path: Path) -> None:
    assert editor({"EDITOR": "true", "VISUAL": "env -i"}) == ["env", "-i"]
    for wrong in ("no-such-editor -x", "'", " "):
        with pytest.raises(ConfigurationError):
            editor({"EDITOR": wrong})
    (tmp_path / "one.wat").write_text("(module)")
    (tmp_path / "two").mkdir()
    (tmp_path / "caxton.toml").write_text(
        '[agents.one]\nwasm = "one.wat"\n'
        '[agents.two]\nwasm = "two.wasm"\nsource = "two"\n'
        '[agents.two.build]\ncommand = ["make"]\noutput = "x.wasm"\n'
    )
    assert source(tmp_path, "one") == tmp_path / "one.wat"
    assert source(tmp_path, "two") == tmp_path / "two"
    with pytest.raises(AgentNotFound):
        source(tmp_path, "three")
