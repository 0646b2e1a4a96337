"""What the keys do, seen in the store and on the screen."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from textual.widgets import Input

from caxton_tui.agents import AgentCard
from caxton_tui.bars import StatusLine
from caxton_tui.detail import Detail
from caxton_tui.help import HelpScreen
from caxton_tui.keys import KEYS

from .stand import Daemon, Stage, daemon, heard, market, settled, stage


@asynccontextmanager
async def traded(folder: Path) -> AsyncGenerator[tuple[Daemon, Stage]]:
    """The market after one round, and the app on it."""
    async with daemon(market(folder)) as caxton, stage(folder, (120, 24)) as one:
        await caxton.trade()
        await one.until(settled(caxton), look=True)
        yield caxton, one


async def test_the_tape_follows_until_a_row_is_chosen(tmp_path: Path) -> None:
    async with traded(tmp_path) as (caxton, one):
        tape = one.app.picture.tape
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
            tape, ring = one.app.picture.tape, one.store.shown
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
    async with traded(tmp_path) as (_, one):
        picture = one.app.picture
        detail = picture.query_one(Detail)
        assert not detail.display
        await one.press("slash", *"act:cfp", "enter", "up", "enter")
        assert detail.display
        await one.shown(lambda: picture.outcome)
        assert picture.outcome is not None
        assert picture.outcome["message"]["performative"] == "cfp"
        (turn,) = picture.outcome["turns"]
        assert turn["agent"] == "seller-cleo@local"
        assert turn["status"] == "ok"
        assert turn["fuel"] > 0
        first = picture.outcome["seq"]
        await one.press("up")
        await one.shown(lambda: picture.outcome and picture.outcome["seq"] == first - 1)
        await one.press("escape")
        assert not detail.display
        assert one.store.filter is not None
        await one.press("escape")
        assert one.store.filter is None


async def test_a_filter_narrows_what_is_there_and_what_comes(tmp_path: Path) -> None:
    async with traded(tmp_path) as (caxton, one):
        await one.press("slash", *"act:propose !from:seller-bob", "enter")
        assert not one.app.picture.query_one("#filter", Input).display
        assert one.app.picture.tape.has_focus
        assert [entry.sender for entry in one.store.shown] == ["seller-ann", "seller-cleo"]
        assert "act:propose" in one.app.picture.query_one(StatusLine).text.plain
        await caxton.trade(conversation_id="order-2")
        await one.until(heard(caxton))
        assert {entry.act for entry in one.store.shown} == {"propose"}
        assert len(one.store.shown) == 4
        assert one.app.picture.tape.total == 4
        await one.press("escape")
        assert one.app.picture.tape.total == len(one.store.entries)


async def test_the_filter_works_while_it_is_typed(tmp_path: Path) -> None:
    async with traded(tmp_path) as (_, one):
        await one.press("slash", *"act:agree")
        await one.shown(lambda: len(one.store.shown) == 1)
        await one.press("escape")
        assert one.store.filter is not None


async def test_an_agent_is_chosen_and_filters_the_tape(tmp_path: Path) -> None:
    async with traded(tmp_path) as (_, one):
        picture = one.app.picture
        await one.press("shift+tab")
        assert picture.table.has_focus
        await one.press("down", "down")
        assert picture.table.chosen is not None
        assert picture.table.chosen["name"] == "seller-ann"
        assert picture.query_one(AgentCard).text.plain.startswith("seller-ann")
        await one.press("a")
        assert one.store.filter is not None
        assert one.store.filter.text == "agent:seller-ann"
        assert {"cfp", "propose", "accept-proposal", "inform"} <= {entry.act for entry in one.store.shown}
        assert all("seller-ann" in (entry.sender, entry.to) for entry in one.store.shown)
        await one.press("enter")
        assert one.store.filter is None


async def test_help_names_every_key_and_closes(tmp_path: Path) -> None:
    async with traded(tmp_path) as (_, one):
        await one.press("question_mark")
        assert isinstance(one.app.screen, HelpScreen)
        await one.press("escape")
        assert one.app.screen is one.app.picture
        ids = [key.id for key in KEYS]
        assert len(set(ids)) == len(ids)
        assert {binding.id for binding in (key.binding for key in KEYS)} == set(ids)


async def test_q_leaves_and_the_daemon_goes_on(tmp_path: Path) -> None:
    async with daemon(market(tmp_path)) as caxton:
        async with stage(tmp_path) as one:
            await one.until(heard(caxton))
            await one.pilot.press("q")
            assert one.app.return_code == 0
            assert one.app.return_value == 0
        await caxton.trade()


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
        await one.press("slash", *"act:inform", "enter", "up", "enter")
        await one.shown(lambda: one.app.picture.outcome)
        seen = one.app.export_screenshot(simplify=True)
        assert "\\x1b]0;owned\\x07[bold]x[/bold]\\u202eabc" in seen.replace("&#160;", " ")
        assert not {"\x1b", "\x07", "\u202e", "\x9b"} & set(seen)
