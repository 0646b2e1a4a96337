"""How a list is looked at: the same options on every command that lists something.

    @app.command("list")
    @list_view.options
    def list_things(view: ListView, project: Project = None) -> None:
        with connection.client(project) as caxton:
            view.show(caxton.things, COLUMNS, "no things")

In: what to list, asked for again at every look. Out: JSON, CSV, or columns as they fit the terminal.
"""

from __future__ import annotations

import csv
import inspect
import io
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer

from caxton.cli.lazy import lazy
from caxton.cli.options import Format, ListFormat, ListOutput
from caxton.cli.output.printing import Columns, listing, paint, say, table, talk
from caxton.errors import ConfigurationError
from caxton.presentation.text import safe
from caxton.schemas.shape import text_of

if TYPE_CHECKING:
    from caxton.cli.output import columns as layout
else:
    (layout,) = lazy("caxton.cli.output.columns")

T = TypeVar("T")

EVERY_S: Final = 2.0
"""How often a watched list is looked at."""

ColumnNames = Annotated[
    str, typer.Option("--columns", metavar="NAME[,NAME]", help="Only these columns, in this order.")
]
Sort = Annotated[
    str, typer.Option("--sort", metavar="COLUMN", help="Sort by that column; -COLUMN: the largest first.")
]
NoHeaders = Annotated[bool, typer.Option("--no-headers", help="Leave the line of headings out.")]
Watch = Annotated[
    bool, typer.Option("--watch", "-w", help="Look again every 2 s and show what changed; ends with Ctrl-C.")
]


@dataclass(frozen=True, slots=True)
class ListView:
    """How one list is to be shown."""

    output: ListFormat = ListFormat.TEXT
    columns: str = ""
    sort: str = ""
    no_headers: bool = False
    watch: bool = False

    def show(
        self,
        ask: Callable[[], Iterable[T]],
        columns: Columns[T],
        empty: str,
        limit: int | None = None,
        kept: str = "newest",
    ) -> None:
        """Print what `ask` answers, once, or again whenever it has changed; `empty` is said when there is nothing.

        `limit`: how many `ask` answers at most, the `kept` ones; that it may have left some out is said.
        """
        made = [layout.column_of(one) for one in columns]
        chosen = _chosen(made, self.columns)
        key = _sort_key(made, self.sort)
        if not self.watch:
            items = _sorted(ask(), key)
            self._print(items, chosen, empty)
            if limit is not None and len(items) >= limit:
                talk(f"the {kept} {limit:,}; if there are more, --limit {limit * 10} shows them")
            return
        self._watched(lambda: _sorted(ask(), key), chosen, empty)

    def _print(self, items: Sequence[T], columns: Sequence[layout.Column[T]], empty: str) -> None:
        if self.output is ListFormat.CSV:
            rows = [[_csv_cell(one.of(item)) for one in columns] for item in items]
            say(_csv(rows if self.no_headers else [[one.heading for one in columns], *rows]))
        elif self.output is ListFormat.TEXT and items and self.no_headers:
            say("\n".join(table(items, columns, headings=False)))
        else:
            listing(items, Format(self.output), columns, empty)

    def _watched(
        self, ask: Callable[[], Sequence[T]], columns: Sequence[layout.Column[T]], empty: str
    ) -> None:
        redrawn = self.output is ListFormat.TEXT and sys.stdout.isatty()
        last: Sequence[T] | None = None
        while True:
            items = ask()
            if redrawn:
                _redraw(table(items, columns, headings=not self.no_headers) if items else [empty])
            elif items != last:
                self._print(items, columns, empty)
            last = items
            time.sleep(EVERY_S)


def options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a list; its parameter `view` gets what was said."""
    signature = inspect.signature(command, eval_str=True)
    ours = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, annotation, default in (
            ("output", ListOutput, ListFormat.TEXT),
            ("columns", ColumnNames, ""),
            ("sort", Sort, ""),
            ("no_headers", NoHeaders, False),
            ("watch", Watch, False),
        )
    ]
    theirs = [
        one.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for one in signature.parameters.values()
        if one.name != "view"
    ]

    @wraps(command)
    def listed(**said: Any) -> None:
        view = ListView(**{one.name: said.pop(one.name) for one in ours})
        command(view=view, **said)

    listed.__signature__ = signature.replace(parameters=[*theirs, *ours])  # type: ignore[attr-defined]
    listed.__annotations__ = {one.name: one.annotation for one in (*theirs, *ours)}
    return listed


def _chosen(columns: Sequence[layout.Column[T]], names: str) -> Sequence[layout.Column[T]]:
    return [_named(columns, name, "--columns") for name in names.split(",") if name.strip()] or columns


def _sort_key(columns: Sequence[layout.Column[T]], name: str) -> tuple[layout.Column[T], bool] | None:
    if not name:
        return None
    return _named(columns, name.removeprefix("-"), "--sort"), name.startswith("-")


def _named(columns: Sequence[layout.Column[T]], name: str, option: str) -> layout.Column[T]:
    wanted = _plain(name)
    found = next((one for one in columns if _plain(one.heading) == wanted), None)
    if found is None:
        names = ", ".join(_plain(one.heading) for one in columns)
        raise ConfigurationError(
            f"{option}: there is no column {name.strip()!r}", hint=f"columns are {names}"
        )
    return found


def _plain(heading: str) -> str:
    return heading.strip().casefold().replace(" ", "-").replace("_", "-")


def _sorted(items: Iterable[T], key: tuple[layout.Column[T], bool] | None) -> list[T]:
    if key is None:
        return list(items)
    column, largest_first = key
    return sorted(items, key=lambda item: _rank(column.of(item)), reverse=largest_first)


def _rank(value: object) -> tuple[int, float, str]:
    """Nothing before figures and times, those before words."""
    match value:
        case None | "":
            return 0, 0.0, ""
        case bool() | int() | float():
            return 1, float(value), ""
        case datetime():
            return 1, value.timestamp(), ""
        case _:
            return 2, 0.0, str(value).casefold()


def _csv(rows: Sequence[Sequence[str]]) -> str:
    """Lines as RFC 4180 has them, but for their ends."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(rows)
    return written.getvalue().removesuffix("\n")


def _csv_cell(value: object) -> str:
    """What stands in a cell: nothing, a time in ISO 8601, or the text or figure itself."""
    if isinstance(value, datetime):
        return text_of(value)
    return "" if value is None else safe(str(value))


def _redraw(lines: Sequence[str]) -> None:
    """Show the lines from the top of the terminal; what does not fit is counted."""
    room = shutil.get_terminal_size().lines - 1
    left = len(lines) - room
    if left > 0:
        lines = [*lines[: room - 1], paint(f"… {left + 1:,} more", "dim")]
    sys.stdout.write("\x1b[H" + "".join(f"{line}\x1b[K\n" for line in lines) + "\x1b[J")
    sys.stdout.flush()
