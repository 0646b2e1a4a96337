"""Text in columns of so many cells, for lists that are painted line by line.

In: texts with their widths. Out: pieces of one line, cut with `…` where they are too long.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.cells import split_graphemes
from rich.table import Table
from rich.text import Text

from caxton.presentation.cells import fitted

Part = tuple[str, int, str]
"""A column of a line: its text, its width in cells (negative: to the right), and its component class or nothing."""

Piece = tuple[str, str]
"""Text as it is painted, and its component class or nothing."""


def spaced(parts: Iterable[Part], room: int) -> list[Piece]:
    """Columns with a space between them, in so many cells."""
    pieces: list[Piece] = []
    left = room
    for said, width, name in parts:
        if left <= 0:
            break
        width = max(-left, min(width, left))
        text = fitted(said, width)
        left -= abs(width)
        if left > 0:
            text += " "
            left -= 1
        pieces.append((text, name))
    return pieces


def column_at(parts: Iterable[Part], x: int) -> int | None:
    """Which of the columns stands at that cell of the line; None behind the last."""
    left = x
    for place, (_, width, _) in enumerate(parts):
        left -= abs(width) + 1
        if left < 0:
            return place
    return None


def marked(pieces: Iterable[Piece], text: str, name: str) -> list[Piece]:
    """The pieces with every place of that text as a piece of its own, of that class; case does not matter."""
    pattern = re.compile(f"({re.escape(text)})", re.IGNORECASE)
    found: list[Piece] = []
    for said, own in pieces:
        parts = pattern.split(said)
        found += [(part, name if place % 2 else own) for place, part in enumerate(parts) if part]
    return found


def wrapped(pieces: Iterable[Piece], room: int) -> list[list[Piece]]:
    """The pieces over as many lines as they take, each of at most so many cells."""
    lines: list[list[Piece]] = [[]]
    taken = 0
    for said, name in pieces:
        begun = 0
        # a character with what is combined with it stays whole
        for start, _, cells in split_graphemes(said)[0]:
            if taken and taken + cells > room:
                lines[-1].append((said[begun:start], name))
                lines.append([])
                begun, taken = start, 0
            taken += cells
        lines[-1].append((said[begun:], name))
    return [[piece for piece in line if piece[0]] for line in lines]


def fields(rows: Iterable[tuple[str, str, str]], width: int = 0) -> Table:
    """Names, what each says and its style, one under the other; the names at least so many cells wide."""
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True, min_width=width)
    table.add_column(overflow="fold")
    for name, value, style in rows:
        table.add_row(Text(name, "dim"), Text(value, style))
    return table
