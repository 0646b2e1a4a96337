"""Screen 5, the log: following, choosing, filtering, a row in full."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from textual.widgets import Input

from caxton_tui.screens.panes.conversations import ConversationsPane
from caxton_tui.screens.panes.log import LogPane
from caxton_tui.widgets.status_bars import StatusLine

from .harness import Daemon, Stage, daemon, heard, market, opened, settled, stage


@asynccontextmanager
async def logged(folder: Path) -> AsyncGenerator[tuple[Daemon, Stage, LogPane]]:
    """The market after one round, and the app on its log."""
    async with daemon(market(folder)) as caxton, stage(folder, (120, 24)) as one:
        await caxton.trade()
        await one.until(settled(caxton), look=True)
        await one.press("5")
        yield caxton, one, one.app.main_screen.switcher.the(LogPane)


async def test_the_tape_follows_until_a_row_is_chosen(tmp_path: Path) -> None:
    async with logged(tmp_path) as (caxton, one, log):
        tape = log.main
        assert tape.following
        assert tape.cursor is None
        await one.press("up")
        assert not tape.following
        assert tape.chosen is not None
        last = tape.chosen.seq
        assert last == one.store.last_seq
        top = tape.top
        await caxton.trade(conversation_id="order-2")
        await one.until(heard(caxton))
        assert tape.chosen.seq == last
        assert tape.top == top
        await one.press("f")
        assert tape.following
        assert tape.cursor is None
        assert tape.top == tape.total - tape.room
        await caxton.trade(conversation_id="order-3")
        await one.until(heard(caxton))
        assert tape.top == tape.total - tape.room


async def test_rows_on_screen_stay_when_older_ones_leave_a_full_ring(tmp_path: Path) -> None:
    async with daemon(market(tmp_path)) as caxton:
        await caxton.trade(rounds=4)
        async with stage(tmp_path, (120, 16)) as one:
            await one.until(heard(caxton))
            await one.press("5")
            tape, ring = one.app.main_screen.switcher.the(LogPane).main, one.store.shown
            kept = list(ring)[-40:]
            one.store.keep(40)
            await one.paint()
            await one.press("up", "up")
            assert tape.chosen is kept[-2]
            first = tape.total, tape.chosen
            await caxton.trade(conversation_id="order-2")
            await one.until(heard(caxton))
            assert tape.total == first[0] == 40
            assert one.store.entries.dropped > 0
            assert tape.chosen is first[1]
            assert tape.cursor is not None
            assert tape.top <= tape.cursor < tape.top + tape.room


async def test_enter_shows_a_message_with_its_turn_and_escape_closes_it(tmp_path: Path) -> None:
    async with logged(tmp_path) as (_, one, log):
        assert not log.detail.display
        await one.press("slash", *"act:reject", "enter", "up", "enter")
        assert log.detail.display
        await one.shown(lambda: log.outcome)
        assert log.outcome is not None
        assert log.outcome.message.performative == "reject-proposal"
        (turn,) = log.outcome.turns
        assert turn.agent == "seller-cleo@local"
        assert turn.status == "ok"
        assert turn.fuel > 0
        first = log.outcome.seq
        await one.press("up")
        await one.shown(lambda: log.outcome and log.outcome.seq == first - 1)
        await one.press("escape")
        assert not log.detail.display
        assert one.store.filter is not None
        await one.press("escape", "escape")
        assert one.store.filter is None
        await one.press("escape")
        assert one.app.main_screen.pane is one.app.main_screen.switcher.the(ConversationsPane)


async def test_a_filter_narrows_what_is_there_and_what_comes(tmp_path: Path) -> None:
    async with logged(tmp_path) as (caxton, one, log):
        await one.press("slash", *"act:propose !from:seller-bob", "enter")
        assert not one.app.main_screen.query_one("#filter", Input).display
        assert log.main.has_focus
        # agents start side by side, so either may be served first
        assert sorted(entry.sender for entry in one.store.shown) == ["seller-ann", "seller-cleo"]
        assert "act:propose" in one.app.main_screen.query_one(StatusLine).text.plain
        await caxton.trade(conversation_id="order-2")
        await one.until(heard(caxton))
        assert {entry.act for entry in one.store.shown} == {"propose"}
        assert len(one.store.shown) == 4
        assert log.main.total == 4
        await one.press("escape")
        assert log.main.total == len(one.store.entries)


async def test_the_filter_works_while_it_is_typed_and_says_what_is_none(tmp_path: Path) -> None:
    async with logged(tmp_path) as (_, one, _log):
        await one.press("slash", *"act:agree")
        await one.shown(lambda: len(one.store.shown) == 1)
        await one.press("escape")
        assert one.store.filter is not None
        await one.press("slash")
        # at once: a slow machine would filter by a part of the word
        one.app.main_screen.query_one("#filter", Input).value += " form:x"
        await one.press("enter")
        assert one.store.filter.text == "act:agree"
        assert one.app.main_screen.query_one("#filter", Input).display
        (said,) = [str(note.message) for note in one.app._notifications]
        assert "there is no field 'form'" in said


async def test_the_next_problem_is_found_and_its_conversation_opens(tmp_path: Path) -> None:
    async with logged(tmp_path) as (caxton, one, log):
        await caxton.client.send(
            {"receiver": ["nobody"], "performative": "request", "conversation_id": "lost"}
        )
        await one.until(heard(caxton))
        await one.press("N")
        assert log.main.chosen is not None
        assert log.main.chosen.problem
        await one.press("g", "n")
        while log.main.chosen.conversation != "lost" or log.main.chosen.kind != "message":
            before = log.main.chosen
            await one.press("n")
            assert log.main.chosen is not before
        await one.press("o")
        assert one.app.main_screen.pane is one.app.main_screen.switcher.the(ConversationsPane)
        await one.until(opened("lost"), look=True)


async def test_what_guests_say_is_shown_and_not_obeyed(tmp_path: Path) -> None:
    evil = "\x1b]0;owned\x07[bold]x[/bold]\u202eabc\x9b31m"
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path) as one:
        await caxton.client.send(
            {
                "performative": "inform",
                "receiver": ["buyer"],
                "conversation_id": evil,
                "content": {evil: evil},
            }
        )
        await one.until(settled(caxton), look=True)
        await one.until(lambda store: store.conversation and store.conversation.head, look=True)
        first = one.app.export_screenshot(simplify=True)
        await one.press("5", "slash", *"act:inform", "enter", "up", "enter")
        await one.shown(lambda: one.app.main_screen.switcher.the(LogPane).outcome)
        for seen in (first, one.app.export_screenshot(simplify=True)):
            assert "\\x1b]0;owned\\x07[bold]x[/bold]\\u202eabc" in seen.replace("&#160;", " ")
            assert not {"\x1b", "\x07", "\u202e", "\x9b"} & set(seen)
