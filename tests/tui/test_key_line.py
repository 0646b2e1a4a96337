"""The bottom line: the keys of what has the focus, as many as fit, and clicks on them."""

from __future__ import annotations

from pathlib import Path

from caxton_tui.screens.help import HelpScreen
from caxton_tui.screens.panes.log import LogPane
from caxton_tui.widgets.key_footer import KeyFooter

from .harness import Stage, empty, stage


def line(one: Stage) -> KeyFooter:
    return one.app.main_screen.query_one(KeyFooter)


def place(one: Stage, id: str) -> tuple[int, int]:
    """Where that key stands in the line."""
    at = 0
    for shown in line(one).fitting:
        if shown.id == id:
            return at + 1, 0
        at += shown.width
    raise AssertionError(f"{id} is not in the line")


async def test_the_keys_go_with_the_screen_and_a_click_does_what_the_key_does(tmp_path: Path) -> None:
    async with stage(empty(tmp_path)) as one:
        offered = [shown.id for shown in line(one).keys]
        assert "conversations.pin" in offered
        await one.press("5")
        assert "conversations.pin" not in [shown.id for shown in line(one).keys]
        tape = one.app.main_screen.switcher.the(LogPane).main
        assert tape.following
        await one.pilot.click(KeyFooter, offset=place(one, "log.follow"))
        await one.shown(lambda: not tape.following)
        await one.pilot.click(KeyFooter, offset=place(one, "app.help"))
        await one.shown(lambda: isinstance(one.app.screen, HelpScreen))


async def test_help_is_there_however_little_room_there_is(tmp_path: Path) -> None:
    async with stage(empty(tmp_path), (200, 24)) as one:
        assert line(one).fitting == line(one).keys
        for width in (80, 60, 40, 20):
            await one.pilot.resize_terminal(width, 24)
            await one.shown(lambda width=width: line(one).size.width == width)
            fitting = line(one).fitting
            assert fitting[-1].id == "app.help"
            assert sum(shown.width for shown in fitting) <= width
            assert line(one).render().plain.endswith(" Help ")
