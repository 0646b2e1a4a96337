"""One agent on its way back, filled in as it goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from caxton.acl.message import read_message
from caxton.agents.record import AgentConfig, AgentRecord, Revision
from caxton.bus.life import MARK, is_life
from caxton.cells import Cell, CellLink
from caxton.errors import CaxtonError
from caxton.journal import PastTurn, SnapshotRow
from caxton.sandbox.frames import Loaded
from caxton.turn_status import REDELIVERED, SURVIVED

LIVES: Final = 6
"""How often an instance is made, one turn of another revision left out more each time."""


@dataclass(slots=True, eq=False)
class RecoveryPlan:
    """Where it begins, how far it is, and what became of its memory."""

    record: AgentRecord
    cell: Cell
    slot: int
    revision: Revision
    config: AgentConfig
    fresh: bool = False
    """Whether it is to begin with nothing, whatever there is."""
    given: bytes | None = None
    """The state that it begins with, where it comes from elsewhere."""
    link: CellLink | None = None
    loaded: Loaded | None = None
    base: SnapshotRow | None = None
    """The moment that it begins from."""
    replays: bool = False
    turns: int = 0
    """How many turns were run once more."""
    ahead: int | None = None
    """How many there are to be run, about; None where nobody has counted them."""
    last_seq: int = 0
    """The place of the last turn that is past."""
    number: int | None = 0
    """That of the last turn, as far as is known; None where an earlier version gave none."""
    reason: str | None = None
    """Why it remembers less than it did."""
    error: CaxtonError | None = None
    broke: bool = False
    """Whether that is because a turn that went well once cost the instance."""
    why: str | None = None
    """What the agent is told, as the reason for its recovery; None where it is told nothing of it."""
    brought_by: str | None = None
    """The deployment that brought this revision; None for the one that the agent is."""
    since: int | None = None
    """It began with nothing after this message, whatever the rows say."""
    strict: bool = False
    """Whether a turn that another revision did and that costs this one the instance is not simply left out."""
    lives: int = LIVES
    again: bool = False
    """Whether it begins again, without a turn."""
    abandoned: bool = False
    """Whether it is not to come back any more."""
    began: float = 0.0
    """When, in seconds of the monotonic clock."""
    portion: int = 1
    """Turns of the next frame: few, while they take long, so that it is seen how far it is."""
    own: dict[int, bool] = field(default_factory=dict[int, bool])
    """Turns of which it does not remember what their rows say."""

    # ------------------------------------------------------------------ what happens to it

    def begin(self, now: float, link: CellLink | None) -> None:
        """It is on its way, by that cell's connection."""
        self.began, self.link = now, link

    def made(self, loaded: Loaded, base: SnapshotRow | None) -> None:
        """An instance is there; `base` is the moment that it was given the state of."""
        self.loaded = loaded
        self.base = base if loaded.restored else None

    def replay_from(self, base: SnapshotRow) -> None:
        """Its turns since that moment are run again."""
        self.base, self.replays, self.last_seq, self.reason = base, True, base.seq, None
        self.number = base.number

    def learn(self, own: Mapping[int, bool]) -> None:
        """These turns it remembers, or not, whatever their rows say."""
        self.own |= own

    def ran(self, turns: int) -> None:
        """So many turns more were run."""
        self.turns += turns

    def has_ahead(self, turns: int) -> None:
        """About so many turns are to be run in all."""
        self.ahead = turns

    def pace(self, portion: int) -> None:
        """The next frame has so many turns."""
        self.portion = portion

    def reach(self, seq: int, number: int = 0) -> None:
        """Everything up to the turn in that place, with that number, is past."""
        self.last_seq = seq
        if number:
            self.number = max(number, self.number or 0)

    def leave_out(self, seq: int) -> None:
        """It begins again, without the turn on that message."""
        self.again, self.own[seq] = True, False
        self.lives -= 1

    def begin_again(self, base: SnapshotRow) -> None:
        """It is at that moment once more."""
        self.again, self.base, self.turns, self.last_seq = False, base, 0, base.seq

    def lose_count(self) -> None:
        """Nobody knows how many turns it has had."""
        self.number = None

    def do_without(self, reason: str, *, broke: bool) -> None:
        """No more turns are run: it remembers what was kept, or nothing. `broke`: because one cost the instance."""
        self.replays, self.turns, self.reason = False, 0, reason
        self.broke = self.broke or broke

    def remember_less(self, reason: str) -> None:
        """Why it remembers less than it did."""
        self.reason = reason

    def fail(self, error: CaxtonError) -> None:
        """It does not come back; the first error says why."""
        self.error = self.error or error

    def abandon(self, error: CaxtonError) -> None:
        """It is not to come back any more."""
        self.abandoned = True
        self.fail(error)

    # ------------------------------------------------------------------ what it is

    @property
    def restored(self) -> bool:
        """Whether it has a state that was kept."""
        return self.loaded is not None and self.loaded.restored

    @property
    def memory(self) -> str:
        """What became of its memory, in a word or two."""
        if self.turns:
            return f"replayed {self.turns:,} turn{'s' if self.turns > 1 else ''}"
        return "snapshot" if self.restored else "fresh"

    @property
    def remembered(self) -> dict[str, str]:
        """The same with the reason where it is less than before, for viewers and for the agent."""
        told = {"memory": self.memory}
        return {**told, "memory_reason": self.reason} if self.reason else told

    @property
    def _asks(self) -> bool:
        return self.loaded is not None and "life" in self.loaded.hooks

    @property
    def _ams(self) -> str:
        return f"ams{self.record.endpoint.name.removeprefix(self.record.name)}"

    @property
    def of(self) -> str:
        """The deployment under whose name its own turns stand."""
        return self.record.brought_by if self.brought_by is None else self.brought_by

    def holds(self, turn: PastTurn) -> bool:
        """Whether that turn is part of its memory: none that told another build of its life is, where this one does not
        ask."""
        if MARK in turn.body and not self._asks and is_life(read_message(turn.body), self._ams):
            return False
        return self.own.get(turn.own_seq, turn.status % REDELIVERED in SURVIVED)
