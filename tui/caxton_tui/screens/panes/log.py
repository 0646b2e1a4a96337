"""Screen 5: everything that happened, row by row as it is committed.

In: the store's log. Out: its rows, and under them the row at the cursor in full: for a message every field and its
turns, for an event what it says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from caxton.diagram import read_message
from caxton.schemas.messages import MessageBody
from caxton_tui.forms.drafts import message_form
from caxton_tui.keys import hidden_key, key
from caxton_tui.model.context import ViewContext
from caxton_tui.model.log_entry import LogEntry
from caxton_tui.screens.panes.pane import Pane
from caxton_tui.widgets.lists.log_list import LogList
from caxton_tui.widgets.message_detail import MessageDetail
from caxton_tui.widgets.status_bars import titled
from caxton_tui.widgets.tables.listing import Listing
from caxton_tui.widgets.typed_app import key_for


class LogPane(Pane):
    """Screen 5."""

    NUMBER = "5"
    LABEL = "Log"
    ABOUT = "Everything that happened, as it is committed: messages, agents, deployments, logs, dead letters."

    BINDINGS: ClassVar[list[BindingType]] = [
        key("f", "follow", "log.follow", "Follow", "Follow the newest row, or stay"),
        key("o", "conversation", "log.conversation", "Conversation", "Open its conversation"),
        hidden_key("R", "reply", "log.reply", "Reply", "Answer the message as a client"),
        hidden_key("A", "repeat", "log.repeat", "Again", "Send the message once more"),
    ]

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self._entry: LogEntry | None = None
        self._outcome: MessageBody | None = None
        self._asked = -1.0

    def compose(self) -> ComposeResult:
        """Rows and detail."""
        with Vertical(classes="whole"):
            yield LogList(self.context.store, self.context.zone)
            yield MessageDetail(id="detail")

    def on_mount(self) -> None:
        """Nothing is open yet."""
        self.detail.display = False

    @property
    def detail(self) -> MessageDetail:
        """The row at the cursor in full."""
        return self.query_one(MessageDetail)

    @property
    def main(self) -> LogList:
        """The rows."""
        return self.query_one(LogList)

    @property
    def outcome(self) -> MessageBody | None:
        """What the daemon said of the message in the detail."""
        return self._outcome

    @property
    def crumbs(self) -> Sequence[str]:
        """The row at the cursor."""
        entry = self.main.chosen
        return () if entry is None else (f"row {entry.seq} {entry.act}",)

    @property
    def names(self) -> Mapping[str, str]:
        """The conversation of the row at the cursor."""
        entry = self.main.chosen
        return {} if entry is None else {"ID": entry.conversation}

    @property
    def agent(self) -> str | None:
        """Who said the row at the cursor, or whom it is about; else who got it."""
        entry = self.main.chosen
        return None if entry is None else self.known(entry.sender, *entry.to.split(", "))

    def flush(self) -> None:
        """Bring the newest rows on screen."""
        self.main.flush()
        self._titles()
        self._again()

    def _titles(self) -> None:
        following = "following" if self.main.following else f"stopped, {key_for(self, 'log.follow')} follows"
        titled(self.main, f"Messages and events {len(self.context.store.shown):,} · {following}")

    def back(self) -> bool:
        """Close the detail; follow again."""
        if self.detail.display:
            self.detail.display = False
            self._entry = None
            self.screen.set_focus(self.main)
        elif not self.main.following:
            self.action_follow()
        else:
            return False
        return True

    # the detail

    @on(Listing.Chosen, "#log-list")
    def show_row(self) -> None:
        """Show the row under the cursor."""
        self.detail.display = True
        self._show(self.main.chosen)

    @on(Listing.Moved, "#log-list")
    def moved(self) -> None:
        """Another row in a detail that is open."""
        if self.detail.display:
            self._show(self.main.chosen)
        self._titles()

    def _show(self, entry: LogEntry | None) -> None:
        if entry is not self._entry:
            self._entry, self._outcome, self._asked = entry, None, -1.0
        self.detail.display_entry(entry, self._outcome, self.context.store.unread)
        self._again()

    def _again(self) -> None:
        """Ask for the message's turns, and once a second again while some are missing."""
        entry, outcome = self._entry, self._outcome
        if entry is None or entry.kind != "message" or not self.context.store.live:
            return
        if outcome is not None and len(outcome.turns or ()) >= len(entry.message.receiver):
            return
        now = self.context.clock.monotonic()
        if 0 <= now - self._asked < 1 and self._asked >= 0:
            return
        self._asked = now
        self.run_worker(self._ask(entry), group="detail", exclusive=True)

    async def _ask(self, entry: LogEntry) -> None:
        outcome = await self.context.reader.message(entry.seq)
        if outcome is not None and entry is self._entry:
            self._outcome = outcome
            self.detail.display_entry(entry, outcome)

    # what the keys do

    def action_follow(self) -> None:
        """Follow, or stay where it is."""
        self.main.follow(not self.main.following)
        self._titles()

    def action_conversation(self) -> None:
        """Open the conversation of the row."""
        entry = self.main.chosen
        if entry is not None and entry.kind == "message":
            self.post_message(self.Go("Conversations", conversation=entry.message.conversation_id))

    def action_reply(self) -> None:
        """Answer the message at the cursor."""
        self._write(reply=True)

    def action_repeat(self) -> None:
        """Send the message at the cursor once more."""
        self._write(reply=False)

    def _write(self, *, reply: bool) -> None:
        entry = self.main.chosen
        if entry is not None and entry.stored is not None:
            spoken = read_message(entry.stored, entry.platform)
            self.post_message(self.Fill(message_form(self.context, spoken, reply=reply)))
