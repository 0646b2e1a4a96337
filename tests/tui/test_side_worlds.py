"""A conversation becomes a scenario by a key, and runs on from the message at the cursor by another."""

from __future__ import annotations

import asyncio
from pathlib import Path

from scenario.files import DEARER
from textual.widgets import Input

from caxton.errors import Exit
from caxton.scenario.read import read_scenario
from caxton.scenario.suite import Settings, play
from caxton.scenario.updating import update
from caxton_tui import CaxtonApp
from caxton_tui.forms.fork_form import ForkForm
from caxton_tui.screens.compare import CompareScreen, DifferenceList
from caxton_tui.screens.panes.conversations import ConversationsPane

from .harness import daemon, market, pytestmark, read, stage

__all__ = ["pytestmark"]


async def test_what_was_seen_is_recorded_and_goes_on_otherwise(tmp_path: Path) -> None:
    """One daemon for both keys: each plays agents in a process of its own, which takes a while."""
    path = tmp_path / "scenarios" / "market-1.toml"
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path) as one:
        await caxton.trade(2)
        await one.until(read(caxton), look=True)
        pane = one.app.main_screen.switcher.the(ConversationsPane)
        pane.open(conversation="market-1")
        await one.until(
            lambda store: pane.diagram.timeline and pane.diagram.timeline.id == "market-1", look=True
        )
        await one.press("S")
        await one.shown(lambda: _done(one.app, "passed"))
        await one.press("home", "down", "F")
        await one.shown(lambda: isinstance(one.app.screen, ForkForm))
        line = one.app.screen.query_one(Input)
        assert line.value.startswith("--edit 'content=")
        line.value = "--edit content.price=1"
        await one.press("enter")
        await one.shown(lambda: isinstance(one.app.screen, CompareScreen))
        steps = one.app.screen.query_one(DifferenceList)
        assert steps.different
    await asyncio.to_thread(_played, path, tmp_path / "seller.wasm")


def _played(path: Path, seller: Path) -> None:
    """It passes; with another price rule it fails and is drawn; and it passes when it is updated."""
    assert play(read_scenario(path), Settings()).passed
    seller.write_bytes(seller.read_bytes().replace(*DEARER))
    failed = play(read_scenario(path), Settings())
    assert failed.exit is Exit.EXPECTATION
    assert "▲ here: content, price" in failed.diagram
    updated = update(read_scenario(path), Settings())
    path.write_text(updated.text)
    assert play(read_scenario(path), Settings()).passed


def _done(app: CaxtonApp, word: str) -> bool:
    """Whether a notice has that word."""
    return any(word in str(notice.message) for notice in app._notifications)
