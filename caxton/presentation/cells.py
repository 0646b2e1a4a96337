"""Text in so many cells of a terminal: the one way in which tables, diagrams and the terminal interface cut and fill.

In: text that is safe to show. Out: the same in a width. Widths are cells as terminals count them: a wide character is
two, a combining one none, an emoji of several signs one emoji. None of these is cut in two.
"""

from __future__ import annotations

from rich.cells import cell_len, split_graphemes


def cut(text: str, width: int, mark: str = "…", *, middle: bool = False) -> str:
    """The text in at most so many cells; a cut one has the mark at its end or in its middle."""
    if cell_len(text) <= width:
        return text
    room = width - cell_len(mark)
    if room <= 0:
        return mark[: max(width, 0)]
    spans, _ = split_graphemes(text)
    tail_room = room * 2 // 3 if middle else 0
    head = tail = 0
    used = 0
    while used + spans[head][2] <= room - tail_room:
        used += spans[head][2]
        head += 1
    used = 0
    while tail_room and used + spans[-1 - tail][2] <= tail_room:
        used += spans[-1 - tail][2]
        tail += 1
    end = text[spans[-tail][0] :] if tail else ""
    return text[: spans[head][0]] + mark + end


def fitted(text: str, room: int, mark: str = "…", *, middle: bool = False) -> str:
    """The text in exactly so many cells, cut where it is too long; negative: to the right."""
    text = cut(text, abs(room), mark, middle=middle)
    space = " " * (abs(room) - cell_len(text))
    return space + text if room < 0 else text + space
