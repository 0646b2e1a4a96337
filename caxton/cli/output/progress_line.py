"""One line on stderr that says what is going on while something long is done.

In: what is done, and how far it is. Out: a line that is written over again; where nobody watches, a line for each thing
that begins.
"""

from __future__ import annotations

import sys

from caxton.cli.output.printing import talk

_CELLS = 20


class ProgressLine:
    """Taken away at the end."""

    def __init__(self) -> None:
        self._watched = sys.stderr.isatty()
        self._title = ""

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *failure: object) -> None:
        self.clear()

    def begin(self, title: str) -> None:
        """The next thing begins."""
        self._title = title
        if self._watched:
            self._write(title)
        else:
            talk(f"{title} …")

    def show(self, what: str, part: float) -> None:
        """How far it is, 0 to 1."""
        done = int(max(0.0, min(1.0, part)) * _CELLS)
        self._write(f"{self._title}  [{'#' * done}{'.' * (_CELLS - done)}] {what}")

    def clear(self) -> None:
        """Take the line away."""
        self._write("")

    def _write(self, text: str) -> None:
        if self._watched:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
