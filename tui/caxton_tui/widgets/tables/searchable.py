"""A listing in which a text can be looked for: in a diagram, in a message.

In: a text. Out: the cursor on the next row that holds it, the places marked; `n` and `N` go on while it is looked for.
"""

from __future__ import annotations

from typing import ClassVar

from caxton_tui.widgets.tables.columns import Piece, marked
from caxton_tui.widgets.tables.listing import Listing
from caxton_tui.widgets.typed_app import typed_app


class Searchable(Listing):
    """Rows that can be looked through."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"listing--found"}

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.sought = ""
        """What is looked for; empty: nothing."""

    def searched(self, number: int) -> str:
        """All that a row is about, where more than it shows."""
        return "".join(text for text, _ in self.pieces(number, self.width))

    def prepare(self) -> None:
        """Something is looked for: what is folded has to be seen."""

    @property
    def found(self) -> list[int]:
        """The rows that hold what is looked for."""
        sought = self.sought.casefold()
        return [row for row in range(self.total) if sought in self.searched(row).casefold()] if sought else []

    @property
    def standing(self) -> str:
        """What is looked for, at which of the places the cursor stands, and how many there are."""
        found = self.found
        at = f"{found.index(self.cursor) + 1} of " if self.cursor in found else ""
        return f"/{self.sought}  {at}{len(found):,} found"

    def find(self, text: str) -> None:
        """Look for that from the cursor on; for nothing, where it is empty."""
        if text and not self.sought:
            self.prepare()
        self.sought = text
        found = self.found
        if found:
            self.put(next((row for row in found if row >= (self.cursor or 0)), found[0]))
        self.refresh()

    def action_problem(self, by: int) -> None:
        """The next row that holds what is looked for, from the end round to the beginning; else the next problem."""
        if not self.sought:
            super().action_problem(by)
            return
        found = self.found
        if not found:
            typed_app(self).bell()
            return
        at = -1 if self.cursor is None else self.cursor
        if by > 0:
            self.put(next((row for row in found if row > at), found[0]))
        else:
            self.put(next((row for row in reversed(found) if row < at), found[-1]))

    def painted(self, number: int, width: int) -> list[Piece]:
        """The row with the places marked."""
        pieces = super().painted(number, width)
        return marked(pieces, self.sought, "listing--found") if self.sought else pieces
