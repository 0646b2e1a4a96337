"""One line on stderr that says what is going on while something long is done.

In: what is done, and how far it is. Out: a line that is written over again; where nobody watches, a line for each thing
that begins.
"""

from __future__ import annotations

import shutil
import sys

from caxton.cli.output.printing import talk

_CELLS = 12


class ProgressLine:
    """Taken away at the end."""

    def __init__(self) -> None:
        self._watched = sys.stderr.isatty()
        self._title = ""

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *failure: object) -> None:
        self.clear()

    def begin(self, title: str, what: str = "") -> None:
        """The next thing begins; `what`: what is known of it."""
        self._title = title
        text = f"{title}, {what}" if what else title
        if self._watched:
            self._write(text)
        else:
            talk(f"{text} …")

    def show(self, what: str, part: float) -> None:
        """How far it is, 0 to 1."""
        done = int(max(0.0, min(1.0, part)) * _CELLS)
        self._write(f"{self._title}{'  ' if self._title else ''}[{'#' * done}{'.' * (_CELLS - done)}] {what}")

    def clear(self) -> None:
        """Take the line away."""
        self._write("")

    def _write(self, text: str) -> None:
        if self._watched:
            # a line that is longer than the terminal cannot be written over
            room = shutil.get_terminal_size().columns - 1
            sys.stderr.write(f"\r\x1b[K{text[:room]}")
            sys.stderr.flush()
