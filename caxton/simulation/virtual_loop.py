"""The loop of a run on virtual time: asyncio's own, with a clock that jumps.

In: coroutines, calls for later. Out: the same calls in the same order, each time. Where nothing is left to do at a
moment the clock moves on to the next one, so that an hour of waiting takes no time. It is the `Clock` of what runs on
it. What is for a thread is done here after a while that is drawn. There are no sockets and no processes here.

Its time has an end, which whoever runs it sets: a system is never done, because some of it is armed again for ever.
"""

# asyncio has no public way to exchange what it waits with. pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, Final, TypeVar, TypeVarTuple

from caxton.clock import Alarm

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
START_US: Final = 1_700_000_000_000_000
"""When every first life begins."""
RESOLUTION_S: Final = 1e-6
SOON_S: Final = 0.003
"""What is due sooner is no alarm: it is work that is being done."""
ALARMS: Final = 1_000
"""So many are kept before those that are over are let go."""
_MACHINE: Final = ("asyncio.", "caxton.simulation.", "caxton.journal.")


class OutOfTime(Exception):
    """Raised when the time that a run was given is over."""


class VirtualLoop(asyncio.BaseEventLoop):
    """A loop whose time stands still while anything runs. `thread_s` says how long the next work of a thread takes."""

    measures = True

    def __init__(self, now_us: int, thread_s: Callable[[], float]) -> None:
        super().__init__()
        self.end_us = now_us
        """Where time ends; `OutOfTime` comes out of the running loop there."""
        self._us = now_us
        self._set_us = 0
        self._thread_s = thread_s
        self._alarms: list[asyncio.TimerHandle] = []
        self._clock_resolution = RESOLUTION_S
        # what it waits with is itself: `select` is below
        self._selector = self

    # ------------------------------------------------------------------ the clock

    def now_us(self) -> int:
        """Wall time in microseconds since 1970, UTC."""
        return self._us + self._set_us

    def elapsed_us(self) -> int:
        """The same, had nobody set the clock."""
        return self._us

    def end_after(self, us: int) -> None:
        """Time ends so many microseconds from now."""
        self.end_us = self._us + us

    def set_by(self, seconds: float) -> None:
        """Somebody sets the wall clock, so much forward or back; no time passes."""
        self._set_us += round(seconds * 1e6)

    def uptime(self) -> tuple[str, float]:
        """One life of the machine, however often what runs on it stops."""
        return "virtual", self.monotonic()

    def monotonic(self) -> float:
        """Seconds since the first life began."""
        return (self._us - START_US) / 1e6

    def time(self) -> float:
        """The same, for asyncio."""
        return self.monotonic()

    def later(self, seconds: float, call: Callable[[], None]) -> Alarm:
        """Call something in so many seconds."""
        alarm = self.call_later(seconds, call)
        if seconds > SOON_S and _is_a_service(call):
            self._alarms.append(alarm)
            if len(self._alarms) > ALARMS:
                self.alarms_s()
        return alarm

    def alarms_s(self) -> list[float]:
        """In how many seconds the services of what runs here have asked to be called, such as for timers and
        deadlines; what the machine does itself is left out."""
        soon_s = self.time() + SOON_S
        self._alarms = [one for one in self._alarms if not one.cancelled() and one.when() > soon_s]
        return sorted({round(one.when() - self.time(), 6) for one in self._alarms})

    # ------------------------------------------------------------------ what asyncio asks of a selector

    def select(self, timeout: float | None) -> list[Any]:
        """Wait, which is to move the clock; nothing ever comes from outside."""
        if timeout is None:
            self._us = self.end_us
            raise OutOfTime
        if timeout > 0:
            self._us += max(1, round(timeout * 1e6))
            if self._us > self.end_us:
                self._us = self.end_us
                raise OutOfTime
        return []

    def _process_events(self, event_list: list[Any]) -> None: ...

    def _write_to_self(self) -> None: ...

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Do in this thread, a little later, what was for another one."""
        result: asyncio.Future[T] = self.create_future()

        def work() -> None:
            if result.cancelled():
                return
            try:
                result.set_result(func(*args))
            except Exception as error:  # noqa: BLE001  # it is for whoever waits
                result.set_exception(error)

        self.call_later(self._thread_s(), work)
        return result


def _is_a_service(call: Callable[..., object]) -> bool:
    return not f"{getattr(call, '__module__', 'asyncio')}.".startswith(_MACHINE)
