"""Screen 3: where the time of a conversation went, turn by turn across its agents.

In: the store. Out: the conversations on the left, the waterfall of the one that is open beside it: a bar for each
turn, `░` while its message waited, `▓` while it ran, with its fuel. Short bars can be left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from caxton.diagram import Bar, bars_of
from caxton.diagram.waterfall import bar_parts, heading, length_us
from caxton.presentation.text import safe, span
from caxton_tui.model.context import ViewContext
from caxton_tui.model.open_views import Needs
from caxton_tui.screens.palette import PaletteCommand
from caxton_tui.screens.pane import Pane
from caxton_tui.widgets.conversation_list import ConversationList
from caxton_tui.widgets.conversation_view import ConversationView, styled
from caxton_tui.widgets.listing import Listing, Piece
from caxton_tui.widgets.sequence_diagram import as_json
from caxton_tui.widgets.status_bars import titled

SHARES: Final = (0.0, 0.01, 0.05)
"""Of the whole time: shorter turns are left out."""


class Waterfall(ConversationView):
    """The turns of one conversation."""

    def __init__(self, context: ViewContext, *, id: str = "waterfall") -> None:
        super().__init__(context, id=id)
        self._bars: list[Bar] = []
        self._hidden = 0
        self._whole_us = 0
        self.share = 0.0

    @property
    def total(self) -> int:
        """Turns that are shown."""
        return len(self._bars)

    @property
    def bars(self) -> Sequence[Bar]:
        """The turns that are shown."""
        return self._bars

    def problem(self, number: int) -> bool:
        """Whether a turn or its message went wrong."""
        return self._bars[number].problem

    @property
    def chosen(self) -> Bar | None:
        """The turn under the cursor."""
        return self._bars[self.cursor] if self.cursor is not None and self.cursor < self.total else None

    @property
    def copied(self) -> str:
        """The message of the turn under the cursor."""
        return as_json(self.chosen.spoken.body) if self.chosen else self.story.id if self.story else ""

    @property
    def nothing(self) -> str:
        """Messages that were not handled yet."""
        return "No message of it made a turn yet."

    @property
    def depends(self) -> object:
        """How short a turn may be."""
        return self.share

    def draw(self) -> None:
        """Measure the turns."""
        bars = bars_of(self.story) if self.story else []
        self._whole_us = length_us(bars)
        least = self._whole_us * self.share
        self._bars = [
            bar for bar in bars if not self.share or bar.queue_us + bar.turn_us >= least or bar.problem
        ]
        self._hidden = len(bars) - len(self._bars)
        if self.cursor is not None and self.cursor >= self.total:
            self.cursor = None
        self.fit()
        self.refresh()

    def head_pieces(self, width: int) -> list[Piece]:
        """The columns' names."""
        return styled(heading(width - 1, self._whole_us))

    def pieces(self, number: int, width: int) -> list[Piece]:
        """One turn."""
        return styled(bar_parts(self._bars[number], width - 1, self._whole_us))

    @property
    def title(self) -> str:
        """Which conversation, how long, how much work."""
        if self.story is None:
            return "Waterfall"
        fuel = sum(bar.turn.fuel for bar in self._bars if bar.turn)
        ran = sum(bar.turn_us for bar in self._bars)
        parts = [self.story.id, f"{span(self._whole_us / 1e6)}, {span(ran / 1e6)} in turns, {fuel:,} fuel"]
        if self._hidden:
            parts.append(f"{self._hidden} shorter than {self.share:.0%} left out")
        return " · ".join(parts)


class TracesPane(Pane):
    """Screen 3."""

    NUMBER = "3"
    LABEL = "Traces"
    ABOUT = "Where the time of a conversation went: how long each message waited, how long its turn ran, its fuel."

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "shorter", "Short turns", id="traces.short", tooltip="Leave out turns below 1 %, 5 %"),
        Binding("o", "conversation", "Sequence", id="traces.conversation", tooltip="The sequence diagram"),
    ]

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self._opened: str | None = None

    def compose(self) -> ComposeResult:
        """List and waterfall."""
        with Vertical(classes="left"):
            yield ConversationList(self.context, id="trace-list")
        with Vertical(classes="right"):
            yield Waterfall(self.context)

    @property
    def list(self) -> ConversationList:
        """The conversations."""
        return self.query_one(ConversationList)

    @property
    def waterfall(self) -> Waterfall:
        """The turns."""
        return self.query_one(Waterfall)

    @property
    def main(self) -> Listing:
        """The conversations."""
        return self.list

    @property
    def needs(self) -> Needs:
        """The list, and the conversation that is open."""
        return Needs(conversations=True, book=self._opened)

    @property
    def crumbs(self) -> Sequence[str]:
        """Conversation, turn."""
        bar = self.waterfall.chosen
        parts = [self._opened] if self._opened else []
        return [*parts, f"{bar.spoken.number} {bar.spoken.act}"] if bar else parts

    @property
    def agent(self) -> str | None:
        """Whose turn is at the cursor."""
        bar = self.waterfall.chosen
        return None if bar is None or bar.turn is None else self.known(bar.turn.agent)

    def flush(self) -> None:
        """Bring the newest state on screen."""
        self.list.take(self.context.store.conversations)
        if self._opened is None and (found := self.list.chosen):
            self._opened = str(found.id)
        if self._opened is not None:
            self.context.store.open(self._opened)
        self.waterfall.flush()
        titled(self.list, f"Conversations {self.list.total:,}")
        titled(self.waterfall, self.waterfall.title)

    def open(self, *, conversation: str | None = None, agent: str | None = None) -> None:
        """Show that conversation."""
        if conversation is not None:
            self._opened = conversation
            self.context.store.open(conversation)
            self.screen.set_focus(self.waterfall)

    def back(self) -> bool:
        """From the waterfall to the list."""
        if self.waterfall.cursor is not None:
            self.waterfall.cursor = None
            self.waterfall.refresh()
        elif self.waterfall.has_focus:
            self.screen.set_focus(self.list)
        else:
            return False
        return True

    @on(Listing.Moved, "#trace-list")
    def moved(self) -> None:
        """The conversation under the cursor."""
        if self.list.chosen is not None:
            self._opened = str(self.list.chosen.id)
            self.context.store.open(self._opened)
            self.waterfall.flush()

    @on(Listing.Chosen, "#trace-list")
    def entered(self) -> None:
        """Into the waterfall."""
        self.moved()
        self.screen.set_focus(self.waterfall)

    @on(Listing.Chosen, "#waterfall")
    def action_conversation(self) -> None:
        """The sequence diagram of the same conversation."""
        self.post_message(self.Go("Conversations", conversation=self._opened))

    def action_shorter(self) -> None:
        """Leave out more short turns, or show all again."""
        place = (SHARES.index(self.waterfall.share) + 1) % len(SHARES)
        self.waterfall.share = SHARES[place]
        self.waterfall.flush()
        titled(self.waterfall, self.waterfall.title)

    @property
    def commands(self) -> Sequence[PaletteCommand]:
        """What can be done with the trace that is open."""
        if self._opened is None:
            return ()
        twin = f"caxton trace show {safe(self._opened)}"
        return (
            PaletteCommand("trace short", "leave out short turns, or show all", twin, self.action_shorter),
        )
