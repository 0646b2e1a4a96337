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
"""Seconds between two checks for a hang-up; meanwhile Textual's reading thread spins."""
_GONE: Final = frozenset({errno.EIO, errno.EPIPE, errno.ENXIO})
"""What writing to a terminal that is gone fails with."""


def gone(fileno: int) -> bool:
    """Whether the other end of that terminal has hung up."""
    poller = select.poll()
    # POLLHUP is reported without being asked for
    poller.register(fileno, 0)
    return any(event & select.POLLHUP for _, event in poller.poll(0))


@contextmanager
def surviving_hangup() -> Generator[None]:
    """Keep an app running to its end when its terminal hangs up.

    Textual writes to `sys.__stderr__` in a thread, which an error ends; from then on its queue fills, and the app stops
    in the middle of a write for ever, deaf even to signals. So the output is dropped instead.
    """
    names, before = sys.__dict__, sys.__stderr__
    if before is not None:
        names["__stderr__"] = HangupTolerantStream(before)
    try:
        yield
    finally:
        names["__stderr__"] = before
        for stream in (sys.__stdout__, before):
            if stream is not None and gone(stream.fileno()):
                discard_output(stream.fileno())


def discard_output(fileno: int) -> None:
    """Send the rest of the output to /dev/null: Python ends with 120 where it cannot flush."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, fileno)
    os.close(nowhere)


class HangupTolerantStream(io.TextIOBase):
    """A stream that drops what is written after its terminal hung up."""

    def __init__(self, under: TextIO) -> None:
        super().__init__()
        self._under = under

    def write(self, text: str, /) -> int:
        """Write it, unless the terminal has hung up."""
        try:
            return self._under.write(text)
        except OSError as error:
            return self._dropped(error, len(text))

    def flush(self) -> None:
        """Flush it, unless the terminal has hung up."""
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
