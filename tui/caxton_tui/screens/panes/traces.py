"""Screen 3: where the time of a conversation went, turn by turn across its agents.

In: the store. Out: the conversations on the left, the waterfall of the one that is open beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from caxton.presentation.text import safe
from caxton_tui.keys import key
from caxton_tui.model.context import ViewContext
from caxton_tui.model.open_views import Needs
from caxton_tui.screens.panes.pane import Pane
from caxton_tui.widgets.lists.conversation_list import ConversationList
from caxton_tui.widgets.status_bars import titled
from caxton_tui.widgets.tables.listing import Listing
from caxton_tui.widgets.waterfall import Waterfall

SHARES: Final = (0.0, 0.01, 0.05)
"""Of the whole time: shorter turns are left out."""


class TracesPane(Pane):
    """Screen 3."""

    NUMBER = "3"
    LABEL = "Traces"
    ABOUT = "Where the time of a conversation went: how long each message waited, how long its turn ran, its fuel."

    BINDINGS: ClassVar[list[BindingType]] = [
        key("s", "shorter", "traces.short", "Short turns", "Leave out turns below 1 %, 5 %"),
        key("o", "conversation", "traces.conversation", "Sequence", "The sequence diagram"),
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
    def waterfall(self) -> Waterfall:
        """The turns."""
        return self.query_one(Waterfall)

    @property
    def main(self) -> ConversationList:
        """The conversations."""
        return self.query_one(ConversationList)

    @property
    def needs(self) -> Needs:
        """The list, and the conversation that is open."""
        return Needs(conversations=True, search=self.main.wanted, conversation=self._opened)

    @property
    def passing(self) -> str:
        """How many pass, of how many."""
        return self.main.shown

    @property
    def names(self) -> Mapping[str, str]:
        """The conversation that is open."""
        return {"ID": safe(self._opened)} if self._opened else {}

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
        self.main.flush()
        if self._opened is None and (found := self.main.chosen):
            self._opened = str(found.id)
        if self._opened is not None:
            self.context.store.open(self._opened)
        self.waterfall.flush()
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
            self.screen.set_focus(self.main)
        else:
            return False
        return True

    @on(Listing.Moved, "#trace-list")
    def moved(self) -> None:
        """The conversation under the cursor."""
        if self.main.chosen is not None:
            self._opened = str(self.main.chosen.id)
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
