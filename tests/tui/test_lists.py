"""What a list shows beside its things goes on while the things stay the same: ages, and the mark of what is held."""

from __future__ import annotations

from pathlib import Path

from shapes import made

from caxton.schemas.held import HeldBody
from caxton.schemas.messages import ConversationBody
from caxton_tui import CaxtonApp
from caxton_tui.model.connection import Connection, Link
from caxton_tui.screens.panes.conversations import ConversationsPane

from .conftest import normal, words
from .harness import daemon, empty, market, read, stage


def line(app: CaxtonApp, what: str) -> str:
    """The first line on screen, as it was painted last, that has those words."""
    return next((one for one in words(normal(app.export_screenshot(simplify=True))) if what in one), "")


async def test_ages_go_on_while_nothing_happens(tmp_path: Path) -> None:
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path, (200, 40)) as one:
        await caxton.trade()
        await one.until(read(caxton), look=True)
        known = one.store.conversations
        assert " now " in line(one.app, "order-1")
        one.clock.advance(42)
        await one.paint()
        assert " 42s" in line(one.app, "order-1")
        await one.press("4")
        await one.until(lambda store: len(store.deployments) == 4, look=True)
        assert " 42s" in line(one.app, "seller-ann")
        one.clock.advance(600)
        await one.paint()
        assert " 11m" in line(one.app, "seller-ann")
        assert one.store.conversations is known


async def test_the_mark_of_what_is_held_does_not_wait_for_the_conversations(tmp_path: Path) -> None:
    async with daemon(market(tmp_path / "market")) as caxton:
        await caxton.trade()
        known = await caxton.client.conversations()
    # nobody answers here, so that nothing comes between
    async with stage(empty(tmp_path / "empty")) as one:
        one.store.asked(conversations=known)
        await one.paint()
        assert "⏸" not in line(one.app, "order-1")
        one.store.asked(held=[made(HeldBody, {"message": {"conversation_id": "order-1"}})])
        await one.paint()
        assert "⏸ order-1" in line(one.app, "order-1")
        one.store.asked(held=[])
        await one.paint()
        assert "⏸" not in line(one.app, "order-1")


async def test_conversations_that_serve_another_stand_under_it_where_the_newest_of_them_stood(
    tmp_path: Path,
) -> None:
    async with stage(empty(tmp_path)) as one:
        one.store.asked(
            conversations=[
                made(
                    ConversationBody,
                    {
                        "id": id,
                        "parent": parent,
                        "state": state,
                        "started_at": f"2026-01-01T00:00:0{9 - place}Z",
                        "last_at": f"2026-01-01T00:00:0{9 - place}Z",
                    },
                )
                for place, (id, parent, state) in enumerate(
                    (
                        ("timer", "again", None),
                        ("other", None, None),
                        ("again", "first", "InProgress"),
                        # what began it had ended, so it serves what that one served
                        ("first", "order", "Completed"),
                        ("away", "forgotten", None),
                        ("order", None, "InProgress"),
                    )
                )
            ]
        )
        await one.paint()
        table = one.app.main_screen.switcher.the(ConversationsPane).main
        names = ["order", "└ again", "  └ timer", "└ first", "other", "away"]
        assert [table.name_of(thing) for thing in table.things] == names
        table.sort_by("CONVERSATION")
        assert [table.name_of(thing) for thing in table.things] == sorted(name.strip("└ ") for name in names)


async def test_a_list_that_comes_back_has_its_place_already(tmp_path: Path) -> None:
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path) as one:
        await caxton.trade()
        await one.until(read(caxton), look=True)
        listing = one.app.main_screen.switcher.the(ConversationsPane).main
        await one.press("2")
        await one.paint()
        seen = listing.virtual_size
        # what would be another size is laid out twice: when it is said, and when it turns out to be wrong
        listing.fit()
        assert listing.virtual_size == seen


async def test_what_is_read_at_once_is_not_said_to_be_read(tmp_path: Path) -> None:
    # nobody answers here, so that nothing is ever read
    async with stage(empty(tmp_path)) as one:
        pane = one.app.main_screen.switcher.the(ConversationsPane)
        one.store.connected(Connection(Link.LIVE, one.clock.monotonic()))
        one.store.open("order-1")
        pane.diagram.flush()
        assert (pane.main.empty, pane.diagram.empty) == ("", "")
        one.clock.advance(1)
        assert (pane.main.empty, pane.diagram.empty) == ("Reading…", "Reading…")
