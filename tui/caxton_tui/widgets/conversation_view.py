"""What the conversation that is open is drawn as, line by line: the base of the sequence diagram and of the waterfall.

In: the store's book. Out: its `Story`, drawn anew when it, the room for it or what a picture depends on has changed.
"""

from __future__ import annotations

from collections.abc import Iterable

from caxton.diagram import Story
from caxton_tui.model.context import ViewContext
from caxton_tui.model.open_views import OpenConversation
from caxton_tui.widgets.columns import Piece
from caxton_tui.widgets.listing import Listing
from caxton_tui.widgets.typed_app import key_for


class ConversationView(Listing):
    """One conversation."""

    def __init__(self, context: ViewContext, *, id: str) -> None:
        super().__init__(id=id)
        self.context = context
        self.book: OpenConversation | None = None
        self.story: Story | None = None
        """What is drawn."""
        self._seen: tuple[object, ...] = ()

    # what a picture says about itself

    @property
    def depends(self) -> object:
        """What else it looks different for."""
        return None

    @property
    def nothing(self) -> str:
        """What to say of a conversation that was read and in which there is nothing to draw."""
        return self.context.store.unread

    def opened(self) -> None:
        """Another book is open."""

    def draw(self) -> None:
        """Make the lines of the story."""
        raise NotImplementedError

    # what is the same for all

    def flush(self) -> None:
        """Draw the book that is open as it is now."""
        store = self.context.store
        book = store.book
        if book is not self.book:
            self.book, self.cursor = book, None
            self.opened()
        said = None if book is not None and book.head is not None else self.empty
        seen = (book, book.version if book else 0, self.width, said, self.depends)
        if seen != self._seen:
            self._seen = seen
            self.story = book.story(store.platform) if book else None
            self.draw()

    def on_resize(self) -> None:
        """Draw it for the room that there is now."""
        self.flush()
        self.post_message(self.Moved(self))

    @property
    def empty(self) -> str:
        """Why there is nothing."""
        store = self.context.store
        if self.book is not None:
            return self.book.error or (store.unread if self.book.head is None else self.nothing)
        if store.listed and not store.conversations:
            # where lists stand above pictures, theirs has no room for more than a line
            write, task = key_for(self, "app.compose"), key_for(self, "app.task")
            return f"Press {write} to write a message, {task} to start a task."
        return "Choose a conversation."


def styled(parts: Iterable[tuple[str, str]]) -> list[Piece]:
    """What `caxton.diagram` lays out, with the styles of a listing."""
    return [(text, f"listing--{style}" if style else "") for text, style in parts]
