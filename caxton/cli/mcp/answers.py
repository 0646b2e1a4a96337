"""What a tool answers: text that a model can afford to read, and how to get the rest.

In: lines, and the number of the first one that is wanted. Out: as many of them as fit into 4,000 characters; where
there are more, the last line names the cursor with which the tool goes on.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

MOST: Final = 4000
"""Characters of an answer, at most: context is what users of such servers run out of."""
_ROOM: Final = MOST - 100
_LINE: Final = 1000
"""Characters of one line, at most."""


def bounded(lines: Iterable[str], cursor: int = 0, nothing: str = "nothing") -> str:
    """The lines from number `cursor` on, as many as fit; `nothing` where there are none."""
    kept: list[str] = []
    length = 0
    for number, line in enumerate(islice(lines, cursor, None), cursor):
        shown = line if len(line) <= _LINE else f"{line[: _LINE - 40]}… ({len(line):,} characters)"
        length += len(shown) + 1
        if length > _ROOM:
            kept.append(f"more: call again with cursor={number}")
            break
        kept.append(shown)
    return "\n".join(kept) if kept else nothing
