"""Time as an object that is passed in, so that a whole system can run on a clock of its own.

`now_us` is for what people read and the journal keeps, `monotonic` for durations and deadlines, `later` for what
happens when it is time.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

SET_US = 1_000_000
"""A wall clock that moves by more than this against the time that passes was set."""


class Alarm(Protocol):
    """A call that will be made later and can be called off."""

    def cancel(self) -> None:
        """Do not make it."""
        ...


class Clock(Protocol):
    """Where the daemon gets its time from."""

    measures: bool
    """Whether times that other processes took with the machine's clock mean anything beside this one's."""

    def now_us(self) -> int:
        """Wall time in microseconds since 1970, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        ...

    def uptime(self) -> tuple[str, float]:
        """Which life of the machine this is, empty where that is not known, and its seconds so far, sleep included.

        Nobody can set it, so it shows where the wall clock was set.
        """
        ...

    def later(self, seconds: float, call: Callable[[], None]) -> Alarm:
        """Call something in so many seconds, in the asyncio thread."""
        ...


class SystemClock:
    """The machine's own clock."""

    measures = True

    def now_us(self) -> int:
        """Wall time in microseconds since 1970, UTC."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        return time.monotonic()

    def uptime(self) -> tuple[str, float]:
        """The kernel's id of this boot, and the seconds since; without an id where the system has none (not Linux)."""
        try:
            boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
            return boot, float(Path("/proc/uptime").read_text("ascii").split()[0])
        except (OSError, ValueError):
            return "", time.monotonic()

    def later(self, seconds: float, call: Callable[[], None]) -> Alarm:
        """Call something in so many seconds, in the running loop."""
        # cells have this clock and no loop: loading asyncio would be a third of their start
        import asyncio

        return asyncio.get_running_loop().call_later(seconds, call)


class SteadyTime:
    """Wall time as if nobody had set the clock since this was made; what a clock is corrected by is followed.

    For what ends after a while and is said as a time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._set_us = 0
        """By how much somebody has set the clock forward."""
        self._compared = self._times()

    def now_us(self) -> int:
        """Microseconds since 1970, UTC."""
        wall_us = self._clock.now_us()
        before_us, before_s, _ = self._compared
        if abs(wall_us - before_us - (self._clock.monotonic() - before_s) * 1e6) > SET_US:
            self._compare()
        return wall_us - self._set_us

    def of(self, wall_us: int) -> int:
        """When it is that time on the wall clock as it stands now."""
        self.now_us()
        return wall_us - self._set_us

    def _times(self) -> tuple[int, float, tuple[str, float]]:
        return self._clock.now_us(), self._clock.monotonic(), self._clock.uptime()

    def _compare(self) -> None:
        (wall_us, s, (boot, up_s)), self._compared = self._compared, self._times()
        # where the machine knows for how long it slept, it is not the clock that moved
        passed_s = self._compared[2][1] - up_s if boot else self._compared[1] - s
        set_us = self._compared[0] - wall_us - int(passed_s * 1e6)
        if abs(set_us) > SET_US:
            self._set_us += set_us


class VirtualClock:
    """A clock that stands still until it is told to move; for tests and seeded runs.

    On it turns take no time, so that the same seed gives the same rows again.
    """

    measures = False

    def __init__(self, start_us: int = 1_700_000_000_000_000, boot: str = "virtual") -> None:
        self._us = start_us
        self._set_us = 0
        self._boot = boot
        self._due: list[tuple[int, int, _Call]] = []
        self._count = 0

    def now_us(self) -> int:
        """Wall time in microseconds since 1970, UTC."""
        return self._us + self._set_us

    def set_by(self, seconds: float) -> None:
        """Somebody sets the wall clock, so much forward or back; no time passes."""
        self._set_us += int(seconds * 1e6)

    def uptime(self) -> tuple[str, float]:
        """One life, since 1970 on this clock."""
        return self._boot, self._us / 1e6

    def monotonic(self) -> float:
        """Seconds since 1970 on this clock."""
        return self._us / 1e6

    def later(self, seconds: float, call: Callable[[], None]) -> Alarm:
        """Call something when the clock has been moved that far."""
        alarm = _Call(call)
        self._count += 1
        heapq.heappush(self._due, (self._us + int(seconds * 1e6), self._count, alarm))
        return alarm

    def advance(self, seconds: float) -> None:
        """Move on by that many seconds, making the calls that are due, each at its own moment."""
        end = self._us + int(seconds * 1e6)
        while self._due and self._due[0][0] <= end:
            self._us, _, alarm = heapq.heappop(self._due)
            if alarm.call is not None:
                alarm.call()
        self._us = end


class _Call:
    """A call that waits on a virtual clock."""

    __slots__ = ("call",)

    def __init__(self, call: Callable[[], None]) -> None:
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """Do not make it."""
        self.call = None
