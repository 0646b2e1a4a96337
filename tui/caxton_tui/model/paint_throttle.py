"""Which frames are painted: all of them, but only a few while rows are left out and no key is pressed.

In: at each frame, how many rows were left out so far. Out: whether it is painted. While rows are left out they cannot
be read one by one, and the bus needs the time. After a key every frame is painted, so its effect is seen without delay.
"""

from __future__ import annotations

from typing import Final

FRAMES_S: Final = 10
FEW: Final = 4
"""While rows are left out, one frame in this many is painted."""


class PaintThrottle:
    """Counts frames."""

    __slots__ = ("_every_until", "_few_until", "_left_out", "_now")

    def __init__(self) -> None:
        self._now = self._left_out = self._few_until = self._every_until = 0

    def next(self, left_out: int) -> bool:
        """Whether this frame is painted."""
        self._now += 1
        if left_out != self._left_out:
            self._left_out, self._few_until = left_out, self._now + FRAMES_S
        few = self._every_until < self._now < self._few_until
        return not few or self._now % FEW == 0

    def on_input(self) -> None:
        """A key was pressed: for a second every frame is painted."""
        self._every_until = self._now + FRAMES_S
