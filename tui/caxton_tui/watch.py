"""The screen: agents, the tape, a message in detail, and how it stands.

In: the store, looked at ten times a second at the most. Out: one repaint a look, whatever the bus does.
"""

from __future__ import annotations

from datetime import tzinfo
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Footer, Input

from caxton.clock import Clock
from caxton_tui import words
from caxton_tui.agents import AgentCard, AgentTable
from caxton_tui.bars import Banner, BuildStrip, StatusLine
from caxton_tui.detail import Detail
from caxton_tui.filter import Filter
from caxton_tui.keys import KEYS
from caxton_tui.listing import Listing
from caxton_tui.reader import Reader
from caxton_tui.store import Entry, Json, Link, Store
from caxton_tui.tape import Tape

FRAMES_S: Final = 10
WIDE: Final = 110
"""Columns from which on agents and tape stand side by side."""
TYPING_S: Final = 0.15
"""How long after a key the tape is filtered while the filter is typed."""


class WatchScreen(Screen[None]):
    """Everything at once."""

    BINDINGS: ClassVar[list[BindingType]] = [key.binding for key in KEYS if not key.of_app]

    def __init__(
        self, store: Store, reader: Reader, clock: Clock, zone: tzinfo | None, *, building: bool
    ) -> None:
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "narrow"), (WIDE, "wide")]
        self._store = store
        self._reader = reader
        self._clock = clock
        self._zone = zone
        self._building = building
        self._painted = (-1, -1)
        self._entry: Entry | None = None
        self._outcome: Json | None = None
        self._asked = -1.0
        self._typing: Timer | None = None

    def compose(self) -> ComposeResult:
        """The places of the screen."""
        yield Banner(self._store, self._clock)
        with Container(id="body"):
            with Vertical(id="left"):
                yield AgentTable(self._store)
                yield AgentCard(self._store)
            with Vertical(id="right"):
                yield Tape(self._store, self._zone)
                yield Detail(id="detail")
        if self._building:
            yield BuildStrip(self._store)
        wanted = Input(
            placeholder="words, from: to: agent: act: conv:, ! turns round", id="filter", compact=True
        )
        wanted.cursor_blink = False
        yield wanted
        yield StatusLine(self._store, self._clock, self._zone)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Begin to look."""
        self.query_one("#filter").display = False
        self.query_one(Detail).display = False
        self.tape.focus()
        self.set_interval(1 / FRAMES_S, self.flush)

    @property
    def tape(self) -> Tape:
        """The message tape."""
        return self.query_one(Tape)

    @property
    def table(self) -> AgentTable:
        """The list of agents."""
        return self.query_one(AgentTable)

    # painting

    def flush(self) -> None:
        """Bring the store's newest state on screen, where there is something new or a second is over."""
        now = (self._store.version, self._clock.now_us() // 1_000_000)
        if now == self._painted or not self.is_current:
            return
        self._painted = now
        self.set_class(self._store.connection.link is Link.LOST, "lost")
        self.query_one(Banner).flush()
        self.query_one(StatusLine).flush()
        self.table.flush()
        self.query_one(AgentCard).flush(self.table.chosen)
        self.tape.flush()
        self._titles()
        if self._building:
            self.query_one(BuildStrip).flush()
        self._again()

    def on_resize(self) -> None:
        """What was painted was for another size."""
        self._painted = (-1, -1)

    def _titles(self) -> None:
        following = "following" if self.tape.following else "stopped, f follows"
        titled(self.tape, f"Messages {len(self._store.shown):,} · {following}")
        titled(self.table, f"Agents {len(self._store.agents):,}")

    # the detail

    @on(Listing.Chosen, "#tape")
    def open(self) -> None:
        """Show the message under the cursor."""
        self.query_one(Detail).display = True
        self.add_class("open")
        self._show(self.tape.chosen)

    @on(Listing.Moved, "#tape")
    def moved(self) -> None:
        """Another message in a detail that is open."""
        if self.query_one(Detail).display:
            self._show(self.tape.chosen)
        self._titles()

    def _show(self, entry: Entry | None) -> None:
        if entry is not self._entry:
            self._entry, self._outcome, self._asked = entry, None, -1.0
            self.query_one(Detail).scroll_home(animate=False)
        self.query_one(Detail).display_entry(entry, self._outcome)
        self._again()

    def _again(self) -> None:
        """Ask for the message's turns, and once a second again while some are missing."""
        entry, outcome = self._entry, self._outcome
        if entry is None or entry.kind != "message" or not self._store.live:
            return
        if outcome is not None and len(outcome["turns"]) >= len(entry.message["receiver"]):
            return
        now = self._clock.monotonic()
        if 0 <= now - self._asked < 1 and self._asked >= 0:
            return
        self._asked = now
        self.run_worker(self._ask(entry), group="detail", exclusive=True)

    async def _ask(self, entry: Entry) -> None:
        outcome = await self._reader.message(entry.seq)
        if outcome is not None and entry is self._entry:
            self._outcome = outcome
            self.query_one(Detail).display_entry(entry, outcome)

    @property
    def outcome(self) -> Json | None:
        """What the daemon said of the message in the detail."""
        return self._outcome

    # what the keys do

    @on(Listing.Moved, "#agents")
    def agent_moved(self) -> None:
        """The card goes with the cursor."""
        self.query_one(AgentCard).flush(self.table.chosen)

    @on(Listing.Chosen, "#agents")
    def action_only_agent(self) -> None:
        """Only the rows of the chosen agent; all again when it is so already."""
        agent = self.table.chosen
        if agent is None:
            return
        wanted = f"agent:{words.short(agent['name'], self._store.platform)}"
        again = self._store.filter is not None and self._store.filter.text == wanted
        self._narrow("" if again else wanted)

    def action_follow(self) -> None:
        """Follow, or stay where it is."""
        self.tape.follow(not self.tape.following)
        self._titles()

    def action_filter(self) -> None:
        """Open the line for the filter."""
        line = self.query_one("#filter", Input)
        line.display = True
        line.value = self._store.filter.text if self._store.filter is not None else ""
        line.focus()

    @on(Input.Changed, "#filter")
    def typed(self) -> None:
        """Filter a moment after the last key."""
        if self._typing is not None:
            self._typing.stop()
        self._typing = self.set_timer(TYPING_S, self._apply)

    @on(Input.Submitted, "#filter")
    def submitted(self) -> None:
        """Filter at once, and go back to the tape."""
        self._apply()
        self._close_filter()

    def _apply(self) -> None:
        line = self.query_one("#filter", Input)
        if line.display:
            self._narrow(line.value)

    def _close_filter(self) -> None:
        if self._typing is not None:
            self._typing.stop()
        self.query_one("#filter").display = False
        self.tape.focus()

    def _narrow(self, text: str) -> None:
        before = self._store.filter.text if self._store.filter is not None else ""
        if text.strip() != before:
            self._store.narrow(Filter(text))
        self.flush()

    def action_back(self) -> None:
        """One step back: the filter's line, the detail, the filter, the cursor."""
        detail = self.query_one(Detail)
        if self.query_one("#filter").display:
            self._close_filter()
        elif detail.display:
            detail.display = False
            self.remove_class("open")
            self._entry = None
            self.tape.focus()
        elif self._store.filter is not None:
            self._narrow("")
        else:
            self.tape.follow(True)
            self._titles()

    def action_retry(self) -> None:
        """Look at the daemon now."""
        self._reader.hurry()


def titled(widget: Widget, title: str) -> None:
    """Give a box its title; the same title again would paint the whole box again."""
    if widget.border_title != title:
        widget.border_title = title
