"""What chance decides in a run, all of it from one seed: whose turn is next, and how long everything takes.

In: questions, in the order in which the run comes to them. Out: the same answers for the same seed. It also counts the
run's steps (a turn begins, a turn ends, a commit is tried, a commit is told), so that a crash can be planned for one of
them; and it keeps what it chose, so that a run can be given the same choices again.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from caxton.simulation.losses import Losses
from caxton.simulation.orders import Next, Orders, Ready

Delay = Callable[[bytes, str], float]
"""Says how many seconds an agent waits for a message."""
Range = tuple[int, int]
"""The least and the most, both possible, in microseconds."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things take on virtual time; each is drawn anew between two bounds."""

    turn_us: Range = (20, 400)
    """A turn, or another request to a cell."""
    commit_us: Range = (200, 2_000)
    read_us: Range = (20, 200)
    """One statement that reads the journal, or other work of a thread."""
    start_us: Range = (10_000, 40_000)
    """The start of a cell."""


class Schedule:
    """The chances of one run, over all of its lives."""

    def __init__(
        self, seed: int, pace: Pace, choices: Sequence[int] = (), orders: Orders | None = None
    ) -> None:
        """`orders` decides in place of the seed and of `choices`, and more than they do."""
        self.pace = pace
        self.steps = 0
        self.choices: list[int] = []
        """Which agent had its turn, wherever several could have had it: the run as small numbers."""
        self.orders = orders
        self.crash_at: int | None = None
        """The step before which the machine stops."""
        self.delays: list[Delay] = []
        """The longest counts."""
        self.losses = Losses()
        self._given = deque(choices)
        # streams of their own: one choice, or one look at the journal, more or less must not change how long everything
        # after it takes
        self._order = random.Random(f"order {seed}")
        self._times = random.Random(f"times of {seed}")
        self._reads = random.Random(f"reads {seed}")

    def choose(self, ready: Sequence[Ready], alarms_s: Callable[[], Sequence[float]]) -> Next:
        """Who is next: as it is decided, else the next one that was given, else by chance."""
        if self.orders is not None:
            return self.orders.turn(ready, alarms_s())
        many = len(ready)
        if many == 1:
            return Next(0)
        chosen = self._order.randrange(many)
        if self._given:
            chosen = min(self._given.popleft(), many - 1)
        self.choices.append(chosen)
        return Next(chosen)

    def seconds(self, bounds: Range) -> float:
        """How long something takes this time."""
        return self._times.randint(*bounds) / 1e6

    def read_s(self) -> float:
        """How long what is read takes this time."""
        return self._reads.randint(*self.pace.read_us) / 1e6

    def crash_after(self, steps: int | None) -> None:
        """The last of so many more steps is the one before which the machine stops; None: none is."""
        self.crash_at = None if steps is None else self.steps + steps

    def delay_s(self, message: bytes, agent: str) -> float:
        """How long an agent waits for that message once its cell has it."""
        return max((delay(message, agent) for delay in self.delays), default=0.0)

    def step(self) -> bool:
        """The run comes to its next step; whether that is the one before which the machine stops."""
        self.steps += 1
        if self.steps != self.crash_at:
            return False
        self.crash_at = None
        return True
