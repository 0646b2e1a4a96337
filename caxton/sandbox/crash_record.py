"""What a cell has in hand, in memory that outlives it.

A few numbers in a page that the daemon and the cell share: before each turn a runner writes the message's number into
its place, after it a zero. When the cell dies, the daemon reads whose turn it died in, and blames no other message.
Writing costs some 40 ns; nothing is sent and nothing waits.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from collections import deque

PLACES = 128
"""More than there can be runners at a time."""
_BYTES = PLACES * 8


class CrashRecord:
    """One page of numbers. The daemon makes it, the cell maps the same file."""

    def __init__(self, fd: int) -> None:
        self._memory = mmap.mmap(fd, _BYTES)
        self.hands = memoryview(self._memory).cast("Q")
        """By place: the number of the message in hand, or 0."""
        self.free: deque[int] = deque(range(PLACES))
        """The cell's own: places that no runner has."""

    def in_hand(self) -> frozenset[int]:
        """The numbers of the messages whose turns were running at the last moment."""
        return frozenset(self.hands) - {0}

    def close(self) -> None:
        """Give the memory back."""
        self.hands.release()
        self._memory.close()


def shared() -> int:
    """A descriptor of fresh memory for a box, all zeros; the caller closes it."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("caxton-blackbox")
    else:
        fd, path = tempfile.mkstemp(prefix="caxton-blackbox-")
        os.unlink(path)
    os.ftruncate(fd, _BYTES)
    return fd
