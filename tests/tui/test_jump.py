"""Jump mode: letters that go to rows and boxes."""

from __future__ import annotations

from pathlib import Path

import pytest

from caxton_tui.screens.jump import LETTERS, JumpScreen, labels
from caxton_tui.screens.panes.agents import AgentsPane
from caxton_tui.screens.panes.conversations import ConversationsPane

from .harness import daemon, market, read, stage


@pytest.mark.parametrize("count", [0, 1, 26, 27, 60, 600, 676])
def test_no_label_begins_another(count: int) -> None:
    found = labels(count)
    assert len(set(found)) == count
    assert not [one for one in found for other in found if one != other and other.startswith(one)]
    assert all(len(one) == 1 for one in found) is (count <= len(LETTERS))


async def test_a_letter_goes_to_a_row_and_to_a_box(tmp_path: Path) -> None:
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path, (120, 40)) as one:
        await caxton.trade()
        await one.until(read(caxton), look=True)
        pane = one.app.main_screen.switcher.the(ConversationsPane)
        await one.press("semicolon")
        screen = one.app.screen
        assert isinstance(screen, JumpScreen)
        # two boxes, and every line of both of them
        assert len(screen.places) == 2 + pane.main.total + pane.diagram.total
        # the second box is the diagram
        await one.press(LETTERS[1])
        assert one.app.main_screen.focused is pane.diagram
        assert pane.diagram.following

        # from there the rows of the diagram come first
        await one.press("semicolon", LETTERS[2 + 3])
        assert pane.diagram.cursor == 3
        await one.press("semicolon", "escape")
        assert one.app.screen is one.app.main_screen
        assert pane.diagram.cursor == 3
        # what is no label ends it, and does nothing else
        await one.press("semicolon", "exclamation_mark")
        assert one.app.screen is one.app.main_screen

        await one.press("2", "ctrl+o", LETTERS[2 + 2])
        agents = one.app.main_screen.switcher.the(AgentsPane)
        assert agents.chosen is not None
        assert agents.chosen.name == "seller-bob"
        await one.press("colon", *"place jump", "enter")
        assert isinstance(one.app.screen, JumpScreen)
