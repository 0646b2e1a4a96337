"""A listing of which several rows can be marked, to do the same with all of them.

In: the key that marks. Out: a sign before marked rows, which stay marked while they are in the list.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar

from textual.binding import BindingType

from caxton_tui.keys import hidden_key
from caxton_tui.widgets.tables.columns import Piece
from caxton_tui.widgets.tables.listing import Listing

SIGN = "✓ "


class Markable(Listing):
    """Rows that can be marked."""

    BINDINGS: ClassVar[list[BindingType]] = [
        hidden_key("space", "mark", "mark.row", "Mark", "Mark the row, or not, and go on to the next"),
    ]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._marks: set[Hashable] = set()

    def mark_of(self, number: int) -> Hashable:
        """What tells a row from the others."""
        raise NotImplementedError

    @property
    def marked(self) -> Sequence[int]:
        """The rows that are marked."""
        return [row for row in range(self.total) if self.mark_of(row) in self._marks] if self._marks else []

    def unmark(self) -> None:
        """Nothing is marked any more."""
        self._marks.clear()
        self.refresh()

    def action_mark(self) -> None:
        """Mark the row at the cursor, or take its mark away, and go on."""
        if not self.total:
            return
        if self.cursor is None:
            self.put(0)
        row = self.cursor or 0
        self._marks ^= {self.mark_of(row)}
        self.put(row + 1)
        self.refresh()

    def head_pieces(self, width: int) -> list[Piece]:
        """The headings, after the room for the sign where something is marked."""
        room = len(SIGN) if self._marks else 0
        return [(" " * room, ""), *super().head_pieces(width - room)]

    def pieces(self, number: int, width: int) -> list[Piece]:
        """A row, with the sign before it where it is marked."""
        if not self._marks:
            return super().pieces(number, width)
        sign = SIGN if self.mark_of(number) in self._marks else " " * len(SIGN)
        return [(sign, "listing--name"), *super().pieces(number, width - len(SIGN))]
