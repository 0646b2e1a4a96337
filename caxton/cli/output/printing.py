"""Printing: data on stdout, talk on stderr, readable without colour.

What guests say is printed here, so every character that a terminal would obey instead of show is made visible
first.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from caxton.cli.lazy import lazy
from caxton.cli.options import Format
from caxton.cli.output.encoding import as_shown
from caxton.presentation.text import isolated
from caxton.presentation.text import memory as memory
from caxton.presentation.text import plural as plural
from caxton.presentation.text import safe as safe
from caxton.presentation.text import size as size
from caxton.presentation.text import span as span

if TYPE_CHECKING:
    from caxton.cli.output import columns as layout
    from caxton.cli.output import json_document
else:
    json_document, layout = lazy("caxton.cli.output.json_document", "caxton.cli.output.columns")

T = TypeVar("T")
Columns = Sequence["tuple[str, Callable[[T], object]] | layout.Column[T]"]
"""Of a listing: each with its heading and what an item shows there; what matters most stands first and last."""

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "magenta": "35"}
_CODES["cyan"] = "36"
_STATES = {
    "running": "green",
    "ready": "green",
    "ok": "green",
    "failed": "red",
    "bad": "red",
    "rolled_back": "red",
    "stopped": "yellow",
    "draining": "yellow",
    "suspended": "yellow",
    "restarting": "yellow",
    "starting": "yellow",
    "warn": "yellow",
    "unloaded": "dim",
}


def colour_wanted(stream: Any = None) -> bool:
    """Whether colours belong on this stream: a terminal, and neither NO_COLOR nor TERM=dumb is set."""
    stream = stream or sys.stdout
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(os.environ.get("FORCE_COLOR")) or stream.isatty()


def paint(text: str, style: str | None, wanted: bool | None = None) -> str:
    """The text in that style (`"bold"`, `"red"`, `"bold cyan"`), or as it is; without `wanted` as stdout wants it."""
    if not style or not (colour_wanted() if wanted is None else wanted):
        return text
    return f"\x1b[{';'.join(_CODES[word] for word in style.split())}m{text}\x1b[0m"


def state_style(state: object) -> str | None:
    """The colour of a state's name."""
    return _STATES.get(str(state))


def talk(text: str) -> None:
    """Say something to the person, on stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def complain(message: str, hint: str | None = None) -> None:
    """Print `error:` and, where there is one, `hint:` on stderr."""
    wanted = colour_wanted(sys.stderr)
    talk(f"{paint('error:', 'bold red', wanted)} {safe(message)}")
    if hint:
        talk(f"{paint('hint:', 'bold cyan', wanted)} {safe(hint)}")


def say(text: str = "") -> None:
    """Print a line of data on stdout."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def document(value: Any, output: Format) -> None:
    """Print one value as JSON: indented for `json`, on one line for `jsonl`."""
    say(json_document.json_document(value, indented=output is not Format.JSONL))


def shown(value: Any, output: Format, lines: Iterable[str]) -> None:
    """Print one value as JSON, or the lines that it makes."""
    if output is not Format.TEXT:
        document(value, output)
        return
    for line in lines:
        say(line)


def told(value: Any, output: Format, sentence: str) -> None:
    """Print one value as JSON, or say on stderr what was done."""
    if output is not Format.TEXT:
        document(value, output)
    else:
        talk(sentence)


def listing(items: Iterable[T], output: Format, columns: Columns[T], empty: str) -> None:
    """Print a JSON array, JSON lines, or aligned columns; `empty` is said when there is nothing."""
    if output is Format.JSONL:
        for item in items:
            document(item, output)
        return
    rows = list(items)
    if output is Format.JSON:
        document(rows, output)
    elif not rows:
        talk(empty)
    else:
        say("\n".join(table(rows, columns)))


def table(
    items: Sequence[T],
    columns: Columns[T],
    style: Callable[[T], str | None] = lambda item: None,
    *,
    headings: bool = True,
) -> list[str]:
    """Lines of aligned columns, figures to the right; in a terminal none is longer than it is wide.

    `style`: of a whole row; without one a state has its colour.
    """
    wanted = colour_wanted()
    found = [
        layout.cells(layout.column_of(column), items, n, len(columns), as_shown)
        for n, column in enumerate(columns)
    ]
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    placed = [(one, one.width) for one in found] if room is None else layout.fit(found, room)
    mark = as_shown("…")[:1]
    # what goes into a file or another program has no marks of direction
    whole_cell = str if room is None else isolated
    lines: list[str] = []
    for n, whole in enumerate(["bold", *map(style, items)]):
        line = "".join(
            paint(whole_cell(one.placed(n, width, mark)), whole or state_style(one.texts[n]), wanted)
            + " " * layout.GAP
            for one, width in placed
        )
        lines.append(line.rstrip())
    return lines if headings else lines[1:]
