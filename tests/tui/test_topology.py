"""Who talks to whom, from when to when, and what the mouse does."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from shapes import made
from textual.widgets import OptionList

from caxton.finding import Filter
from caxton.schemas.messages import MessageBody
from caxton_tui.model.log_entry import LogEntry
from caxton_tui.model.ring_buffer import RingBuffer
from caxton_tui.model.time_range import RANGES, range_of, with_range
from caxton_tui.model.topology import AgentLink, Topology
from caxton_tui.screens.links import LinksScreen
from caxton_tui.screens.palette import PaletteScreen
from caxton_tui.screens.panes.agents import AgentsPane
from caxton_tui.screens.panes.conversations import ConversationsPane
from caxton_tui.screens.panes.log import LogPane
from caxton_tui.widgets.status_bars import TopLine

from .harness import daemon, heard, market, read, stage


def row(seq: int, sender: str, *to: str, act: str = "inform", at_s: float = 0) -> LogEntry:
    """A message of the log."""
    message = {"performative": act, "sender": f"{sender}@local", "receiver": [f"{name}@local" for name in to]}
    at = datetime.fromtimestamp(at_s, UTC)
    return LogEntry(
        "message", seq, {}, "local", made(MessageBody, {"seq": seq, "at": at, "message": message})
    )


def counted(links: list[AgentLink]) -> list[tuple[str, str, int, int]]:
    return [(link.sender, link.receiver, link.messages, link.problems) for link in links]


def test_links_are_counted_as_rows_come_and_go() -> None:
    ring, topology = RingBuffer[LogEntry](3), Topology()
    topology.read(ring)
    assert not topology.links
    ring.add(row(1, "b", "a", "c"))
    ring.add(LogEntry("gap", 2, {"lost": 5}, "local"))
    ring.add(row(3, "a", "b", act="refuse", at_s=95))
    topology.read(ring)
    assert counted(list(topology.links)) == [("a", "b", 1, 1), ("b", "a", 1, 0), ("b", "c", 1, 0)]
    known = topology.links
    ring.add(row(4, "a", "b", at_s=99))
    topology.read(ring)
    assert topology.links is known
    assert topology.busiest == 2
    (link, *_) = topology.links
    assert (link.act, link.per_s(100), link.per_s(106), link.per_s(200)) == ("inform", 0.2, 0.1, 0)
    # rows that went before they were read are in no count; another log is counted anew
    for seq in range(5, 15):
        ring.add(row(seq, "a", "b"))
    topology.read(ring)
    assert topology.busiest == 5
    topology.read(RingBuffer[LogEntry](3))
    assert not topology.links


@pytest.mark.parametrize(
    ("text", "since", "before", "becomes"),
    [
        ("", "5m", "", "since:5m"),
        ("act:cfp since:1h", "", "", "act:cfp"),
        ('before:"12:30" from:a  since:1h x', "5m", "12:30", "from:a  x since:5m before:12:30"),
        ("a", "2026-01-31 12:00", "", 'a since:"2026-01-31 12:00"'),
    ],
)
def test_a_range_takes_the_place_of_another(text: str, since: str, before: str, becomes: str) -> None:
    assert with_range(text, since, before) == becomes
    assert range_of(becomes) == (since, before)


@pytest.mark.parametrize("range", RANGES.values())
def test_every_range_is_a_filter(range: tuple[str, str]) -> None:
    assert bool(Filter(with_range("", *range))) is any(range)


async def test_links_ranges_and_the_mouse(tmp_path: Path) -> None:
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path) as one:
        await caxton.trade()
        await one.until(read(caxton), look=True)
        await one.until(heard(caxton), look=True)
        main = one.app.main_screen
        await one.press("W")
        box = one.app.screen
        assert isinstance(box, LinksScreen)
        keys = [box.list.key(link) for link in box.list.things]
        assert "buyer → seller-ann" in keys
        assert [(link.sender, link.receiver) for link in box.list.things] == sorted(
            (link.sender, link.receiver) for link in box.list.things
        )
        box.list.put(keys.index("buyer → seller-ann"))
        await one.press("enter")
        assert isinstance(main.pane, LogPane)
        assert {(entry.sender, "seller-ann" in entry.to) for entry in one.store.shown} == {("buyer", True)}
        await one.press("escape", "at")
        one.app.screen.query_one(OptionList).highlighted = 1
        await one.press("enter")
        assert main.switcher.filter == "since:5m"
        await one.press("at", "tab", "end", *["backspace"] * 2, *"1h", "enter")
        assert main.switcher.filter == "since:1h"

        # the mouse: a screen by its name, a menu of a row
        line = main.query_one(TopLine)
        x = line.text.plain.index("Agents", 20)
        await one.pilot.click(line, offset=(x + 1, 0))
        await one.shown(lambda: isinstance(main.pane, AgentsPane))
        await one.pilot.click(main.pane.main, offset=(4, 3), button=3)
        await one.shown(lambda: isinstance(one.app.screen, PaletteScreen))
        assert main.pane.agent == "seller-ann"
        await one.press(*"agent open", "escape")
        await one.press("1")
        assert isinstance(main.pane, ConversationsPane)
