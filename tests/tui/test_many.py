"""Ten thousand agents: lists, filter and palette find what is meant, and paint what is on screen."""

from __future__ import annotations

from pathlib import Path

import msgspec
from textual.widgets import OptionList

from caxton_tui.screens.palette import MOST, PaletteCommand, PaletteScreen, matching
from caxton_tui.screens.panes.agents import AgentsPane
from caxton_tui.widgets.tables.columns import Part

from .harness import daemon, empty, market, stage

MANY = 10_000


def nothing() -> None:
    """What these commands do."""


def test_the_palette_finds_one_of_ten_thousand_and_shows_no_more_than_fit() -> None:
    commands = [
        PaletteCommand(f"agent show A-{number:05}", "its state", "", nothing) for number in range(MANY)
    ]
    commands.append(PaletteCommand("filter drop", "show every Agent", "", nothing))
    assert [one.words for one in matching(commands, "agent SHOW a-09999")] == ["agent show A-09999"]
    assert [one.words for one in matching(commands, "a-0999 state")] == [
        f"agent show A-0999{number}" for number in range(10)
    ]
    assert len(matching(commands, "")) == MOST
    assert len(matching(commands, "state")) == MOST
    assert [one.words for one in matching(commands, "drop agent")] == ["filter drop"]
    # what begins so stands first
    assert matching(commands, "filter")[0].words == "filter drop"


async def test_a_list_of_ten_thousand_agents(tmp_path: Path) -> None:
    async with daemon(market(tmp_path / "market")) as caxton:
        status, (agent, *_) = await caxton.client.status(), await caxton.client.agents()
    # nobody answers here, so that no other look follows
    async with stage(empty(tmp_path / "empty"), (80, 24)) as one:
        many = [
            msgspec.structs.replace(agent, name=f"relay-{number:05}", last_error=None)
            for number in range(MANY)
        ]
        many[7_777] = msgspec.structs.replace(many[7_777], state="failed")
        one.store.looked(one.clock.monotonic(), status, many)
        await one.press("2")
        table = one.app.main_screen.switcher.the(AgentsPane).main
        painted: list[int] = []
        row = table.row

        def counted(number: int, width: int) -> list[Part]:
            painted.append(number)
            return row(number, width)

        table.row = counted  # type: ignore[method-assign]
        await one.press("end")
        assert (table.cursor, table.total) == (MANY - 1, MANY)
        assert set(painted) <= set(range(MANY - 2 * table.room, MANY)) | set(range(2 * table.room))
        await one.press("home", "n")
        assert table.cursor == 7_777
        await one.press("slash", *"relay-0999", "enter")
        assert table.total == 10
        await one.press("colon", *"show relay-09998", "enter")
        assert table.chosen is not None
        assert table.chosen.name == "relay-09998"
        await one.press("colon")
        assert isinstance(one.app.screen, PaletteScreen)
        assert one.app.screen.query_one(OptionList).option_count == MOST
