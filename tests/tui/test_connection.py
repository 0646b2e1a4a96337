"""The daemon goes away and comes back: the picture stays, and goes on where it was."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from textual.widgets import Input

from caxton_tui.forms.message_form import Content, MessageForm
from caxton_tui.model.connection import Link
from caxton_tui.screens.panes.conversations import ConversationsPane
from caxton_tui.screens.panes.traces import TracesPane
from caxton_tui.widgets.status_bars import Banner, BuildStrip, StatusLine

from .harness import daemon, empty, heard, market, read, settled, stage


async def test_a_restart_loses_no_row_and_shows_none_twice(tmp_path: Path) -> None:
    async with stage(tmp_path) as one:
        banner = one.app.main_screen.query_one(Banner)
        async with daemon(market(tmp_path)) as caxton:
            await caxton.trade()
            one.app.reader.hurry()
            await one.until(settled(caxton), look=True)
            before = len(one.store.entries)
            assert not banner.display
        await one.until(lambda store: store.connection.link is Link.LOST)
        assert banner.display
        assert "lost 0 s ago" in banner.text.plain
        assert len(one.store.entries) == before
        assert len(one.store.agents) == 4
        async with daemon(tmp_path) as caxton:
            await caxton.trade(conversation_id="order-2")
            one.app.reader.hurry()
            await one.until(settled(caxton), look=True)
            assert not banner.display
            rows = [entry.seq for entry in one.store.entries]
            assert rows == list(range(1, caxton.runtime.bus.last_seq + 1))
            assert one.store.left_out == 0


async def test_it_waits_for_a_daemon_that_is_not_there_longer_and_longer(tmp_path: Path) -> None:
    async with stage(empty(tmp_path)) as one:
        for number, pause in enumerate([0.5, 1.0, 2.0, 4.0, 5.0, 5.0]):
            await one.until(lambda store: store.connection.link is Link.LOST)
            connection = one.store.connection
            assert connection.again_at - one.clock.monotonic() == pause, number
            assert connection.since == 1_700_000_000
            tries = [connection]
            one.clock.advance(pause)
            await one.until(lambda store, tries=tries: store.connection is not tries[0])
        assert "lost 17 s ago, trying again in 5 s" in one.app.main_screen.query_one(Banner).text.plain
        async with daemon(tmp_path) as caxton:
            await one.press("r")
            await one.until(heard(caxton))


async def test_what_was_not_read_is_said_and_what_was_written_is_kept_while_it_is_away(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path) as one:
        pane = one.app.main_screen.switcher.the(ConversationsPane)
        async with daemon(market(tmp_path)) as caxton:
            await caxton.trade(rounds=2)
            one.app.reader.hurry()
            await one.until(read(caxton), look=True)
            shown = pane.diagram.title
        await one.until(lambda store: store.connection.link is Link.LOST)
        await one.press("down")
        other = next(n for n, body in enumerate(pane.main.things) if not shown.startswith(body.id))
        pane.main.put(other)
        await one.shown(lambda: "Not read before" in pane.diagram.empty and not pane.diagram.total)
        await one.press("3")
        waterfall = one.app.main_screen.switcher.the(TracesPane).waterfall
        await one.shown(lambda: waterfall.empty == pane.diagram.empty)
        await one.press("c", *"buyer", "tab", "tab", "tab", "tab", "tab", *"a long timeline")
        form = one.app.screen
        await one.press("f5")
        await one.shown(lambda: one.app.screen is not form and isinstance(one.app.screen, MessageForm))
        assert one.app.screen.query_one("#compose-to", Input).value == "buyer"
        assert one.app.screen.query_one(Content).text == "a long timeline"
        assert "nothing was done" in "".join(str(note.message) for note in one.app._notifications)
        form = one.app.screen
        await one.press("escape")
        assert one.app.screen is form
        async with daemon(tmp_path):
            one.app.reader.hurry()
            await one.until(lambda store: store.live)
            await one.press("f5")
            await one.until(lambda store: any("a long timeline" in entry.text for entry in store.entries))
            await one.shown(lambda: one.app.screen is one.app.main_screen)


async def test_another_journal_under_the_same_folder_begins_anew(tmp_path: Path) -> None:
    async with stage(tmp_path) as one:
        async with daemon(market(tmp_path)) as caxton:
            await caxton.trade()
            one.app.reader.hurry()
            await one.until(settled(caxton), look=True)
        await one.until(lambda store: store.connection.link is Link.LOST)
        shutil.rmtree(tmp_path / ".caxton")
        async with daemon(empty(tmp_path)) as caxton:
            one.app.reader.hurry()
            await one.until(settled(caxton), look=True)
            assert [entry.seq for entry in one.store.entries] == list(
                range(1, caxton.runtime.bus.last_seq + 1)
            )


async def test_rows_from_before_are_shown_too(tmp_path: Path) -> None:
    async with daemon(market(tmp_path)) as caxton:
        await caxton.trade()
        async with stage(tmp_path) as one:
            await one.until(heard(caxton))
            assert "cfp" in {entry.act for entry in one.store.entries}


async def test_a_daemon_that_is_being_started_is_not_lost_and_build_lines_have_a_strip(
    tmp_path: Path,
) -> None:
    tried = asyncio.Event()

    async def lines() -> AsyncGenerator[str]:
        yield "counter: built"
        yield "counter: \x1b[31mswapped"

    class Pauses(tuple[float, ...]):
        """Whoever asks how long to wait has tried."""

        def __getitem__(self, place: Any) -> Any:
            tried.set()
            return super().__getitem__(place)

    async with stage(empty(tmp_path), dev=lines(), pauses_s=Pauses((0.5,))) as one:
        await tried.wait()
        await one.until(lambda store: len(store.builds) == 2)
        await one.paint()
        assert one.store.connection.link is Link.CONNECTING
        assert not one.app.main_screen.query_one(Banner).display
        assert "◌ starting" in one.app.main_screen.query_one(StatusLine).text.plain
        assert "Starting" in one.app.main_screen.switcher.the(ConversationsPane).main.empty
        async with daemon(tmp_path) as caxton:
            one.app.reader.hurry()
            await one.until(heard(caxton))
        strip = one.app.main_screen.query_one(BuildStrip)
        assert strip.text.plain == "counter: built\ncounter: \\x1b[31mswapped"
