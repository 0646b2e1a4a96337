"""The power of one simulated machine: while it is on things go on, each taking a while, and then they do not.

In: the run's schedule. Out: how long the next thing takes; and before every step whether it still happens. A machine
that stopped stays so: the next life has a power of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from caxton.simulation.orders import Next, Ready
from caxton.simulation.schedule import Range, Schedule


class Power:
    """One life's; `on_off` is called at the step at which it goes off."""

    def __init__(self, schedule: Schedule, on_off: Callable[[], None]) -> None:
        self.on = True
        self.losses = schedule.losses
        """What becomes of messages on the way to their guests."""
        self._schedule = schedule
        self._on_off = on_off

    def end(self) -> None:
        """The machine is done with: no step happens any more, and nobody is told."""
        self.on = False

    def cut(self) -> None:
        """Power off: no step happens any more."""
        if self.on:
            self.on = False
            self._on_off()

    def goes_on(self) -> bool:
        """One more step: whether it happens."""
        if self.on and self._schedule.step():
            self.cut()
        return self.on

    def choose(self, ready: Sequence[Ready], alarms_s: Callable[[], Sequence[float]]) -> Next:
        """Which of these is next, and what becomes of it; `alarms_s`: when timers ring and deadlines end."""
        return self._schedule.choose(ready, alarms_s)

    def delay_s(self, message: bytes, agent: str) -> float:
        """Seconds for which a message waits in its cell."""
        return self._schedule.delay_s(message, agent)

    def turn_s(self) -> float:
        """Seconds that the next turn takes."""
        return self._takes(self._schedule.pace.turn_us)

    def commit_s(self) -> float:
        """Seconds that the next commit takes."""
        return self._takes(self._schedule.pace.commit_us)

    def read_s(self) -> float:
        """Seconds that the next reading takes."""
        return self._schedule.read_s() if self.on else 0.0

    def start_s(self) -> float:
        """Seconds that the next start of a cell takes."""
        return self._takes(self._schedule.pace.start_us)

    def _takes(self, bounds: Range) -> float:
        # what a dead life still asks for must not move the chances of the next one
        return self._schedule.seconds(bounds) if self.on else 0.0
