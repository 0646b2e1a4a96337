"""What is looked for is looked for in all conversations, and not only in those of the list."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from shapes import made

from caxton.finding import Filter
from caxton.schemas.messages import ConversationBody, Conversations
from caxton_tui.model import reader
from caxton_tui.model.conversation_search import ConversationSearch
from caxton_tui.screens.panes.conversations import ConversationsPane
from caxton_tui.widgets.status_bars import StatusLine

from .harness import daemon, market, settled, stage


def body(number: int, **more: object) -> ConversationBody:
    """One conversation; the higher its number, the newer it is."""
    at = datetime.fromtimestamp(number, UTC)
    return made(ConversationBody, {"id": f"conv-{number}", "started_at": at, **more})


def page(numbers: range, after: int | None) -> Conversations:
    """Those conversations, the even ones failed."""
    bodies = [body(number, state="Completed" if number % 2 else "Failed") for number in numbers]
    return Conversations(items=bodies, next=after)


def ids(search: ConversationSearch) -> list[str]:
    return [one.id for one in search.found]


def test_pages_are_looked_through_until_the_oldest() -> None:
    search = ConversationSearch(Filter("is:problem"), "local")
    search.take(page(range(9, 5, -1), 6))
    assert (ids(search), search.searched, search.before, search.done) == (["conv-8", "conv-6"], 4, 6, False)
    search.take(page(range(5, 0, -1), None))
    assert (ids(search), search.searched) == (["conv-8", "conv-6", "conv-4", "conv-2"], 9)
    assert search.done
    assert not search.enough


def test_it_ends_where_enough_pass() -> None:
    search = ConversationSearch(Filter("is:problem"), "local", most=2)
    search.take(page(range(9, 2, -1), 3))
    assert ids(search) == ["conv-8", "conv-6"]
    assert search.enough


def test_what_changes_meanwhile_comes_and_goes() -> None:
    search = ConversationSearch(Filter("is:problem"), "local")
    search.take(page(range(4, 0, -1), None))
    known = search.found
    search.refresh(page(range(4, 2, -1), None).items)
    assert search.found is known
    search.refresh([body(5, state="Failed"), body(4, state="Completed")])
    assert ids(search) == ["conv-5", "conv-2"]


async def test_the_filter_finds_what_the_list_has_no_room_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "LISTED", 2)
    monkeypatch.setattr(reader, "SEARCHED", 3)
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path) as one:
        for number in range(7):
            await caxton.trade(conversation_id=f"order-{number}")
        await one.until(settled(caxton), look=True)
        pane = one.app.main_screen.switcher.the(ConversationsPane)
        listed = pane.main
        total = len(await caxton.client.conversations(limit=1000))
        await one.press("slash", *"conv:order-1", "enter")
        await one.shown(lambda: [body.id for body in listed.things] == ["order-1"])
        await one.shown(
            lambda: f"1 of {total} searched" in one.app.main_screen.query_one(StatusLine).text.plain
        )
        assert listed.border_title == f"Conversations 1 of {total} searched"
        await caxton.trade(conversation_id="order-1b")
        await one.press("r")
        await one.shown(lambda: {body.id for body in listed.things} == {"order-1", "order-1b"})
        await one.press("escape", "escape")
        await one.until(lambda _: listed.wanted is None and listed.total == 2, look=True)
        assert one.store.search is None
