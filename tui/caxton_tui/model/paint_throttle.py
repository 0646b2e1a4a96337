"""Which frames are painted: all of them, but few while rows are left out and nobody touches a key.

In: frame after frame, how many rows were left out so far. Out: whether it is painted. While rows are left out nobody
reads them one by one, and the bus needs the time; whoever does something sees what comes of it without delay.
"""

from __future__ import annotations

from typing import Final

FRAMES_S: Final = 10
CALM: Final = 4
"""While rows are left out one frame in so many is painted."""


class PaintThrottle:
    """Counts them."""

    __slots__ = ("_calm_until", "_keen_until", "_left_out", "_now")

    def __init__(self) -> None:
        self._now = self._left_out = self._calm_until = self._keen_until = 0

    def next(self, left_out: int) -> bool:
        """Whether this frame is painted."""
        self._now += 1
        if left_out != self._left_out:
            self._left_out, self._calm_until = left_out, self._now + FRAMES_S
        calm = self._keen_until < self._now < self._calm_until
        return not calm or self._now % CALM == 0

    def keen(self) -> None:
        """Somebody did something: for a second every frame is painted."""
        self._keen_until = self._now + FRAMES_S
