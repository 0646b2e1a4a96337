"""Slots whose turn runs long, apart from the run queue.

When a turn is left behind, its slots get a lane: frames for them wait there, in order, and the thread that
runs the late turn works them off before it ends. So the order of a slot holds while all others go on.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable

Frame = tuple[int, int, int, bytes]
"""kind, slot, seq, payload."""


class Lane:
    """What waits behind one late turn. `done` is set when nothing of it runs or waits any more."""

    __slots__ = ("done", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[Frame | threading.Event] = deque()
        self.done = threading.Event()


class Lanes:
    """The lanes of one cell; every change is under one lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: dict[int, Lane] = {}
        self.count = 0
        """How many are open. Only who holds the run queue opens one, so it may trust a zero."""

    def slots(self) -> frozenset[int]:
        """The slots that have a lane."""
        with self._lock:
            return frozenset(self._of)

    def open(self, slots: Iterable[int]) -> Lane:
        """A lane for these slots, none of which has one."""
        lane = Lane()
        with self._lock:
            for slot in slots:
                self._of[slot] = lane
            self.count += 1
        return lane

    def defer(self, frame: Frame, slots: Iterable[int]) -> bool:
        """Let the frame wait where one of its slots has a lane; all its slots then share that lane."""
        slots = tuple(slots)
        with self._lock:
            found = dict.fromkeys(self._of[slot] for slot in slots if slot in self._of)
            if not found:
                return False
            first, *others = found
            for other in others:
                # what is in the other lane comes before this frame; nothing is added to it any more
                first.waiting.append(other.done)
                for slot, lane in self._of.items():
                    if lane is other:
                        self._of[slot] = first
            for slot in slots:
                self._of[slot] = first
            first.waiting.append(frame)
            return True

    def next(self, lane: Lane) -> Frame | threading.Event | None:
        """What comes next in a lane; with None the lane is closed and its slots are free."""
        with self._lock:
            if lane.waiting:
                return lane.waiting.popleft()
            for slot in [slot for slot, other in self._of.items() if other is lane]:
                del self._of[slot]
            self.count -= 1
        lane.done.set()
        return None
