"""Time as an object that is passed in, so that a whole system can run on a clock of its own.

`now_us` is for what people read and the journal keeps, `monotonic` for durations and deadlines.
"""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Where the daemon gets its time from."""

    def now_us(self) -> int:
        """Wall time in microseconds since 1970, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_us(self) -> int:
        """Wall time in microseconds since 1970, UTC."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        return time.monotonic()


class VirtualClock:
    """A clock that stands still until it is told to move; for tests and seeded runs."""

    def __init__(self, start_us: int = 1_700_000_000_000_000) -> None:
        self._us = start_us

    def now_us(self) -> int:
        """Wall time in microseconds since 1970, UTC."""
        return self._us

    def monotonic(self) -> float:
        """Seconds since 1970 on this clock."""
        return self._us / 1e6

    def advance(self, seconds: float) -> None:
        """Move on by that many seconds."""
        self._us += int(seconds * 1e6)
