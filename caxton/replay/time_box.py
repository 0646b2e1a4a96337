"""How long a replay may take: by the clock, or by the processor time of the turns that it runs.

Processor time says the same on a busy machine as on an idle one, so a build is judged by it. A clock bounds that too,
far off, in case a replay gets no processor at all.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from caxton.clock import Clock

PATIENCE: Final = 10
"""So many times the processor time it may take by the clock, and"""
PATIENCE_S: Final = 30.0
"""so much more."""


class TimeBox:
    """One replay's time, which begins now; with `processor` that is processor time, where the clock measures any."""

    def __init__(self, clock: Clock, limit_s: float, *, processor: bool = False) -> None:
        self._clock = clock
        self._limit_s = limit_s
        self._by_processor = processor and clock.measures
        self._began = clock.monotonic()
        self._spent_us = 0
        self._waited_s = 0.0

    def spend(self, cpu_us: int) -> None:
        """The cell has worked so long for it."""
        self._spent_us += cpu_us

    @contextmanager
    def waiting(self) -> Generator[None]:
        """What is waited for in this is not the build's time, where that is the processor's."""
        began = self._clock.monotonic()
        try:
            yield
        finally:
            self._waited_s += self._clock.monotonic() - began

    @property
    def elapsed_ms(self) -> float:
        """Time by the clock."""
        return round((self._clock.monotonic() - self._began) * 1000, 1)

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be run."""
        elapsed_s = self._clock.monotonic() - self._began
        if not self._by_processor:
            return elapsed_s >= self._limit_s
        patience_s = PATIENCE * self._limit_s + PATIENCE_S + self._waited_s
        return self._spent_us >= self._limit_s * 1e6 or elapsed_s >= patience_s
