"""A listing of things that are looked at again and again: the cursor stays with its thing, columns fit the width.

In: the things as they are now, and columns that know their texts. Out: as many columns as there is room for, the
dearest first; only the things that pass the filter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final, Generic, TypeVar

import msgspec
from textual.binding import BindingType
from textual.message import Message

from caxton.finding import Filter, Subject, WithoutContent
from caxton.presentation.cells import cut
from caxton_tui.keys import hidden_key
from caxton_tui.model.kept_views import KeptViews, TableView
from caxton_tui.widgets.tables.columns import Part, column_at
from caxton_tui.widgets.tables.markable import Markable

T = TypeVar("T")

NAME_ROOM: Final = 12
LONGEST_NAME: Final = 32


def plain_style(_: object) -> str:
    """No style of its own."""
    return ""


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """A column beside the name."""

    heading: str
    width: int
    """In cells; negative: to the right."""
    rank: int
    """The higher, the sooner it is left out where there is no room."""
    text: Callable[[T], str]
    style: Callable[[T], str] = plain_style
    sparse: bool = False
    """It is there only while it says something of one of the things."""
    order: Callable[[T], Any] | None = None
    """What it is sorted by; without it by its text."""

    def place(self, thing: T) -> Any:
        """Where the thing stands among others, sorted by this column."""
        return self.text(thing).casefold() if self.order is None else self.order(thing)


@dataclass(frozen=True, slots=True)
class FieldSubject(WithoutContent):
    """A thing as a filter sees it: what bare words are looked for in, and what its fields hold."""

    parts: Sequence[str]
    fields: Mapping[str, Sequence[str]]
    at: datetime | None = None

    @property
    def everything(self) -> str:
        """All that a bare word is looked for in, in lower case."""
        return "\n".join(self.parts).casefold()

    def texts(self, field: str) -> Sequence[str]:
        """What that field holds."""
        return self.fields.get(field, ())

    def figures(self, field: str) -> Sequence[float]:
        """When it was, in seconds since 1970, where it has a time."""
        return () if self.at is None or field not in ("since", "before") else (self.at.timestamp(),)


class Table(Markable, Generic[T]):
    """Things by their names. Subclasses say what a thing's key, name and subject are, and when it is a problem."""

    NAME: str = "NAME"
    LONGEST: int = LONGEST_NAME
    BINDINGS: ClassVar[list[BindingType]] = [
        hidden_key("C", "columns", "table.columns", "Columns", "Which columns, and by which it is sorted"),
    ]

    class Arrange(Message):
        """The operator wants other columns, or another order."""

        def __init__(self, table: Table[Any]) -> None:
            super().__init__()
            self.table = table

    def __init__(self, columns: Sequence[Column[T]], kept: KeptViews, *, id: str) -> None:
        super().__init__(id=id)
        self._columns = tuple(columns)
        self._kept = kept
        self.view = kept.table(id)
        """Columns that are left out, and by which it is sorted."""
        self._present = self._columns
        self._all: Sequence[T] = ()
        self._shown: Sequence[T] = ()
        self._wanted: Filter | None = None
        self._painted_beside: object = None

    def key(self, thing: T) -> str:
        """What tells a thing from the others."""
        raise NotImplementedError

    def name_of(self, thing: T) -> str:
        """The first column."""
        raise NotImplementedError

    def subject(self, thing: T) -> Subject:
        """What a filter looks at."""
        raise NotImplementedError

    def troubled(self, thing: T) -> bool:
        """Whether something is wrong with it."""
        return False

    def arranged(self, things: Sequence[T]) -> Sequence[T]:
        """The things in their order while they are sorted by no column."""
        return things

    @property
    def beside(self) -> object:
        """What the rows show that does not stand in the things: when it is another, they are painted anew."""
        return None

    @property
    def total(self) -> int:
        """How many pass."""
        return len(self._shown)

    @property
    def things(self) -> Sequence[T]:
        """Those that pass."""
        return self._shown

    @property
    def foremost(self) -> int:
        """The thing that is shown beside the list while there is no cursor, by its place."""
        return 0

    @property
    def chosen(self) -> T | None:
        """The thing under the cursor, or else the foremost."""
        place = self.foremost if self.cursor is None else self.cursor
        return self._shown[place] if place < len(self._shown) else None

    @property
    def wanted(self) -> Filter | None:
        """The filter in force."""
        return self._wanted

    def problem(self, number: int) -> bool:
        """Whether something is wrong with that thing."""
        return self.troubled(self._shown[number])

    def mark_of(self, number: int) -> str:
        """The thing's key."""
        return self.key(self._shown[number])

    @property
    def meant(self) -> Sequence[T]:
        """The things that are marked, else the one at the cursor or the foremost."""
        chosen = self.chosen
        return [self._shown[row] for row in self.marked] or ([] if chosen is None else [chosen])

    @property
    def copied(self) -> str:
        """The key of the thing under the cursor."""
        thing = self.chosen
        return "" if thing is None else self.key(thing)

    def action_choose(self) -> None:
        """Say that the thing is wanted; without a cursor the one that is shown."""
        if self.cursor is None and self.total:
            self.put(self.foremost)
        super().action_choose()

    def narrow(self, wanted: Filter | None) -> None:
        """Show only the things that pass."""
        self._wanted = wanted or None
        self.take(self._all, again=True)

    def take(self, things: Sequence[T], *, again: bool = False) -> None:
        """Show these things; the cursor stays on the thing that it stood on."""
        beside = self.beside
        if things is self._all and not again and self.virtual_size.width == self.width:
            if beside != self._painted_beside:
                self._painted_beside = beside
                self.refresh()
            return
        self._painted_beside = beside
        on = self._shown[self.cursor] if self.cursor is not None and self.cursor < self.total else None
        self._all = things
        wanted = self._wanted
        self._shown = self._sorted(
            things if wanted is None else [one for one in things if wanted.passes(self.subject(one))]
        )
        self._present = tuple(
            one
            for one in self._columns
            if one.heading not in self.view.hidden and (not one.sparse or any(map(one.text, self._shown)))
        )
        self.fit()
        if on is not None:
            key = self.key(on)
            self.cursor = next((n for n, one in enumerate(self._shown) if self.key(one) == key), None)
            if self.cursor is not None:
                self.show_row(self.cursor)
        self.refresh()

    # order and columns

    @property
    def headings(self) -> Sequence[str]:
        """All columns there are, the name first."""
        return (self.NAME, *(column.heading for column in self._columns))

    def sort_by(self, heading: str) -> None:
        """Sort by that column, figures the largest first; once more the other way, and then not at all."""
        view, figures = self.view, any(one.heading == heading and one.width < 0 for one in self._columns)
        if view.sort != heading:
            sort, descending = heading, figures
        elif view.descending is figures:
            sort, descending = heading, not figures
        else:
            sort, descending = "", False
        self._arrange(msgspec.structs.replace(view, sort=sort, descending=descending))

    def toggle_column(self, heading: str) -> None:
        """Leave that column out, or show it again; the name stays."""
        hidden = set(self.view.hidden) ^ ({heading} - {self.NAME})
        self._arrange(msgspec.structs.replace(self.view, hidden=tuple(sorted(hidden))))

    def _arrange(self, view: TableView) -> None:
        self.view = view
        self._kept.keep_table(str(self.id), view)
        self.take(self._all, again=True)

    def _sorted(self, things: Sequence[T]) -> Sequence[T]:
        sort = self.view.sort
        place = next((one.place for one in self._columns if one.heading == sort), None)
        if sort == self.NAME:
            place = self.key
        return (
            self.arranged(things)
            if place is None
            else sorted(things, key=place, reverse=self.view.descending)
        )

    def action_columns(self) -> None:
        """Have columns and order chosen."""
        self.post_message(self.Arrange(self))

    def clicked_head(self, x: int) -> None:
        """Sort by the column whose heading was clicked."""
        place = column_at(self.heading(self.width), x)
        _, columns = self._fitting(self.width)
        headings = [self.NAME, *(column.heading for column in columns)]
        if place is not None:
            self.sort_by(headings[place])

    def _head(self, heading: str, width: int) -> Part:
        """A heading, with the way that it is sorted."""
        if heading != self.view.sort:
            return heading, width, ""
        return heading[: abs(width) - 1] + ("↓" if self.view.descending else "↑"), width, ""

    def heading(self, width: int) -> list[Part]:
        """The columns' names."""
        name, columns = self._fitting(width)
        return [self._head(self.NAME, name), *(self._head(one.heading, one.width) for one in columns)]

    def row(self, number: int, width: int) -> list[Part]:
        """One thing."""
        thing = self._shown[number]
        name, columns = self._fitting(width)
        return [
            # names begin alike, and what tells them apart stands at their ends
            (cut(self.name_of(thing), name, middle=True), name, "listing--name"),
            *((column.text(thing), column.width, column.style(thing)) for column in columns),
        ]

    def _fitting(self, width: int) -> tuple[int, list[Column[T]]]:
        """The room for the name, and the columns that fit beside it, in their order."""
        columns = list(self._present)
        while columns:
            taken = sum(abs(column.width) + 1 for column in columns) + 1
            if width - taken >= NAME_ROOM:
                return min(width - taken, self.LONGEST), columns
            columns.remove(max(columns, key=lambda column: column.rank))
        return max(width - 1, 1), columns
