"""The legal orders of a run, looked for: who has the next turn, who is slow, who says something late, what crashes.

In: at each place of a run who could be next. Out: a decision; 0 is the plainest, the first of them has its turn. A seed
finds decisions by chance, in one of several ways, for no single one finds everything; or they are given, by place. A
place says where in the run it is and not how many decisions came before, so one of them can be left out and the others
still mean what they did.

Everything decided here is promised to nobody: how long an agent takes, whose turn is first, when a client says its next
word, when a cell or the daemon dies. One agent's messages to another stay in their order.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Final, NamedTuple

from caxton.simulation.losses import Loss

Decisions = Mapping[str, int]
"""By place; everywhere else it is 0."""

SHORT_S: Final = (0.0005, 0.003, 0.03)
"""How long a slow agent is slow, where that is no matter of timers."""
BESIDE_S: Final = (-0.0002, 0.0001)
"""Or its turn begins so long beside the moment at which a timer rings or a deadline ends."""
NEAR_S: Final = 0.05
"""Timers and deadlines that come sooner are always tried; to be slower than others, an agent needs `late`."""
ALARMS: Final = 3
"""How many of these that come next are tried."""
PAUSES: Final = 8
"""Steps of the machine that a client waits at the most before it says the next word."""
CRASH_WITHIN: Final = 60
"""Among so many first turns is the one in which something crashes."""
AGAIN: Final = 16
"""Agents that may be slow at one place."""
WIDTH: Final = 64
"""Among so many it is decided; a decision is which of them, and this many times what becomes of it."""


class Act(Enum):
    """What becomes of the one that was chosen."""

    TURN = auto()
    WAIT = auto()
    """It is slow, and others come first."""
    CELL_DIES = auto()
    """Its cell dies in the turn."""
    POWER_GOES = auto()
    """The daemon dies before the turn."""
    DROP = auto()
    """Its message is lost; this and what follows is outside what one machine promises."""
    DUPLICATE = auto()
    """Its message comes twice."""
    REORDER = auto()
    """Its message comes behind the next one."""


LOSSES: Final = {Act.DROP: Loss.DROPPED, Act.DUPLICATE: Loss.TWICE, Act.REORDER: Loss.BEHIND}


class Ready(NamedTuple):
    """Who could have the next turn, and on which message; None: it is about no message."""

    agent: str
    seq: int | None


class Next(NamedTuple):
    """Which of those that are ready, and what becomes of it."""

    chosen: int
    act: Act = Act.TURN
    wait_s: float = 0.0


class Decided(NamedTuple):
    """A decision that is not the plainest, in words."""

    place: str
    chosen: int
    agent: str
    instead_of: str
    """Whose turn it would have been with 0."""
    what: str


CELL_DIES: Final = 1 + len(SHORT_S) + ALARMS * len(BESIDE_S)
POWER_GOES: Final = CELL_DIES + 1
DROP: Final = POWER_GOES + 1
_LOST: Final = ((Act.DROP, "is lost"), (Act.DUPLICATE, "comes twice"), (Act.REORDER, "comes behind the next"))
_ACTS: Final = DROP + len(_LOST)


def _decision(which: int, act: int) -> int:
    return which + WIDTH * act


class _Way:
    """How one seed looks: what it likes to do, and how often."""

    def __init__(self, seed: int, *, late: bool, faults: bool) -> None:
        self._chance = random.Random(f"orders {seed}")
        kind = seed % 8
        self._by_rank = kind in (2, 6)
        self._ranks: dict[str, float] = {}
        self._short = {1: 0.25, 3: 0.2, 4: 0.1, 6: 0.4, 7: 0.2}.get(kind, 0.0)
        self._beside = {3: 0.3, 7: 0.6}.get(kind, 0.0)
        self._late = {3: 0.15, 7: 0.3}.get(kind, 0.0) if late else 0.0
        self._lose = 0.05 if faults else 0.0
        self._pause = {1: 0.5, 4: 0.8, 5: 0.3, 6: 0.4, 7: 0.3}.get(kind, 0.0)
        self._crash_at = self._chance.randrange(CRASH_WITHIN) if kind == 5 else None

    def turn(self, ready: Sequence[Ready], alarms_s: Sequence[float], turns: int) -> int:
        chance, many = self._chance, min(len(ready), WIDTH)
        if turns == self._crash_at:
            self._crash_at = None
            return _decision(chance.randrange(many), chance.choice((CELL_DIES, POWER_GOES)))
        if self._by_rank:
            for one in ready:
                self._ranks.setdefault(one.agent, chance.random())
            chosen = max(range(many), key=lambda place: self._ranks[ready[place].agent])
            if chance.random() < 0.1:
                self._ranks[ready[chosen].agent] = chance.random()
        else:
            chosen = chance.randrange(many)
        what = chance.random()
        if what < self._short:
            return _decision(chosen, chance.randint(1, len(SHORT_S)))
        if chance.random() < self._lose:
            return _decision(chosen, DROP + chance.randrange(len(_LOST)))
        near = sum(1 for one in alarms_s[:ALARMS] if one <= NEAR_S)
        if near and what < self._short + self._beside:
            most = near * len(BESIDE_S)
            return _decision(chosen, len(SHORT_S) + chance.randint(1, most))
        if what < self._short + self._late:
            return _decision(chosen, chance.randint(1 + len(SHORT_S), CELL_DIES - 1))
        return chosen

    def pause(self) -> int:
        return self._chance.randint(1, PAUSES) if self._chance.random() < self._pause else 0


class Orders:
    """The decisions of one run, over all of its lives: a seed's, or those that are given.

    `late`: whether agents may be slower than timers and deadlines; `faults`: whether messages may be lost, come twice,
    or behind the next.
    """

    def __init__(
        self, seed: int = 0, *, late: bool = False, faults: bool = False, given: Decisions | None = None
    ) -> None:
        self.decided: list[Decided] = []
        """Those that are not the plainest."""
        self.waited_s = 0.0
        """How long agents were slow, in all."""
        self.may_crash = False
        """Whether whoever drives the run can stand a crash of the daemon at this moment."""
        self._way = _Way(seed, late=late, faults=faults)
        self._given = given
        self._turns = 0
        self._again = 0
        self._pauses = 0

    def crashes_are_welcome(self, welcome: bool) -> None:
        """Whether the daemon may crash from now on."""
        self.may_crash = welcome

    def turn(self, ready: Sequence[Ready], alarms_s: Sequence[float]) -> Next:
        """Who is next. `alarms_s`: in how many seconds timers ring and deadlines end, the next ones first."""
        if all(one.seq is None for one in ready):
            return Next(0)
        place = str(self._turns) if not self._again else f"{self._turns}.{self._again}"
        chosen = (
            self._given.get(place, 0)
            if self._given is not None
            else self._way.turn(ready, alarms_s, self._turns)
        )
        which, act = min(chosen % WIDTH, len(ready) - 1), chosen // WIDTH % _ACTS
        one = ready[which]
        if one.seq is None or (act == POWER_GOES and not self.may_crash):
            act = 0
        found = Next(which)
        about = f"{one.agent} with message {one.seq}"
        said = f"{one.agent} before {ready[0].agent}"
        if act == CELL_DIES:
            found, said = Next(which, Act.CELL_DIES), f"the cell dies in the turn of {about}"
        elif act == POWER_GOES:
            found, said = Next(which, Act.POWER_GOES), f"the daemon dies before the turn of {about}"
        elif act >= DROP:
            lost, how = _LOST[act - DROP]
            found, said = Next(which, lost), f"message {one.seq} to {one.agent} {how}"
        elif act and self._again < AGAIN:
            wait_s = _wait_s(act, alarms_s)
            found, said = Next(which, Act.WAIT, wait_s), f"{about} is {1e3 * wait_s:,.4g} ms late"
            self.waited_s += wait_s
        if which or found.act is not Act.TURN:
            self.decided.append(Decided(place, _decision(which, act), one.agent, ready[0].agent, said))
        if found.act is Act.WAIT:
            self._again += 1
        else:
            self._turns += 1
            self._again = 0
        return found

    def pause(self, who: str) -> int:
        """How many steps of the machine pass before a client's next word."""
        self._pauses += 1
        place = f"c{self._pauses}"
        steps = self._given.get(place, 0) if self._given is not None else self._way.pause()
        if steps:
            said = f"{who} waits for {steps} step{'s' * (steps > 1)} of the others"
            self.decided.append(Decided(place, steps, who, who, said))
        return steps


def _wait_s(act: int, alarms_s: Sequence[float]) -> float:
    act -= 1
    if act >= len(SHORT_S):
        alarm, beside = divmod(act - len(SHORT_S), len(BESIDE_S))
        if alarm < len(alarms_s):
            return max(alarms_s[alarm] + BESIDE_S[beside], SHORT_S[0])
    return SHORT_S[act % len(SHORT_S)]
