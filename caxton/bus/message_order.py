"""The numbers and times that messages are given: both only go up, so that they sort alike.

One for a bus, shared with its quick way.
"""

from __future__ import annotations


class MessageOrder:
    """The latest number and time that were given out."""

    __slots__ = ("last_us", "seq")

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self.last_us = 0
        """Microseconds since 1970; the next message is not before it."""

    def event(self) -> int:
        """The next number, for something that is no message."""
        self.seq += 1
        return self.seq

    def reach(self, seq: int) -> None:
        """Numbers up to this one are given out."""
        self.seq = max(self.seq, seq)

    def next(self, now_us: int) -> tuple[int, int]:
        """The next number, and its time, which is now or that of the message before."""
        if now_us < self.last_us:
            now_us = self.last_us
        else:
            self.last_us = now_us
        self.seq += 1
        return self.seq, now_us
