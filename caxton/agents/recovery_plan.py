"""One agent on its way back, filled in as it goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from caxton.agents.record import AgentConfig, AgentRecord, Revision
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
    link: CellLink | None = None
    loaded: Loaded | None = None
    base: SnapshotRow | None = None
    """The moment that it begins from."""
    replays: bool = False
    turns: int = 0
    """How many turns were run once more."""
    last_seq: int = 0
    reason: str | None = None
    """Why it remembers less than it did."""
    error: CaxtonError | None = None
    broke: bool = False
    """Whether that is because a turn that went well once cost the instance."""
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
    portion: int = 16
    """Turns of the next frame: few, while they take long, so that it is seen how far it is."""
    own: dict[int, bool] = field(default_factory=dict[int, bool])
    """Turns of which it does not remember what their rows say."""

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
    def of(self) -> str:
        """The deployment under whose name its own turns stand."""
        return self.record.brought_by if self.brought_by is None else self.brought_by

    def holds(self, turn: PastTurn) -> bool:
        """Whether that turn is part of its memory."""
        return self.own.get(turn.seq, turn.status % REDELIVERED in SURVIVED)
