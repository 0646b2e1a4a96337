"""The sequence diagram of the conversation that is open: live at its end, or stopped and looked at step by step.

In: a `Timeline`. Out: its lines as `caxton.diagram` lays them out. Without a cursor it follows the end; with one, what
comes after it is dim, the arc in front joins the message with what it answers and what answered it.
"""

from __future__ import annotations

from typing import ClassVar, Final

from textual.binding import BindingType

from caxton import exact_numbers
from caxton.diagram import Layout, Line, Mark, lines_of
from caxton.diagram.arcs import arcs
from caxton.finding import MessageSubject
from caxton.schemas.shape import Message, Shape, plain
from caxton_tui.keys import hidden_key, key
from caxton_tui.model.context import ViewContext
from caxton_tui.widgets.conversation_view import ConversationView, styled
from caxton_tui.widgets.tables.columns import Piece
from caxton_tui.widgets.typed_app import key_for

_SECOND: Final = 1_000_000


class SequenceDiagram(ConversationView):
    """Lanes, arrows, notes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("left,h", "move(-1)", "diagram.back", "Back", "One step back in time"),
        key("right,l", "move(1)", "diagram.on", "On", "One step on in time"),
        hidden_key("less_than_sign,comma", "lanes(-1)", "diagram.lanes_before", "Lanes"),
        hidden_key(
            "greater_than_sign,full_stop",
            "lanes(1)",
            "diagram.lanes_on",
            "Lanes",
            "Other members, where not all of them fit",
        ),
        key("u", "unfold", "diagram.unfold", "Unfold", "Open every loop, or fold them again"),
    ]

    def __init__(self, context: ViewContext, *, id: str = "diagram") -> None:
        super().__init__(context, id=id)
        self._lines: list[Line] = []
        self._layout: Layout | None = None
        self._open: set[int] = set()
        self._arcs: dict[int, str] = {}
        self._skip = 0
        """Members after the first that are passed over, where not all of them fit."""

    @property
    def following(self) -> bool:
        """Whether it stays at the end as messages come."""
        return self.cursor is None

    @property
    def total(self) -> int:
        """Lines."""
        return len(self._lines)

    @property
    def lines(self) -> list[Line]:
        """The lines as they are drawn."""
        return self._lines

    @property
    def chosen(self) -> Line | None:
        """The line under the cursor."""
        return self._lines[self.cursor] if self.cursor is not None and self.cursor < self.total else None

    def searched(self, number: int) -> str:
        """What the line shows, and the whole message."""
        line, drawn = self._lines[number], super().searched(number)
        if line.spoken is None or line.mark is not Mark.MESSAGE:
            return drawn
        return f"{drawn}\n{MessageSubject(line.spoken.body.message, self.context.store.platform).everything}"

    def prepare(self) -> None:
        """Every loop is opened."""
        self._open = {spoken.number for spoken in self.timeline.spoken} if self.timeline else set()
        self.flush()

    def problem(self, number: int) -> bool:
        """Whether a line says that something went wrong."""
        return self._lines[number].problem

    @property
    def copied(self) -> str:
        """The message under the cursor as JSON, else the conversation's id."""
        line = self.chosen
        if line is not None and line.spoken is not None:
            return as_json(line.spoken.body.message)
        return self.timeline.id if self.timeline else ""

    @property
    def depends(self) -> object:
        """Loops that are open, members that are passed over, room, and the second, for deadlines."""
        return len(self._open), self._skip, self.room, self.context.now_us // _SECOND

    def opened(self) -> None:
        """All loops are folded, from the first member on."""
        self._open, self._skip = set(), 0

    def draw(self) -> None:
        """Lay it out; the cursor stays where it stood."""
        timeline = self.timeline
        before = self._lines
        self._lines = [] if timeline is None else lines_of(timeline, self.context.now_us, self._open)
        self._layout = None if timeline is None else Layout(timeline, max(self.width - 1, 1), self._skip)
        self._keep(before)
        self.fit()
        if self.following:
            self.scroll_to(y=max(self.total - self.room, 0), animate=False, force=True, immediate=True)
        self.refresh()

    def _keep(self, before: list[Line]) -> None:
        """The cursor stays on its line, or on the message that this belongs to."""
        if self.cursor is None or self.cursor >= len(before):
            return
        line = before[self.cursor]
        number = line.spoken.number if line.spoken else 0
        same = [n for n, one in enumerate(self._lines) if one.spoken and one.spoken.number == number]
        exact = [n for n in same if self._lines[n].mark is line.mark]
        self.cursor = exact[0] if exact else same[0] if same else min(self.cursor, max(self.total - 1, 0))
        self._arcs = arcs(self._lines, self.cursor)

    def follow(self, wanted: bool) -> None:
        """Follow the end, or stop where it is."""
        if wanted:
            self.cursor, self._arcs = None, {}
            self.scroll_to(y=max(self.total - self.room, 0), animate=False, force=True, immediate=True)
            self.refresh()
            self.post_message(self.Moved(self))
        elif self.total:
            self.put(self.total - 1)

    def put(self, number: int) -> None:
        """Stop at that line."""
        self._arcs = arcs(self._lines, max(0, min(number, self.total - 1)))
        super().put(number)
        # what comes after it is dim, arcs join it with others
        self.refresh()

    def action_move(self, by: int) -> None:
        """A step back or on; past the last line it follows again."""
        if by > 0 and self.cursor is not None and self.cursor >= self.total - 1:
            self.follow(True)
        else:
            super().action_move(by)

    def action_lanes(self, by: int) -> None:
        """Show other members, a screen of them further on or back."""
        layout = self._layout
        if layout is None or not layout.folded:
            self.notify("everybody is shown", timeout=2)
            return
        self._skip = max(layout.skip + by * max(len(layout.lanes) - 2, 1), 0)
        self.flush()
        # no further than there is somebody
        self._skip = self._layout.skip if self._layout is not None else 0
        self.post_message(self.Moved(self))

    @property
    def folded(self) -> int:
        """Members that share the last lane."""
        return len(self._layout.folded) if self._layout is not None else 0

    def action_unfold(self) -> None:
        """Open every loop, or fold them all again."""
        if self._open:
            self._open = set()
            self.flush()
        else:
            self.prepare()

    def unfold(self, line: Line) -> None:
        """Open the loop that this line stands for."""
        if line.spoken is not None and self.timeline is not None:
            # the loop is known by its first message, which stands some lines above
            last = line.spoken.number
            self._open |= set(range(max(last - 8, 1), last + 1))
            self.flush()

    def head_pieces(self, width: int) -> list[Piece]:
        """The lanes' names."""
        return [] if self._layout is None else styled(self._layout.heading())

    def pieces(self, number: int, width: int) -> list[Piece]:
        """One line; what comes after the cursor is dim."""
        if self._layout is None:
            return []
        pieces = styled(self._layout.parts(self._lines[number], self._arcs.get(number, " ")))
        if self.cursor is not None and number > self.cursor:
            return [("".join(text for text, _ in pieces), "listing--dim")]
        return pieces

    @property
    def title(self) -> str:
        """Which conversation, how it stands, and whether it is followed."""
        timeline, conversation = self.timeline, self.conversation
        if timeline is None or conversation is None:
            return "Sequence"
        parts = [timeline.id, timeline.protocol.removeprefix("fipa-"), timeline.state]
        if conversation.head is not None and conversation.head.pinned:
            parts.append("⚑ pinned")
        if self.folded:
            lanes = " ".join(key_for(self, f"diagram.lanes_{way}") for way in ("before", "on"))
            parts.append(f"{self.folded} of {len(timeline.lanes)} folded: {lanes}")
        if conversation.left_out:
            parts.append(f"{conversation.left_out:,} before left out")
        parts.append(
            "following"
            if self.following
            else f"stopped at {self._where()}, {key_for(self, 'conversations.follow')} follows"
        )
        return " · ".join(part for part in parts if part)

    def _where(self) -> str:
        line = self.chosen
        number = line.spoken.number if line and line.spoken else 0
        last = self.timeline.spoken[-1].number if self.timeline and self.timeline.spoken else 0
        # one that is held comes after the last
        return f"{number} of {max(number, last)}"


def as_json(said: Message | Shape) -> str:
    """A message as one would send it again, or its row, as the daemon said it."""
    return exact_numbers.text(plain(said), 2)
