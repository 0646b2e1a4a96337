"""How far the building of the Python runtime is, and how long it still takes.

In: which step begins, and a clock. Out: the part that is done and the seconds that are left, by what each step usually
takes and by how fast this machine was in the steps before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

COMPONENT: Final = "building"
COMPILE: Final = "compiling"
TRY: Final = "trying"
WAIT: Final = "waiting for another process that builds it"

_USUAL_S: Final = {COMPONENT: 32.0, COMPILE: 33.0, TRY: 2.0}
"""Processor time of each step on a machine of 2024."""
_MOST: Final = 0.95
"""A step that takes longer than was thought is never said to be done."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What is being done, which part of everything is done (0 to 1), and the seconds that are left."""

    what: str
    part: float
    left_s: float

    @property
    def title(self) -> str:
        return f"Python runtime, only once: {self.what}"

    @property
    def left(self) -> str:
        """How long it still takes, for a person: to five seconds."""
        return f"about {max(5, round(self.left_s / 5) * 5)} s left"


class Estimate:
    """Told of each step as it begins; asked at any time."""

    def __init__(self, monotonic_s: Callable[[], float]) -> None:
        self._now_s = monotonic_s
        self._what = "looking for it"
        self._since_s = monotonic_s()
        self._took_s: dict[str, float] = {}
        """The steps that were made here."""

    def begin(self, what: str) -> None:
        """The next step begins."""
        now_s = self._now_s()
        if self._what in _USUAL_S:
            self._took_s[self._what] = now_s - self._since_s
        self._what, self._since_s = what, now_s

    def progress(self) -> Progress:
        """How far it is now."""
        usual_s = sum(_USUAL_S[step] for step in self._took_s)
        pace = sum(self._took_s.values()) / usual_s if usual_s else 1.0
        steps = list(_USUAL_S)
        place = steps.index(self._what) if self._what in steps else 0
        to_come_s = sum(_USUAL_S[step] for step in steps[place + 1 :])
        here_s = _USUAL_S[steps[place]]
        step = self._now_s() - self._since_s if self._what in steps else 0.0
        done_s = min(step / pace, here_s * _MOST)
        left_s = here_s + to_come_s - done_s
        return Progress(self._what, (usual_s + done_s) / (usual_s + done_s + left_s), left_s * pace)
