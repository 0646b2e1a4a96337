"""Which columns a list has, and by which it is sorted.

In: the list. Out: the same list, shown otherwise; what is chosen is kept over starts.
"""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from caxton_tui.keys import key
from caxton_tui.widgets.tables.columns import Part
from caxton_tui.widgets.tables.listing import Listing
from caxton_tui.widgets.tables.table import Table
from caxton_tui.widgets.typed_app import key_for


class ColumnList(Listing):
    """The columns of a list, a line each."""

    def __init__(self, table: Table[Any]) -> None:
        super().__init__(id="column-list")
        self._table = table

    @property
    def total(self) -> int:
        """Columns."""
        return len(self._table.headings)

    @property
    def chosen(self) -> str:
        """The one at the cursor."""
        return self._table.headings[self.cursor or 0]

    def heading(self, width: int) -> list[Part]:
        """What the columns of this box are."""
        return [("SHOWN", 5, ""), ("COLUMN", 16, ""), ("SORTED", 16, "")]

    def row(self, number: int, width: int) -> list[Part]:
        """One column."""
        heading, view = self._table.headings[number], self._table.view
        shown = "" if heading in view.hidden else "✓"
        way = "largest first ↓" if view.descending else "smallest first ↑"
        return [(shown, 5, ""), (heading, 16, ""), (way if heading == view.sort else "", 16, "")]


class ColumnsScreen(ModalScreen[None]):
    """The box over the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("escape,C", "dismiss(None)", "columns.close", "Close"),
        key("space", "show", "columns.show", "Show", "Show the column, or leave it out"),
        key("s", "sort", "columns.sort", "Sort", "Sort by it; again: the other way; then not at all"),
    ]

    def __init__(self, table: Table[Any]) -> None:
        super().__init__()
        self._table = table

    def compose(self) -> ComposeResult:
        """The columns."""
        with Vertical(classes="box"):
            yield ColumnList(self._table)

    def on_mount(self) -> None:
        """Name the box."""
        box = self.query_one(".box")
        box.border_title = "Columns"
        words = [f"{key_for(self, f'columns.{do}')} {do}" for do in ("show", "sort", "close")]
        box.border_subtitle = " · ".join(words)
        self.list.put(0)

    @property
    def list(self) -> ColumnList:
        """The columns."""
        return self.query_one(ColumnList)

    def action_show(self) -> None:
        """Show the column, or leave it out."""
        self._table.toggle_column(self.list.chosen)
        self.list.refresh()

    @on(Listing.Chosen)
    def action_sort(self) -> None:
        """Sort by the column."""
        self._table.sort_by(self.list.chosen)
        self.list.refresh()
