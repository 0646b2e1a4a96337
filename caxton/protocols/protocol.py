"""A protocol as data: states, steps, and what lies ready for quick judging.

In: what `table` has read and `soundness` has checked. Out: frozen values. Names of states are those of the FIPA
documents' drawings in lower case with hyphens.
"""

from __future__ import annotations

from enum import StrEnum
from hashlib import sha256
from typing import Final

import msgspec

from caxton.acl.performative import Performative
from caxton.protocols.rules import RULES

START: Final = "start"
CANCELLING: Final = "cancelling"
CANCELLED: Final = "cancelled"
CANCELLED_UNCONFIRMED: Final = "cancelled-unconfirmed"
NOT_UNDERSTOOD: Final = "not-understood"
TIMED_OUT: Final = "timed-out"
FAILED_DELIVERY: Final = "failed-delivery"
EXPIRED: Final = "expired"

STAY: Final = "stay"
"""A deadline that ends the round and not the branch: acts that need to be in time are too late after it."""
NO_DEADLINE: Final = "none"
"""A state that no `reply_by` bounds."""


class Role(StrEnum):
    """Who of a branch's two speaks."""

    INITIATOR = "initiator"
    PARTICIPANT = "participant"


class End(StrEnum):
    """How a branch ended: as wished, as the protocol foresees it, or by a fault."""

    SUCCESS = "success"
    FORESEEN = "foreseen"
    FAULT = "fault"


class Phase(StrEnum):
    """What a conversation with many participants is at; the earliest phase of an open branch is the whole's."""

    COLLECTING = "collecting"
    DECIDING = "deciding"
    EXECUTING = "executing"
    COMPLETE = "complete"


class Legality(StrEnum):
    """The three verdicts."""

    LEGAL = "legal"
    VIOLATION = "violation"
    IGNORED = "ignored"


class State(msgspec.Struct, frozen=True):
    """A state of a branch."""

    name: str
    phase: Phase
    end: End | None = None
    deadline: str = NO_DEADLINE
    """Where the branch goes when the `reply_by` of the message that led here passes; or `stay`, or `none`."""
    served: str | None = None
    """Where it goes when every sub-conversation that serves it has ended and was relayed."""


UNIVERSAL_STATES: Final[dict[str, State]] = {
    state.name: state
    for state in (
        State(CANCELLED, Phase.COMPLETE, End.FORESEEN),
        State(CANCELLED_UNCONFIRMED, Phase.COMPLETE, End.FAULT),
        State(NOT_UNDERSTOOD, Phase.COMPLETE, End.FAULT),
        State(TIMED_OUT, Phase.COMPLETE, End.FAULT),
        State(FAILED_DELIVERY, Phase.COMPLETE, End.FAULT),
        State(EXPIRED, Phase.COMPLETE, End.FAULT),
    )
}
"""Ends that every protocol has (fipa.md 2.10)."""


class Step(msgspec.Struct, frozen=True):
    """One row of a table: in `source`, when `by` says `act`, the branch goes to `to`."""

    source: str
    by: Role
    act: Performative
    to: str
    needs: tuple[str, ...] = ()
    """Conditions across branches, each the name of a rule."""
    round: bool = False
    """The step asks the participant into a new round, or into the one that has just begun."""
    bid: bool = False
    award: bool = False
    relay: bool = False
    """The broker passes on what a sub-conversation answered."""
    reopens: bool = False
    """The step leads out of an end; the table says so on purpose."""
    ignored: str | None = None
    """The rule by which the act changes nothing here."""
    rule: str = "step"
    answer: Performative | None = None
    """What the platform answers, with `reason`."""
    reason: str | None = None
    warning: str | None = None
    note: str = ""
    line: int = 0


class Answer(msgspec.Struct, frozen=True):
    """An effect: the platform's `ams` is to say this in the conversation."""

    performative: Performative
    receiver: str
    reason: str
    in_reply_to: str | None = None
    about: str | None = None
    """The agent that it is about, where that is not the receiver."""
    error: str | None = None
    """A code for programs, where `reason` is a sentence."""


class Ended(msgspec.Struct, frozen=True):
    """An effect: a branch has ended without a message of its own two."""

    participant: str
    state: str
    reason: str
    source: str
    """The state in which it ended; `cancelling` while a cancel waited."""
    conversation: str | None = None
    """Where it is another one than the message's: the one that a sub-conversation served."""


Effect = Answer | Ended


class Verdict(msgspec.Struct, frozen=True):
    """What the referee says of one message."""

    legality: Legality
    rule: str
    act: str
    state: str
    """The branch's state before the message; the first receiver's, or that of the one for whom it is wrong."""
    legal: tuple[str, ...] = ()
    """What the sender may say in that state."""
    participant: str | None = None
    """Whose branch the violation is in."""
    protocol: str | None = None
    step: Step | None = None
    warning: str | None = None
    effects: tuple[Effect, ...] = ()

    @property
    def sentence(self) -> str:
        """The rule in words."""
        return RULES[self.rule]


class Move(msgspec.Struct, frozen=True, eq=False):
    """A step with what judging needs of it laid ready."""

    step: Step
    verdict: Verdict
    bounded: bool
    """Whether the message's reply_by bounds the state that the step leads to."""
    plain: bool
    """Whether nothing else is to be looked at: no conditions, no rounds, no answer of the platform."""


Moves = tuple[dict[str, Move], dict[str, Move]]
"""Steps out of a state by act: the initiator's, the participant's."""


class Protocol(msgspec.Struct, frozen=True, eq=False):
    """One protocol, ready to judge by."""

    name: str
    names: tuple[str, ...]
    """Other names that mean it."""
    title: str
    document: str
    says: str
    cancel: bool
    time_to_live_us: int
    """Idle time after which a conversation expires; 0 where it never does."""
    states: dict[str, State]
    steps: tuple[Step, ...]
    serves_in: frozenset[str]
    """States in which sub-conversations may begin."""
    answers_asker: bool
    """Whether agents of a sub-conversation may answer this one's initiator directly."""
    moves: dict[str, Moves]
    text: str = ""
    """The table that it was read from."""
    table: str = ""
    """The name of exactly this table: a hash of its text."""

    @property
    def starts(self) -> dict[str, Move]:
        """The steps that begin a branch, by act."""
        return self.moves[START][0]

    @property
    def awards(self) -> bool:
        """Whether somebody wins something in it."""
        return any(step.award for step in self.steps)

    def waits_for_participant(self, state: str) -> bool:
        """Whether it is the participant's turn to say something there."""
        return any(move.step.ignored is None for move in self.moves[state][1].values())

    def acts(self, state: str, role: Role) -> tuple[str, ...]:
        """What that role may say in that state, conditions across branches left aside."""
        acts = {
            act
            for act, move in self.moves[state][role is Role.PARTICIPANT].items()
            if move.step.ignored is None
        }
        return tuple(sorted(acts | _everywhere(self.states, state, role, self.cancel)))


def build(
    *,
    name: str,
    names: tuple[str, ...],
    title: str,
    document: str,
    says: str,
    cancel: bool,
    time_to_live_us: int,
    states: dict[str, State],
    steps: tuple[Step, ...],
    serves_in: frozenset[str],
    answers_asker: bool,
    text: str,
) -> Protocol:
    """Lay everything ready that judging looks up."""
    every = states | UNIVERSAL_STATES
    moves: dict[str, Moves] = {state: ({}, {}) for state in [START, *every]}
    protocol = Protocol(
        name, names, title, document, says, cancel, time_to_live_us, every, steps, serves_in,
        answers_asker, moves, text, sha256(text.encode()).hexdigest()[:16],
    )  # fmt: skip
    listed: dict[tuple[str, Role], set[str]] = {}
    for step in steps:
        if step.ignored is None:
            listed.setdefault((step.source, step.by), set()).add(step.act.value)
    for step in steps:
        acts = listed.get((step.source, step.by), set()) | _everywhere(every, step.source, step.by, cancel)
        verdict = Verdict(
            Legality.IGNORED if step.ignored else Legality.LEGAL,
            step.ignored or step.rule,
            step.act.value,
            step.source,
            tuple(sorted(acts)),
            protocol=name,
            step=step,
            warning=step.warning,
        )
        special = step.needs or step.round or step.bid or step.award or step.answer or step.ignored
        bounded = every[step.to].deadline != NO_DEADLINE
        moves[step.source][step.by is Role.PARTICIPANT][step.act.value] = Move(
            step, verdict, bounded, not special
        )
    return protocol


def _everywhere(states: dict[str, State], state: str, role: Role, cancel: bool) -> set[str]:
    """The acts that every protocol has in that state."""
    if state == START or states[state].end is not None:
        return set()
    acts = {Performative.NOT_UNDERSTOOD.value}
    if cancel and role is Role.INITIATOR:
        acts.add(Performative.CANCEL.value)
    return acts
