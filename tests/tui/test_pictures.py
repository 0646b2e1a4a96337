"""What a person sees: a few pictures of the whole screen, at the two sizes that must be good."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from caxton_tui import CaxtonApp
from caxton_tui.model.connection import Connection, Link
from caxton_tui.screens.panes.log import LogPane
from caxton_tui.screens.panes.meters import MetersPane

from .conftest import SHOTS
from .harness import ROOT, daemon, empty, market, opened, read, settled, stage
from .recorded import looks

Shot = Callable[[CaxtonApp, str], None]

SIZES = [(80, 24), (120, 40)]


@pytest.mark.parametrize("size", SIZES)
async def test_a_project_without_agents(size: tuple[int, int], tmp_path: Path, shot: Shot) -> None:
    async with daemon(empty(tmp_path)) as caxton, stage(tmp_path, size) as one:
        await one.until(settled(caxton), look=True)
        await one.until(lambda store: store.listed, look=True)
        shot(one.app, "empty")
        if size == SIZES[0]:
            await one.press("question_mark")
            shot(one.app, "help")


@pytest.mark.parametrize("size", SIZES)
async def test_the_market_after_one_round(size: tuple[int, int], tmp_path: Path, shot: Shot) -> None:
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path, size) as one:
        await caxton.trade()
        await one.until(read(caxton), look=True)
        shot(one.app, "conversations")
        await one.press("tab", "left", "left", "left", "left")
        shot(one.app, "stopped")
        await one.press("2", "down", "down")
        await one.until(lambda store: store.agent and store.agent.name == "seller-ann", look=True)
        shot(one.app, "agents")
        await one.press("5", "up", "up", "up", "up", "up", "enter")
        await one.shown(lambda: one.app.main_screen.switcher.the(LogPane).outcome)
        shot(one.app, "log")
        if size == SIZES[0]:
            await one.press("escape", "colon", *"agent s")
            shot(one.app, "palette")


async def test_an_answer_that_breaks_the_protocol(tmp_path: Path, shot: Shot) -> None:
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path, (120, 40)) as one:
        await caxton.trade()
        for sender, to, act in (("ann", "bob", "request"), ("bob", "ann", "agree"), ("bob", "ann", "refuse")):
            await caxton.client.send(
                {
                    "performative": act,
                    "receiver": [f"operator.{to}"],
                    "protocol": "fipa-request",
                    "conversation_id": "broken",
                    "reply_with": "r",
                    **({"in_reply_to": "r"} if sender == "bob" else {}),
                },
                sender=f"operator.{sender}",
            )
        await one.until(settled(caxton), look=True)
        await one.press("slash", *"broken", "enter", "down", "enter")
        await one.until(opened("broken"), look=True)
        await one.until(lambda store: store.search is not None and store.search.done)
        await one.press("home", "n", "n")
        shot(one.app, "violation")


@pytest.mark.parametrize("theme", ["textual-light", "caxton-contrast"])
async def test_other_themes(theme: str, tmp_path: Path, shot: Shot) -> None:
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path, (120, 40)) as one:
        await caxton.trade()
        await one.until(read(caxton), look=True)
        one.app.theme = theme
        await one.paint()
        shot(one.app, theme)


async def test_without_colour(tmp_path: Path, shot: Shot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path, (80, 24)) as one:
        await caxton.trade()
        await one.until(read(caxton), look=True)
        await one.press("tab", "left")
        shot(one.app, "no-colour")


async def test_a_daemon_that_is_gone(tmp_path: Path, shot: Shot) -> None:
    async with stage(tmp_path, (80, 24), pauses_s=[5.0]) as one:
        async with daemon(market(tmp_path)) as caxton:
            await caxton.trade()
            await one.until(read(caxton), look=True)
        await one.until(lambda store: store.connection.link is Link.LOST)
        one.clock.advance(3)
        await one.paint()
        shot(one.app, "lost")


def test_the_pages_show_the_pictures_that_are_compared() -> None:
    pages = sorted((ROOT / "docs" / "pictures").glob("*.svg"))
    assert pages
    for picture in pages:
        same = picture.read_bytes() == (SHOTS / picture.name).read_bytes()
        assert same, f"{picture.name} is an old one; make it with: just shots"


@pytest.mark.parametrize("size", SIZES)
async def test_the_meters_of_a_market_that_buys_and_rests(
    size: tuple[int, int], tmp_path: Path, shot: Shot
) -> None:
    """No daemon here: the figures are a real one's, recorded, for processor times are never twice the same."""
    async with stage(empty(tmp_path), size) as one:
        await one.until(lambda store: store.connection.link is Link.LOST)
        await one.press("6")
        one.store.connected(Connection(Link.LIVE, one.clock.monotonic()))
        for _ in looks.fed(one.store):
            await one.paint()
        board = one.app.main_screen.switcher.the(MetersPane).main
        assert board.copied.count("\n") > 12
        assert one.store.history.looks == looks.LOOKS - 1
        assert max(one.store.history.series("messages")) > 100
        shot(one.app, "meters")
