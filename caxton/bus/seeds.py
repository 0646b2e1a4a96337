"""What the randomness of agents is drawn from: a seed, the agent, and the number of its turn.

In: the seeds that have held, each from a place of turns on. Out: the head that a message has for a guest that may draw:
the number of its turn, and which seed held then. A turn of a version that gave no numbers has no head:
what it drew followed from its message (sandbox/components/wasi_stubs.py).
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

import msgspec

from caxton.journal import Batch

KEY: Final = "seeds"
"""Where the journal has them."""

_read_rows = msgspec.json.Decoder(list[tuple[int, str]]).decode


class Seeds:
    """Those of one journal, in order; `stored` is what it has of them."""

    def __init__(self, stored: str | None = None) -> None:
        self._rows = _read_rows(stored) if stored else [(0, "")]

    @property
    def texts(self) -> tuple[str, ...]:
        """Each seed, the one that holds now last."""
        return tuple(text for _, text in self._rows)

    def hold(self, text: str, after: int, batch: Batch) -> None:
        """That seed holds from here on, for turns in places after that one."""
        if self._rows[-1][1] != text:
            self._rows.append((after, text))
            batch.meta(KEY, msgspec.json.encode(self._rows).decode())

    def head(self, number: int, place: int) -> bytes:
        """The head of a message for the turn of that number, in that place; empty where it has none."""
        if not number:
            return b""
        return b"%d.%d" % (number, bisect_left(self._rows, (place, "")) - 1)
