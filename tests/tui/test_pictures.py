"""What a person sees: a few pictures of the whole screen, at the two sizes that must be good."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from caxton_tui import CaxtonApp
from caxton_tui.store import Link

from .conftest import SHOTS
from .stand import ROOT, daemon, empty, market, settled, stage

Shot = Callable[[CaxtonApp, str], None]

SIZES = [(80, 24), (120, 40)]


@pytest.mark.parametrize("size", SIZES)
async def test_a_project_without_agents(size: tuple[int, int], tmp_path: Path, shot: Shot) -> None:
    async with daemon(empty(tmp_path)) as caxton, stage(tmp_path, size) as one:
        await one.until(settled(caxton), look=True)
        shot(one.app, "empty")


@pytest.mark.parametrize("size", SIZES)
async def test_the_market_after_one_round(size: tuple[int, int], tmp_path: Path, shot: Shot) -> None:
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path, size) as one:
        await caxton.trade()
        await one.until(settled(caxton), look=True)
        shot(one.app, "market")
        one.app.theme = "textual-light"
        await one.paint()
        shot(one.app, "light")


@pytest.mark.parametrize("size", SIZES)
async def test_a_message_in_detail(size: tuple[int, int], tmp_path: Path, shot: Shot) -> None:
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path, size) as one:
        await caxton.trade()
        await one.until(settled(caxton), look=True)
        await one.press("up", "up", "up", "up", "up", "enter")
        await one.shown(lambda: one.app.picture.outcome)
        shot(one.app, "detail")


@pytest.mark.parametrize("size", SIZES)
async def test_a_daemon_that_is_gone(size: tuple[int, int], tmp_path: Path, shot: Shot) -> None:
    async with stage(tmp_path, size, pauses_s=[5.0]) as one:
        async with daemon(market(tmp_path)) as caxton:
            await caxton.trade()
            await one.until(settled(caxton), look=True)
        await one.until(lambda store: store.connection.link is Link.LOST)
        one.clock.advance(3)
        await one.paint()
        shot(one.app, "lost")


@pytest.mark.parametrize("size", SIZES)
async def test_the_help(size: tuple[int, int], tmp_path: Path, shot: Shot) -> None:
    async with daemon(empty(tmp_path)) as caxton, stage(tmp_path, size) as one:
        await one.until(settled(caxton), look=True)
        await one.press("question_mark")
        shot(one.app, "help")


def test_the_pages_show_the_pictures_that_are_compared() -> None:
    pages = sorted((ROOT / "docs" / "pictures").glob("*.svg"))
    assert pages
    for picture in pages:
        same = picture.read_bytes() == (SHOTS / picture.name).read_bytes()
        assert same, f"{picture.name} is an old one; make it with: just shots"
