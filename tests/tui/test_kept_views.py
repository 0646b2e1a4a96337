"""What is chosen on screen and found again: order and columns of lists, filters by their names, marked rows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

import msgspec
import pytest

from caxton.client import AsyncClient
from caxton.errors import AgentNotFound
from caxton_tui.actions.action import Action, several
from caxton_tui.forms.ask import AskScreen
from caxton_tui.forms.confirm import ConfirmScreen
from caxton_tui.model.kept_views import FILE, KeptViews, TableView, place
from caxton_tui.screens.columns import ColumnsScreen
from caxton_tui.screens.compare import CompareScreen, DifferenceList
from caxton_tui.screens.panes.agents import AgentsPane
from caxton_tui.screens.panes.conversations import ConversationsPane
from caxton_tui.widgets.status_bars import StatusLine

from .harness import daemon, empty, market, read, stage


def test_choices_are_found_again_and_other_terminals_see_them(tmp_path: Path) -> None:
    path = tmp_path / "state" / "tui.json"
    one, other = KeptViews(path), KeptViews(path)
    assert one.table("agent-list") == TableView()
    one.keep_table("agent-list", TableView("MSG/S", True, ("REVISION",)))
    other.keep_filter("bad days", "is:problem")
    again = KeptViews(path)
    assert again.table("agent-list") == TableView("MSG/S", True, ("REVISION",))
    assert again.filters == {"bad days": "is:problem"}
    again.keep_filter("bad days", "")
    assert not KeptViews(path).filters
    assert os.listdir(path.parent) == ["tui.json"]


@pytest.mark.parametrize("text", ["{", '{"tables": 7}', '{"colour": "pink"}', "\xff"])
def test_a_file_that_is_something_else_is_left_alone(text: str, tmp_path: Path) -> None:
    path = tmp_path / "tui.json"
    path.write_text(text, "latin-1")
    kept = KeptViews(path)
    assert str(path) in kept.trouble
    assert "mend or remove it" in kept.trouble
    kept.keep_filter("a", "b")
    assert kept.filters == {"a": "b"}
    assert path.read_text("latin-1") == text


def test_the_place_is_the_user_s_state_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FILE)
    assert (place().parent.name, place().name) == ("caxton", "tui.json")


async def test_several_actions_are_done_as_one() -> None:
    async def fine(client: AsyncClient) -> str:
        return "done"

    async def gone(client: AsyncClient) -> str:
        raise AgentNotFound("there is no agent 'b'")

    actions = [Action(f"stop {name}", f"caxton agent stop {name}", fine, f"{name}?") for name in "acdefg"]
    actions.insert(1, Action("stop b", "caxton agent stop b", gone, "b?"))
    both = several("stop 7 agents", actions)
    assert both.command.splitlines()[1] == "caxton agent stop b"
    assert both.question.splitlines()[-1] == "… and 2 more"
    client = cast("AsyncClient", None)
    assert await both.run(client) == "6 done\nnot: stop b: there is no agent 'b'"
    with pytest.raises(AgentNotFound):
        await several("stop 2", [actions[1], actions[1]]).run(client)
    assert several("stop", actions[:1]) is actions[0]


async def test_lists_are_sorted_and_have_the_columns_that_were_chosen(tmp_path: Path) -> None:
    async with daemon(market(tmp_path / "market")) as caxton:
        status, agents = await caxton.client.status(), await caxton.client.agents()
    many = [msgspec.structs.replace(one, mailbox=n * 7 % 4, last_error=None) for n, one in enumerate(agents)]
    names = [one.name for one in many]
    # nobody answers here, so that no other look follows
    folder = empty(tmp_path / "empty")
    async with stage(folder) as one:
        one.store.looked(one.clock.monotonic(), status, many)
        await one.press("2")
        table = one.app.main_screen.switcher.the(AgentsPane).main
        assert [agent.name for agent in table.things] == names
        await one.press("C")
        box = one.app.screen
        assert isinstance(box, ColumnsScreen)
        await one.press("down", "down", "space", "down", "s", "escape")
        assert [agent.mailbox for agent in table.things] == [3, 2, 1, 0]
        headings = [text for text, _, _ in table.heading(200)]
        assert "WAI↓" in headings
        assert "REVISION" not in headings
        # a click on the heading turns it round, another one ends it
        x = sum(abs(width) + 1 for _, width, _ in table.heading(table.width)[:2]) + 3
        await one.pilot.click(table, offset=(x, 1))
        assert [agent.mailbox for agent in table.things] == [0, 1, 2, 3]
    async with stage(folder) as one:
        one.store.looked(one.clock.monotonic(), status, many)
        await one.press("2")
        table = one.app.main_screen.switcher.the(AgentsPane).main
        assert [agent.mailbox for agent in table.things] == [0, 1, 2, 3]
        await one.press("home", "space", "space", "up", "up", "space")
        assert [agent.mailbox for agent in table.meant] == [1]
        assert "✓ 1 marked" in one.app.main_screen.query_one(StatusLine).text.plain
        await one.press("up", "space", "s")
        assert isinstance(one.app.screen, ConfirmScreen)
        await one.press("n", "escape")
        assert not table.marked
        await one.press("slash", *"state:running", "ctrl+s")
        assert isinstance(one.app.screen, AskScreen)
        await one.press(*"awake", "enter", "escape")
        assert not one.app.main_screen.switcher.filter
        await one.press("colon", *"filter awake", "enter")
        assert one.app.main_screen.switcher.filter == "state:running"
        assert KeptViews(place()).filters == {"awake": "state:running"}


async def test_two_that_are_marked_are_shown_side_by_side(tmp_path: Path) -> None:
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path) as one:
        await caxton.trade(1, conversation_id="order-1")
        await caxton.trade(2, conversation_id="order-2")
        await one.until(read(caxton), look=True)
        table = one.app.main_screen.switcher.the(ConversationsPane).main
        rows = [n for n, body in enumerate(table.things) if body.id in ("order-1", "order-2")]
        await one.press("home", "D")
        assert not isinstance(one.app.screen, CompareScreen)
        for row in rows:
            table.put(row)
            await one.press("space")
        await one.press("D")
        await one.shown(lambda: isinstance(one.app.screen, CompareScreen))
        steps = one.app.screen.query_one(DifferenceList)
        assert steps.ids == ["order-1", "order-2"]
        await one.press("n")
        assert steps.cursor is not None
        assert "≠" in [text for text, _, _ in steps.row(steps.cursor, 100)]
        # however narrow it is, one sees what differs
        assert [text for text, _, _ in steps.row(0, 70)][1::3] == [
            'operator…s":1,"pause_ms":0}',
            'operator…s":2,"pause_ms":0}',
        ]
        await one.press("q", "home", "p")
        await one.until(
            lambda store: {c.id for c in store.conversations if c.pinned} == {"order-1", "order-2"}, look=True
        )
