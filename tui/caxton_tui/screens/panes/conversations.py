"""Screen 1: the conversations, and the one that is open as a sequence diagram.

In: the store. Out: a list on the left (above, where it is narrow), the diagram beside it, under that the message at
which it is stopped, or the branches; `enter` opens a message whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.timer import Timer

from caxton import exact_numbers
from caxton.client import AsyncClient
from caxton.diagram import Mark, TimelineMessage
from caxton.errors import CaxtonError
from caxton.presentation.text import safe
from caxton.schemas.messages import ConversationDetail
from caxton.schemas.shape import shaped
from caxton_tui.actions import daemon_actions, side_commands
from caxton_tui.actions.action import several
from caxton_tui.forms.drafts import message_form
from caxton_tui.forms.export_form import ExportForm
from caxton_tui.forms.fork_form import ForkForm
from caxton_tui.keys import hidden_key, key
from caxton_tui.model.context import ViewContext
from caxton_tui.model.log_entry import LogEntry
from caxton_tui.model.open_views import Needs
from caxton_tui.model.reader import PAGE
from caxton_tui.screens.compare import CompareScreen
from caxton_tui.screens.panes.pane import Pane
from caxton_tui.widgets.conversation_card import ConversationCard
from caxton_tui.widgets.lists.conversation_list import ConversationList
from caxton_tui.widgets.message_detail import MessageDetail
from caxton_tui.widgets.sequence_diagram import SequenceDiagram
from caxton_tui.widgets.status_bars import titled
from caxton_tui.widgets.tables.listing import Listing
from caxton_tui.widgets.typed_app import key_for, typed_app

SETTLE_S = 0.12
"""How long the cursor rests on a conversation before it is opened."""


class ConversationsPane(Pane):
    """Screen 1."""

    NUMBER = "1"
    LABEL = "Conversations"
    ABOUT = "Who talks with whom, by which protocol, how far it is, and what was said, step by step."

    BINDINGS: ClassVar[list[BindingType]] = [
        key("f", "follow", "conversations.follow", "Follow", "Follow the newest, or stop"),
        hidden_key("x", "export", "conversations.export", "Export", "Write the diagram to a file"),
        key("p", "pin", "conversations.pin", "Pin", "Pin it for the gate, or let it go"),
        key("t", "trace", "conversations.trace", "Trace", "Where its time went"),
        key("R", "reply", "conversations.reply", "Reply", "Answer the message as a client"),
        key("S", "record", "conversations.record", "Record", "Make a scenario of it, which caxton run plays"),
        key(
            "F", "fork", "conversations.fork", "Fork", "Run on from the message at the cursor in a side world"
        ),
        hidden_key("D", "compare", "conversations.compare", "Compare", "Two that are marked, side by side"),
        hidden_key("A", "repeat", "conversations.repeat", "Again", "Send the message once more"),
    ]

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self._opened: str | None = None
        self._held = False
        """Whether the conversation that is open was asked for by name, and no other is followed."""
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """List, diagram, card, detail."""
        with Vertical(classes="left"):
            yield ConversationList(self.context, id="conversation-list")
        with Vertical(classes="right"):
            yield SequenceDiagram(self.context)
            yield ConversationCard(id="said")
            yield MessageDetail(id="said-detail")

    def on_mount(self) -> None:
        """Nothing is open yet."""
        self.detail.display = False

    @property
    def diagram(self) -> SequenceDiagram:
        """The diagram."""
        return self.query_one(SequenceDiagram)

    @property
    def detail(self) -> MessageDetail:
        """A message whole."""
        return self.query_one("#said-detail", MessageDetail)

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
        """Conversation, message."""
        line = self.diagram.chosen
        timeline = self.diagram.timeline
        parts = [timeline.id] if timeline is not None else []
        if line is not None and line.spoken is not None:
            parts.append(f"{line.spoken.number} {line.spoken.act}")
        return parts

    @property
    def agent(self) -> str | None:
        """Whom the line at the cursor is about, else who said its message, else who got it."""
        line = self.diagram.chosen
        if line is None or line.spoken is None:
            return None
        return self.known(line.lane, line.spoken.sender, *line.spoken.receivers)

    def flush(self) -> None:
        """Bring the newest state on screen."""
        store = self.context.store
        self.main.flush()
        free = self.main.cursor is None and self.diagram.following and not self._held
        reading = store.conversation is not None and store.conversation.head is None
        if free and not reading and (found := self.main.chosen):
            self._opened = str(found.id)
        if self._opened is not None:
            store.open(self._opened)
        self.diagram.flush()
        titled(self.diagram, self.diagram.title)
        self._card()

    def open(self, *, conversation: str | None = None, agent: str | None = None) -> None:
        """Show that conversation."""
        if conversation is None:
            return
        self._opened, self._held = conversation, True
        place = next((n for n, one in enumerate(self.main.things) if one.id == conversation), None)
        if place is not None:
            self.main.put(place)
        else:
            # an old one is not in the list, but it can be read
            self.main.cursor = None
        self.context.store.open(conversation)
        self.screen.set_focus(self.diagram)

    def back(self) -> bool:
        """Close the detail; leave the diagram; drop the cursor."""
        if self.detail.display:
            self.detail.display = False
            self.remove_class("open")
            self.screen.set_focus(self.diagram)
        elif self.diagram.cursor is not None:
            self.diagram.follow(True)
        elif self.diagram.has_focus:
            self.screen.set_focus(self.main)
        elif self.main.cursor is not None or self._held:
            self._release()
        else:
            return False
        return True

    def _release(self) -> None:
        """Follow whichever conversation is the liveliest again."""
        self._held = False
        self.main.cursor = None
        self.main.refresh()

    # what happens on the list and in the diagram

    @on(Listing.Moved, "#conversation-list")
    def moved(self) -> None:
        """Open the conversation under the cursor, a moment after it has come to rest."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(SETTLE_S, self._settle)

    def _settle(self) -> None:
        chosen = self.main.chosen
        if self.main.cursor is not None and chosen is not None and chosen.id != self._opened:
            self._opened = str(chosen.id)
            self.context.store.open(self._opened)
            self.diagram.flush()

    @on(Listing.Chosen, "#conversation-list")
    def entered(self) -> None:
        """Into the diagram."""
        self._settle()
        self.screen.set_focus(self.diagram)

    @on(Listing.Moved, "#diagram")
    def stepped(self) -> None:
        """The card goes with the cursor, and so does a detail that is open."""
        titled(self.diagram, self.diagram.title)
        self._card()
        if self.detail.display:
            self._show()

    @on(Listing.Chosen, "#diagram")
    def whole(self) -> None:
        """A message whole, or a loop unfolded."""
        line = self.diagram.chosen
        if line is not None and line.mark is Mark.LOOP:
            self.diagram.unfold(line)
        else:
            self.detail.display = True
            self.add_class("open")
            self._show()

    def _show(self) -> None:
        spoken = self.spoken
        if spoken is not None:
            entry = LogEntry("message", spoken.seq, {}, self.context.store.platform, spoken.body)
            self.detail.display_entry(entry, spoken.body)

    @property
    def spoken(self) -> TimelineMessage | None:
        """The message at the cursor."""
        line = self.diagram.chosen
        return line.spoken if line is not None else None

    def _card(self) -> None:
        card = self.query_one(ConversationCard)
        card.flush(self.diagram.timeline, self.spoken, self.context.store.platform)

    # what the keys do

    def action_follow(self) -> None:
        """Follow, or stop."""
        if not self.diagram.following:
            self._release()
        self.diagram.follow(not self.diagram.following)

    def action_trace(self) -> None:
        """Where the time of this conversation went."""
        self.post_message(self.Go("Traces", conversation=self._opened))

    def action_pin(self) -> None:
        """Pin the conversation that is open, or those marked, for the gate, or let them go again."""
        many = self.main.meant if self.main.marked else ()
        if many:
            wanted = not all(one.pinned for one in many)
            pins = [daemon_actions.pin(str(one.id), wanted) for one in many]
            self.post_message(
                self.Do(several(f"{'pin' if wanted else 'unpin'} {len(many)} conversations", pins))
            )
        elif self._opened is not None:
            self.post_message(self.Do(daemon_actions.pin(self._opened, not self.pinned)))

    def action_compare(self) -> None:
        """Show the two that are marked side by side."""
        ids = [str(one.id) for one in self.main.meant]
        if len(ids) != 2:
            self.notify(f"mark two conversations with {key_for(self, 'mark.row')} first", timeout=3)
        else:
            self.run_worker(self._compare(ids), group="compare", exclusive=True, exit_on_error=True)

    async def _compare(self, ids: Sequence[str]) -> None:
        async def whole(client: AsyncClient) -> list[ConversationDetail]:
            both = [await client.conversation(id, limit=PAGE) for id in ids]
            # the older one on the left, as in a diff
            return sorted(both, key=lambda one: one.items[0].seq if one.items else 0)

        try:
            both = await self.context.reader.ask(whole)
        except CaxtonError as error:
            self.notify(f"{error.message}. {error.hint or ''}", severity="error", markup=False)
        else:
            typed_app(self).push_screen(CompareScreen(both))

    def action_record(self) -> None:
        """Make a scenario of the conversation that is open, or of those marked."""
        ids = [str(one.id) for one in self.main.meant] if self.main.marked else [self._opened or ""]
        if not ids[0]:
            self.notify("no conversation is open", timeout=2)
            return
        self.notify("recording, and playing it once …", timeout=3)
        self.run_worker(self._record(ids), group="record", exclusive=True, exit_on_error=True)

    async def _record(self, ids: Sequence[str]) -> None:
        path = _free(self.context.folder / "scenarios", ids[0])
        try:
            words = ["record", "--output", str(path), "--", *ids]
            code, _, last = await side_commands.run(self.context.folder, words)
        except CaxtonError as error:
            self.notify(f"{error.message}. {error.hint or ''}", severity="error", markup=False)
        else:
            severity: Literal["warning", "information"] = "warning" if code else "information"
            self.notify(f"{path}\n{safe(last)}", severity=severity, markup=False, timeout=15)

    def action_fork(self) -> None:
        """Ask what is to be otherwise at the message at the cursor, and run on from there."""
        spoken, id = self.spoken, self._opened
        if spoken is None or id is None:
            self.notify("put the cursor of the diagram on a message first", timeout=3)
            return

        def run(options: list[str] | None) -> None:
            if options is not None:
                self.notify("running on in a side world …", timeout=3)
                words = ["fork", "--at", str(spoken.seq), "--output", "json", *options, "--", id]
                self.run_worker(self._fork(id, words), group="fork", exclusive=True, exit_on_error=True)

        typed_app(self).push_screen(ForkForm(id, spoken), run)

    async def _fork(self, id: str, words: Sequence[str]) -> None:
        try:
            _, out, _ = await side_commands.run(self.context.folder, words)
            was = await self.context.reader.ask(lambda client: client.conversation(id, limit=PAGE))
        except CaxtonError as error:
            self.notify(f"{error.message}. {error.hint or ''}", severity="error", markup=False)
        else:
            now = shaped(exact_numbers.decode(out.encode())["conversation"], ConversationDetail)
            typed_app(self).push_screen(CompareScreen([was, now]))

    @property
    def pinned(self) -> bool:
        """Whether the conversation that is open is pinned."""
        conversation = self.context.store.conversation
        if conversation is not None and conversation.id == self._opened and conversation.head is not None:
            return bool(conversation.head.pinned)
        return any(one.pinned for one in self.context.store.conversations if one.id == self._opened)

    def action_export(self) -> None:
        """Write the diagram to a file."""
        if self.diagram.timeline is None:
            self.notify("no conversation is read that could be drawn", timeout=2)
        else:
            typed_app(self).push_screen(ExportForm(self.diagram.timeline, self.context))

    def action_reply(self) -> None:
        """Answer the message at the cursor, or else the last one."""
        self.post_message(self.Fill(message_form(self.context, self.last, reply=True)))

    def action_repeat(self) -> None:
        """Send the message at the cursor, or else the first, once more."""
        self.post_message(self.Fill(message_form(self.context, self.spoken or self.first)))

    @property
    def last(self) -> TimelineMessage | None:
        """The message at the cursor, or else the last."""
        timeline = self.diagram.timeline
        return self.spoken or (timeline.spoken[-1] if timeline and timeline.spoken else None)

    @property
    def first(self) -> TimelineMessage | None:
        """The first message."""
        timeline = self.diagram.timeline
        return timeline.spoken[0] if timeline and timeline.spoken else None


def _free(folder: Path, id: str) -> Path:
    """A name for a scenario of that conversation that no file has."""
    name, number = re.sub(r"[^\w.-]+", "-", id)[:60], 1
    path = folder / f"{name}.toml"
    while path.exists() or path.with_suffix(".memory").exists():
        number += 1
        path = folder / f"{name}-{number}.toml"
    return path
