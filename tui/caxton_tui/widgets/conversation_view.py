"""What the conversation that is open is drawn as, line by line: the base of the sequence diagram and of the waterfall.

In: the conversation that is open. Out: its `Timeline`, drawn anew when it, the room for it or what else it depends on
has changed.
"""

from __future__ import annotations

from collections.abc import Iterable

from caxton.diagram import Timeline
from caxton_tui.model.context import ViewContext
from caxton_tui.model.open_views import OpenConversation
from caxton_tui.model.store import PATIENCE_S
from caxton_tui.widgets.tables.columns import Piece
from caxton_tui.widgets.tables.searchable import Searchable
from caxton_tui.widgets.typed_app import key_for


class ConversationView(Searchable):
    """One conversation."""

    def __init__(self, context: ViewContext, *, id: str) -> None:
        super().__init__(id=id)
        self.context = context
        self.conversation: OpenConversation | None = None
        self.timeline: Timeline | None = None
        """What is drawn."""
        self._seen: tuple[object, ...] = ()
        self._opened_at = 0.0

    # what a view says about itself

    @property
    def depends(self) -> object:
        """What else it looks different for."""
        return None

    @property
    def nothing(self) -> str:
        """What to say of a conversation that was read and in which there is nothing to draw."""
        return self.context.store.unread

    def opened(self) -> None:
        """Another conversation is open."""

    def draw(self) -> None:
        """Make the lines of the timeline."""
        raise NotImplementedError

    # what is the same for all

    def flush(self) -> None:
        """Draw the conversation that is open as it is now."""
        store = self.context.store
        conversation = store.conversation
        if store.live and _unread(conversation) and self.conversation and not _unread(self.conversation):
            # what was read stays until the other is
            return
        if conversation is not self.conversation:
            self.conversation, self.cursor = conversation, None
            self._opened_at = self.context.clock.monotonic()
            self.opened()
        said = None if conversation is not None and conversation.head is not None else self.empty
        seen = (conversation, conversation.version if conversation else 0, self.width, said, self.depends)
        if seen != self._seen:
            self._seen = seen
            self.timeline = conversation.timeline(store.platform) if conversation else None
            self.draw()

    def on_resize(self) -> None:
        """Draw it for the room that there is now."""
        self.flush()
        self.post_message(self.Moved(self))

    @property
    def empty(self) -> str:
        """Why there is nothing."""
        store = self.context.store
        if self.conversation is not None:
            if self.conversation.error or self.conversation.head is not None:
                return self.conversation.error or self.nothing
            soon = self.context.clock.monotonic() - self._opened_at < PATIENCE_S
            return "" if soon and store.live else store.unread
        if store.listed and not store.conversations:
            # where lists stand above diagrams, theirs has no room for more than a line
            write, task = key_for(self, "app.compose"), key_for(self, "app.task")
            return f"Press {write} to write a message, {task} to start a task."
        return "Choose a conversation."


def _unread(conversation: OpenConversation | None) -> bool:
    return conversation is not None and conversation.head is None and not conversation.error


def styled(parts: Iterable[tuple[str, str]]) -> list[Piece]:
    """What `caxton.diagram` lays out, with the styles of a listing."""
    return [(text, f"listing--{style}" if style else "") for text, style in parts]
