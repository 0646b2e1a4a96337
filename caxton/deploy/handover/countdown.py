"""So many seconds, once, that can be stopped and asked what is left of them."""

from __future__ import annotations

from collections.abc import Callable

from caxton.clock import Alarm, Clock


class Countdown:
    """Tells `over` when the time is up. `left_s`: seconds that it has before it is started."""

    def __init__(self, clock: Clock, over: Callable[[], None], left_s: float) -> None:
        self._clock = clock
        self._over = over
        self._left_s = left_s
        self._ends_at = 0.0
        self._alarm: Alarm | None = None

    @property
    def left_s(self) -> float:
        """Seconds that are left."""
        if self._alarm is None:
            return self._left_s
        return max(0.0, self._ends_at - self._clock.monotonic())

    def start(self, left_s: float | None = None) -> None:
        """Count, from that many seconds where they are given."""
        if left_s is not None:
            self._left_s = left_s
        self._ends_at = self._clock.monotonic() + self._left_s
        self._alarm = self._clock.later(self._left_s, self._end)

    def stop(self) -> None:
        """Count no more; what is left stays as it is now."""
        if self._alarm is not None:
            self._left_s = self.left_s
            self._alarm.cancel()
            self._alarm = None

    def _end(self) -> None:
        self._left_s, self._alarm = 0.0, None
        self._over()
