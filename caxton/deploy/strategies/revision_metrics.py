"""What two revisions of one agent did with the same messages, counted for each; and whether that is good enough.

In: one turn at a time. Out: numbers for people, and the first condition that the new revision does not meet. Pure: no
clock, no I/O. Both sides ran the same messages, so they may be compared without a second thought.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from caxton.bus import Envelope
from caxton.cells import Answer
from caxton.deploy.options import Condition
from caxton.turn_status import DISCARDED, Status

STEPS: Final = 16
"""Steps of the histogram in each doubling: a time is kept to about 4 %."""


class RevisionMetrics(msgspec.Struct, kw_only=True):
    """One revision's turns."""

    turns: int = 0
    spoken: int = 0
    """Turns whose words were said."""
    errors: int = 0
    violations: int = 0
    """Turns that said what may not be said."""
    fuel: int = 0
    """Of the turns that ended well; one that did not return is charged its whole budget, which says nothing."""
    good: int = 0
    times: dict[int, int] = msgspec.field(default_factory=dict[int, int])
    """How many turns took so long: the exponent of the time, in `STEPS` a doubling."""

    def count(self, *, fuel: int, turn_us: int, error: bool, violation: bool, spoken: bool) -> None:
        """One more turn."""
        self.turns += 1
        if not error:
            self.good += 1
            self.fuel += fuel
        self.errors += error
        self.violations += violation
        self.spoken += spoken
        place = round(STEPS * math.log2(max(turn_us, 1)))
        self.times[place] = self.times.get(place, 0) + 1

    @property
    def error_rate(self) -> float:
        """Errors of a hundred turns."""
        return 100.0 * self.errors / self.turns if self.turns else 0.0

    @property
    def fuel_a_turn(self) -> float:
        """Mean fuel of a turn that ended well."""
        return self.fuel / self.good if self.good else 0.0

    @property
    def p99_us(self) -> float:
        """The time that 99 of a hundred turns stay below, in microseconds, to about 4 %."""
        left = math.ceil(self.turns * 0.99)
        for place in sorted(self.times):
            left -= self.times[place]
            if left <= 0:
                return float(2 ** (place / STEPS))
        return 0.0

    def plain(self) -> dict[str, Any]:
        """It as people see it."""
        return {
            "turns": self.turns,
            "spoken": self.spoken,
            "errors": self.errors,
            "error_rate": round(self.error_rate, 3),
            "violations": self.violations,
            "fuel_a_turn": round(self.fuel_a_turn),
            "p99_us": round(self.p99_us),
        }


@dataclass(slots=True, eq=False)
class PendingTurn:
    """A message that one of the two has not answered yet, or of which nothing was said yet; then, what became of it."""

    envelope: Envelope
    place: int
    asked_new: bool
    for_new: bool
    """Whether its conversation is the new revision's."""
    new_speaks: bool
    held_new: bool = False
    """Whether the new revision has handled it before, when the old one gave it back."""
    old: Answer | None = None
    new: Answer | None = None
    said: bool = False
    put_back: bool = False
    refused: bool = False
    """Whether the bus refused what the new revision said."""
    violated: bool = False
    """Whether what was said was not legal in its conversation, or was refused; whoever said it."""

    def old_answered(self, answer: Answer) -> None:
        """What the old revision would say."""
        self.old = answer

    def new_answered(self, answer: Answer) -> None:
        """What the new revision would say."""
        self.new = answer

    def leave_to_old(self) -> None:
        """The new revision will not answer; what it has said stays said."""
        self.asked_new = False
        if not self.said:
            self.leave_words_to_old()

    def leave_words_to_old(self) -> None:
        """The old revision's words are said."""
        self.new_speaks = False

    def refuse(self) -> None:
        """The bus did not take what the new revision said."""
        self.refused = True

    def end(self, *, violated: bool, put_back: bool) -> None:
        """One side's words are said, or its wish to have the message once more is heard."""
        self.said, self.violated, self.put_back = True, violated, put_back

    @property
    def own_seq(self) -> int:
        """What the turn is known by in rows of `own_turn`."""
        return -self.place if self.put_back else self.envelope.seq


class ComparedMetrics(msgspec.Struct, kw_only=True):
    """Both."""

    old: RevisionMetrics = msgspec.field(default_factory=RevisionMetrics)
    new: RevisionMetrics = msgspec.field(default_factory=RevisionMetrics)

    def count(self, turn: PendingTurn) -> None:
        """Both have handled a message."""
        old, new = turn.old, turn.new
        assert old is not None
        assert new is not None
        old_violated = turn.violated and not turn.new_speaks
        new_violated = turn.refused or (turn.violated and turn.new_speaks)
        self.old.count(
            fuel=old.fuel,
            turn_us=old.turn_us,
            error=old.status != Status.OK or old_violated,
            violation=old_violated,
            spoken=not turn.new_speaks,
        )
        # what a guest itself refuses is an error where it was to speak and the old one took the message
        refuses = new.status == Status.GUEST_ERROR and turn.for_new and old.status == Status.OK
        self.new.count(
            fuel=new.fuel,
            turn_us=new.turn_us,
            error=new.status in DISCARDED or refuses or new_violated,
            violation=new_violated,
            spoken=turn.new_speaks,
        )

    def plain(self) -> dict[str, Any]:
        """Both as people see them."""
        return {"old": self.old.plain(), "new": self.new.plain()}

    def breach(self, conditions: tuple[Condition, ...]) -> str | None:
        """What the new revision does not meet, as a sentence; None where it meets all."""
        if not self.new.turns:
            return None
        for one in conditions:
            found = self._breach(one)
            if found is not None:
                return f"{found} ({one.text}) after {self.new.turns} turns"
        return None

    def _breach(self, one: Condition) -> str | None:
        old, new = self.old, self.new
        match one.what:
            case "error_rate":
                floor = old.error_rate if one.above_old else 0.0
                wrong = new.error_rate - floor > one.over
                return (
                    f"error_rate is {new.error_rate:.1f} %, the old one's {old.error_rate:.1f} %"
                    if wrong
                    else None
                )
            case "p99":
                most = old.p99_us * (1 + one.over / 100) if one.above_old else one.over
                if new.p99_us <= most:
                    return None
                return f"p99 is {new.p99_us / 1000:.2f} ms, the old one's {old.p99_us / 1000:.2f} ms"
            case "fuel":
                most = old.fuel_a_turn * (1 + one.over / 100) if one.above_old else one.over
                if new.fuel_a_turn <= most:
                    return None
                return f"fuel is {new.fuel_a_turn:,.0f} a turn, the old one's {old.fuel_a_turn:,.0f}"
            case _:
                return f"{new.violations} violations" if new.violations > one.over else None
