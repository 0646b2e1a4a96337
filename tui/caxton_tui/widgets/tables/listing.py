"""A list of lines that is painted line by line, however long it is and however fast it changes.

In: how many rows there are and the text of one of them. Out: only what is on screen is ever made, about forty strips
a frame. A widget for each row, or Textual's own table, does not reach a hundredth of the rate (docs/tui.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from caxton.finding import Filter
from caxton_tui.keys import hidden_key, key
from caxton_tui.widgets.tables.columns import Part, Piece, spaced
from caxton_tui.widgets.typed_app import typed_app

HEAD: Final = 1
"""Lines above the rows that do not scroll: the headings."""
RIGHT: Final = 3
"""The mouse's button."""


class _OfListing(Message):
    def __init__(self, listing: Listing) -> None:
        super().__init__()
        self.listing = listing

    @property
    def control(self) -> Listing:
        """The listing, for `on` with a selector."""
        return self.listing


class Listing(ScrollView, can_focus=True):
    """The base of all lists: a cursor, headings, rows on demand. A row's number is its place from the top."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "listing--head",
        "listing--cursor",
        "listing--dim",
        "listing--good",
        "listing--ask",
        "listing--offer",
        "listing--warn",
        "listing--bad",
        "listing--name",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        hidden_key("up,k", "move(-1)", "list.up", "Up"),
        hidden_key("down,j", "move(1)", "list.down", "Down"),
        hidden_key("pageup", "page(-1)", "list.page_up", "Page up"),
        hidden_key("pagedown", "page(1)", "list.page_down", "Page down"),
        hidden_key("home,g", "edge(-1)", "list.first", "First"),
        hidden_key("end,G", "edge(1)", "list.last", "Last"),
        key("enter", "choose", "list.choose", "Open"),
        key(
            "n",
            "problem(1)",
            "list.problem",
            "Problem",
            "The next problem; while a text is looked for, the next place",
        ),
        hidden_key("N", "problem(-1)", "list.problem_before", "Problem before"),
    ]

    class Moved(_OfListing):
        """The cursor stands on another row."""

    class Chosen(_OfListing):
        """Enter, or a click on the row under the cursor."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.cursor: int | None = None
        """The row under the cursor; None: no row."""
        self._plain = Style.null()
        """The style of the whole box, for the paint under way."""

    # what a listing says about itself

    @property
    def total(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def heading(self, width: int) -> list[Part]:
        """The columns of the headings."""
        raise NotImplementedError

    def row(self, number: int, width: int) -> list[Part]:
        """The columns of one row."""
        raise NotImplementedError

    def problem(self, number: int) -> bool:
        """Whether a row says that something went wrong."""
        return False

    @property
    def copied(self) -> str:
        """What a person who copies the row under the cursor wants to have."""
        return ""

    @property
    def plain(self) -> str:
        """The rows as text, at most 2,000 from the first on screen."""
        width = self.width
        rows = range(self.top, min(self.total, self.top + 2_000))
        lines = [self.head_pieces(width), *(self.pieces(number, width) for number in rows)]
        return "\n".join("".join(text for text, _ in pieces).rstrip() for pieces in lines)

    def narrow(self, wanted: Filter | None) -> None:
        """Show only the rows that pass; a listing whose rows belong together shows all of them."""

    @property
    def wanted(self) -> Filter | None:
        """The filter in force."""
        return None

    @property
    def empty(self) -> str:
        """What to say, and what to do next, where there is no row."""
        return ""

    def head_pieces(self, width: int) -> list[Piece]:
        """The headings as they are painted, one cell less than `width`."""
        return spaced(self.heading(width), width - 1)

    def pieces(self, number: int, width: int) -> list[Piece]:
        """A row as it is painted, one cell less than `width`."""
        return spaced(self.row(number, width), width - 1)

    def painted(self, number: int, width: int) -> list[Piece]:
        """A row on screen, with what is marked in it now."""
        return self.pieces(number, width)

    # painting

    @property
    def width(self) -> int:
        """Cells of a line, without the scroll bar."""
        return self.scrollable_content_region.width

    @property
    def room(self) -> int:
        """How many rows fit."""
        return max(self.size.height - HEAD, 1)

    @property
    def top(self) -> int:
        """The first row on screen."""
        return self.scroll_offset.y

    def fit(self) -> None:
        """Take the number of rows as it is now."""
        before = self.virtual_size
        # out of sight it has no width; it comes back with the one that it had, or hears of another
        size = Size(self.width or before.width, self.total + HEAD)
        if size == before:
            return
        height = self.size.height
        if (
            size.width == before.width
            and before.height > height < size.height
            and self.show_vertical_scrollbar
        ):
            # the scroll bar was there and stays: nothing has another place, and a layout costs as much as a screen
            self.set_reactive(ScrollView.virtual_size, size)  # pyright: ignore[reportArgumentType]
            self.vertical_scrollbar.window_virtual_size = size.height
        else:
            self.virtual_size = size

    def show_row(self, number: int) -> None:
        """Scroll as little as needed to have a row on screen."""
        if number < self.top:
            self.scroll_to(y=number, animate=False, force=True, immediate=True)
        elif number >= self.top + self.room:
            self.scroll_to(y=number - self.room + 1, animate=False, force=True, immediate=True)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Some lines of the screen; what is the same for all of them is found out once, for that is a fifth of it."""
        self._plain = self.rich_style
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        width = self.width
        if y < HEAD:
            return self._strip(self.head_pieces(width), width, "listing--head")
        number = self.top + y - HEAD
        if number >= self.total:
            lines = self.empty.split("\n") if not self.total and not self.top else []
            if 0 <= number - 1 < len(lines):
                return self._strip([(f" {lines[number - 1]}", "listing--dim")], width, "")
            return Strip.blank(width, self._plain)
        chosen = number == self.cursor and self.has_focus
        marked = "listing--cursor" if chosen else ""
        return self._strip(self.painted(number, width), width, marked, mark=number == self.cursor)

    def _strip(self, pieces: Iterable[Piece], width: int, whole: str, mark: bool = False) -> Strip:
        under = self.get_component_rich_style(whole) if whole else self._plain
        # a sign, for a cursor that is only a colour is none to many eyes
        text, style = ("▌" if mark else " "), under
        segments: list[Segment] = []
        for said, name in pieces:
            own = self.get_component_rich_style(name) if name and not whole else under
            if own is not style:
                # Textual's work grows with the segments, so neighbours of one style are one
                segments.append(Segment(text, style))
                text, style = "", own
            text += said
        segments.append(Segment(text, style))
        return Strip(segments).adjust_cell_length(width, under)

    # moving

    def action_move(self, by: int) -> None:
        """The cursor some rows on."""
        if self.total:
            start = self._entry(by)
            self.put(start if self.cursor is None else self.cursor + by)

    def action_page(self, by: int) -> None:
        """The cursor a screen on."""
        if self.total:
            self.put((self._entry(by) if self.cursor is None else self.cursor) + by * self.room)

    def action_edge(self, where: int) -> None:
        """The cursor on the first or last row."""
        if self.total:
            self.put(0 if where < 0 else self.total - 1)

    def action_choose(self) -> None:
        """Say that the row is wanted; without a cursor the last one on screen."""
        if not self.total:
            return
        if self.cursor is None:
            self.put(self._entry(-1))
        self.post_message(self.Chosen(self))

    def action_problem(self, by: int) -> None:
        """The cursor on the next row that says that something went wrong; a bell where there is none."""
        start = (-1 if by > 0 else self.total) if self.cursor is None else self.cursor
        row = start + by
        while 0 <= row < self.total:
            if self.problem(row):
                self.put(row)
                return
            row += by
        typed_app(self).bell()
        self.notify("no problem after here" if by > 0 else "no problem before here", timeout=2)

    def put(self, number: int) -> None:
        """Put the cursor on a row, or on the nearest there is."""
        before, top = self.cursor, self.top
        self.cursor = max(0, min(number, self.total - 1))
        self.show_row(self.cursor)
        if self.top == top and before is not None:
            # two lines are painted in a fifth of the time of a screen
            for row in {before, self.cursor}:
                self.refresh(Region(0, HEAD + row - top, self.size.width, 1))
        else:
            self.refresh()
        self.post_message(self.Moved(self))

    def on_resize(self) -> None:
        """Keep the cursor on screen."""
        self.fit()
        if self.cursor is not None:
            self.show_row(self.cursor)

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor there; on the cursor it chooses."""
        place = event.get_content_offset(self)
        if place is None:
            return
        if place.y < HEAD:
            self.clicked_head(place.x - 1)
            return
        number = self.top + place.y - HEAD
        if number < self.total:
            again = number == self.cursor
            self.put(number)
            if event.button == RIGHT:
                # all that can be done with the row, by words
                self.call_later(typed_app(self).run_action, "palette", self.screen)
            elif again:
                self.action_choose()

    def clicked_head(self, x: int) -> None:
        """The headings were clicked, in that cell."""

    def _entry(self, by: int) -> int:
        """Where the cursor comes in: at the top of the screen, or, backwards, at its end."""
        return min(self.top + self.room, self.total) - 1 if by < 0 else self.top
