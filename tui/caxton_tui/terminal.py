"""The terminal under the app, which may vanish: a window that is closed, a connection that breaks.

In: the stream that Textual writes to. Out: one that goes on without a terminal, and the word that it is gone.
A window that closes mostly sends SIGHUP, too, but not to everybody, and not from a broken connection.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final, TextIO

LOOKS_S: Final = 1.0
"""So often is looked whether there still is a terminal; meanwhile Textual's reading thread spins."""
_GONE: Final = frozenset({errno.EIO, errno.EPIPE, errno.ENXIO})
"""What writing to a terminal that is gone fails with."""


def gone(fileno: int) -> bool:
    """Whether nobody is left at the other end of that terminal."""
    poller = select.poll()
    # of no interest is what can be read; that nobody is there is told unasked
    poller.register(fileno, 0)
    return any(event & select.POLLHUP for _, event in poller.poll(0))


@contextmanager
def outlasting() -> Generator[None]:
    """Meanwhile an app that writes to a terminal that is gone goes on until it has ended.

    Textual writes to `sys.__stderr__` in a thread, which an error ends; from then on its queue fills, and the app stops
    in the middle of a write for ever, deaf even to signals. So what nobody can see is dropped.
    """
    names, before = sys.__dict__, sys.__stderr__
    if before is not None:
        names["__stderr__"] = Outlasting(before)
    try:
        yield
    finally:
        names["__stderr__"] = before
        for stream in (sys.__stdout__, before):
            if stream is not None and gone(stream.fileno()):
                let_go(stream.fileno())


def let_go(fileno: int) -> None:
    """What is still written to a terminal that is gone goes nowhere: Python ends with 120 where it cannot flush."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, fileno)
    os.close(nowhere)


class Outlasting(io.TextIOBase):
    """A stream that drops what is written once its terminal is gone."""

    def __init__(self, under: TextIO) -> None:
        super().__init__()
        self._under = under

    def write(self, text: str, /) -> int:
        """Write it, where somebody is there to see it."""
        try:
            return self._under.write(text)
        except OSError as error:
            return self._dropped(error, len(text))

    def flush(self) -> None:
        """Bring it there."""
        try:
            self._under.flush()
        except OSError as error:
            self._dropped(error, 0)

    def fileno(self) -> int:
        """The terminal's."""
        return self._under.fileno()

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._under.isatty()

    @staticmethod
    def _dropped(error: OSError, characters: int) -> int:
        if error.errno not in _GONE:
            raise error
        return characters
