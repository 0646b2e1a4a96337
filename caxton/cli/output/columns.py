"""Columns of a listing, and how they fit a terminal.

In: what each column says of each item, and the width there is. Out: the columns that stay, and lines that are no
longer than the terminal. Widths are cells, as terminals count them: a wide character is two, a combining one none.

Where there is no room, columns that are empty go first, then those that say the same in every row, then the others
by their rank. Names and ids are cut in the middle, for their beginnings are the same; what stands last is cut at its
end, and keeps 20 cells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar

from caxton.cli.lazy import lazy
from caxton.presentation.text import safe
from caxton.presentation.times import local_time

if TYPE_CHECKING:
    from rich import cells as rich_cells

    from caxton.presentation import cells as in_cells
else:
    rich_cells, in_cells = lazy("rich.cells", "caxton.presentation.cells")

T = TypeVar("T")

GAP: Final = 2
NAME_ROOM: Final = 12
"""Cells that a name or an id keeps."""
TEXT_ROOM: Final = 20
"""Cells that the last column keeps, where one looks for it: a content, an error."""


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """A column: its heading, what it says of an item, and how that is written."""

    heading: str
    of: Callable[[T], object]
    """What it is sorted by; with `show` what that becomes."""
    show: Callable[[Any], str] | None = None
    rank: int | None = None
    """The higher, the earlier it goes; 0 stays. Without one its place from the left; the first and the last stay."""


class Cells(NamedTuple):
    """What stands in one column, its heading first."""

    texts: list[str]
    right: bool
    rank: int
    least: int
    last: bool

    @property
    def width(self) -> int:
        """Cells that all of it needs."""
        return max(map(rich_cells.cell_len, self.texts))

    @property
    def empty(self) -> bool:
        """Whether it says nothing at all."""
        return all(text in ("", "-") for text in self.texts[1:])

    @property
    def constant(self) -> bool:
        """Whether it says the same of many."""
        return len(self.texts) > 2 and len(set(self.texts[1:])) == 1

    def placed(self, row: int, width: int, mark: str) -> str:
        """Its text of that row in that width."""
        return in_cells.fitted(self.texts[row], -width if self.right else width, mark, middle=not self.last)


def column_of(one: tuple[str, Callable[[T], object]] | Column[T]) -> Column[T]:
    """A column, also where it is only a heading and what it says."""
    return one if isinstance(one, Column) else Column(*one)


def cells(
    column: Column[T], items: Sequence[T], place: int, many: int, shown: Callable[[str], str] = str
) -> Cells:
    """What stands in that column; `place` from the left, of so `many`; `shown` is what a terminal makes of it."""
    texts = [shown(_text(column, item)) for item in items]
    last = place == many - 1
    rank = column.rank if column.rank is not None else 0 if last else place
    figures = bool(texts) and all(map(_is_figure, texts))
    whole = [column.heading, *texts]
    width = max(map(rich_cells.cell_len, whole))
    room = TEXT_ROOM if last else max(NAME_ROOM, rich_cells.cell_len(column.heading))
    return Cells(whole, figures, rank, width if figures else min(width, room), last)


def fit(columns: Sequence[Cells], room: int) -> list[tuple[Cells, int]]:
    """The columns that stay, each with its width: no line becomes longer than `room`."""
    kept = list(columns)
    if _needed([one.width for one in kept]) > room:
        kept = [one for one in kept if not one.empty or (one.rank == 0 and not one.last)]
    optional = sorted((one for one in kept if one.rank), key=lambda one: -one.rank)
    for one in optional:
        if one.constant and _needed([each.least if each.last else each.width for each in kept]) > room:
            kept.remove(one)
    for one in optional:
        if one in kept and _needed([each.least for each in kept]) > room:
            kept.remove(one)
    return list(zip(kept, _shared(kept, room), strict=True))


def _needed(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _shared(kept: Sequence[Cells], room: int) -> list[int]:
    """The least that each needs; what is left goes to the narrowest that wants more, twice as much to the last."""
    widths = [one.least for one in kept]
    while _needed(widths) > room and max(widths) > 1:
        widths[widths.index(max(widths))] -= 1
    for _ in range(room - _needed(widths)):
        wanting = [n for n, one in enumerate(kept) if widths[n] < one.width]
        if not wanting:
            break
        widths[min(wanting, key=lambda n: widths[n] / (2 if kept[n].last else 1))] += 1
    return widths


def _text(column: Column[Any], item: Any) -> str:
    value = column.of(item)
    if column.show is not None:
        return safe(column.show(value))
    if isinstance(value, datetime):
        return local_time(value)
    return "-" if value is None else safe(value)


def _is_figure(text: str) -> bool:
    bare = text.removesuffix("%").replace(",", "").replace(".", "").removeprefix("-")
    return text == "-" or bare.isdecimal()
