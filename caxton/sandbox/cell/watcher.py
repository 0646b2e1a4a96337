"""The watcher thread of a cell: it moves the epoch on, and hands the run queue on when a turn runs long."""

from __future__ import annotations

import threading
import time

from caxton.sandbox import engines
from caxton.sandbox.cell.runner import Runner, RunQueue
from caxton.sandbox.cell.slots import touched
from caxton.sandbox.cell.slow_lanes import Frame
from caxton.sandbox.engines import TICK_S

LOOK_S = 0.001
LATE_S = 0.002
"""Work that is seen for so long holds nobody else up any more, in seconds."""
IDLE_LOOKS = 100
"""After so many looks at nothing the watcher sleeps until work comes."""
MOST_LANES = 64
"""With so many late turns at once the queue is not handed on; each holds a thread."""
MOST_TICKS = 10
"""Ticks that are made up for in one look, after a time in which this thread did not run."""


class Pace:
    """How many ticks each look is worth, so that a tick stands for `TICK_S` of the work in hand and no less.

    After a time in which the watcher did not run, ticks are made up for, but not for work that may have begun since the
    last look: its limit would be short by the time before it.
    """

    __slots__ = ("_seen", "_upto")

    def __init__(self, now: float) -> None:
        self._upto = now
        """Up to when time has been told in ticks, in seconds."""
        self._seen: object = None

    def look(self, now: float, work: object) -> int:
        """The ticks to tell now, with this work in hand (None: with none)."""
        known, self._seen = work is None or work is self._seen, work
        due = int((now - self._upto) / TICK_S)
        if due == 0:
            return 0
        if not known:
            self._upto = now
            return 1
        self._upto = now if due > MOST_TICKS else self._upto + due * TICK_S
        return min(due, MOST_TICKS)


class Watcher(threading.Thread):
    """Looks every millisecond while there is work, not at all while there is none."""

    def __init__(self, queue: RunQueue) -> None:
        super().__init__(name="watcher", daemon=True)
        self._queue = queue

    def run(self) -> None:
        """Watch until the cell ends."""
        queue = self._queue
        seen: Frame | None = None
        seen_at = 0.0
        pace = Pace(time.monotonic())
        idle = batches = 0
        while not queue.ended.is_set():
            time.sleep(LOOK_S)
            now = time.monotonic()
            runner = queue.runner
            claims = runner.claims[:1]
            frame = claims[0] if claims else None
            engines.tick(pace.look(now, frame))
            if frame is None:
                seen = None
                idle = idle + 1 if queue.batches == batches and not queue.lanes.count else 0
                batches = queue.batches
                if idle > IDLE_LOOKS:
                    self._sleep(batches)
                    pace = Pace(time.monotonic())
                    idle = 0
                continue
            idle = 0
            if frame is not seen:
                seen, seen_at = frame, now
            elif now - seen_at >= LATE_S and self._hand_on(runner):
                seen = None

    def _sleep(self, batches: int) -> None:
        queue = self._queue
        queue.sleeping(True)
        # a batch that came before this line would not have woken us
        if queue.batches == batches:
            queue.wake.wait()
        queue.sleeping(False)
        queue.wake.clear()

    def _hand_on(self, runner: Runner) -> bool:
        """Take the claim from a runner and the queue with it; False where it was quicker, or it is no time
        for it."""
        queue = self._queue
        if queue.lanes.count >= MOST_LANES or not queue.sending.acquire(blocking=False):
            return False
        try:
            frame = runner.claims.pop()
        except IndexError:
            queue.sending.release()
            return False
        runner.leave(queue.lanes.open(touched(frame)))
        queue.slots.handed_on()
        queue.hand_on(Runner(queue, inherits=True))
        # results of the late slot that are ready go out before its late one: the new runner sends them first,
        # and holds `sending` from the moment it begins
        queue.runner.start()
        runner.left.set()
        return True
