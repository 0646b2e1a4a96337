"""Which transitions of which protocols a run has exercised, and which never.

In: verdicts, in order. Out: for each protocol every row of its table and every universal transition, with how often
it was taken.
"""

from __future__ import annotations

from collections import Counter
from typing import Final, NamedTuple

from caxton.protocols.conversation import Conversation
from caxton.protocols.library import Library
from caxton.protocols.protocol import (
    CANCELLED_UNCONFIRMED,
    CANCELLING,
    EXPIRED,
    NO_DEADLINE,
    STAY,
    Ended,
    Legality,
    Protocol,
    Verdict,
)

UNIVERSAL: Final = (
    "cancel",
    "cancelled",
    "cancel-refused",
    "not-understood",
    "undeliverable",
    "initiator-died",
)
"""Rules that are transitions of every protocol; the first three only where it has a cancel."""


class Transition(NamedTuple):
    """One way from a state to the next: by an act, by a deadline, or by a rule of all protocols."""

    source: str
    by: str
    act: str
    to: str

    def __str__(self) -> str:
        return f"{self.source} --{self.by}{' ' * bool(self.by)}{self.act}--> {self.to}"


def transitions(protocol: Protocol) -> list[Transition]:
    """Every transition that a protocol has, rows of its table first."""
    found = [Transition(step.source, step.by.value, step.act.value, step.to) for step in protocol.steps]
    for state in protocol.states.values():
        if state.deadline not in (STAY, NO_DEADLINE):
            found.append(Transition(state.name, "", "deadline", state.deadline))
        if state.served is not None:
            found.append(Transition(state.name, "", "served", state.served))
    rules = UNIVERSAL if protocol.cancel else UNIVERSAL[3:]
    found += [Transition("any", "", rule, "-") for rule in rules]
    if protocol.cancel:
        found.append(Transition(CANCELLING, "", "deadline", CANCELLED_UNCONFIRMED))
    if protocol.time_to_live_us:
        found.append(Transition("any", "", "time to live", EXPIRED))
    return found


class Coverage:
    """Counts transitions."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._counts: dict[str, Counter[Transition]] = {name: Counter() for name in library.protocols}

    def note(self, verdict: Verdict, conversation: Conversation | None) -> None:
        """Count what a message has done, and what time had done before it."""
        if conversation is not None:
            self.note_ends(verdict.effects, conversation)
        counts = self._counts.get(verdict.protocol or "")
        if counts is None or verdict.legality is Legality.VIOLATION:
            return
        step = verdict.step
        if step is not None:
            counts[Transition(step.source, step.by.value, step.act.value, step.to)] += 1
        elif verdict.rule in UNIVERSAL:
            counts[Transition("any", "", verdict.rule, "-")] += 1

    def note_ends(self, effects: tuple[object, ...], conversation: Conversation) -> None:
        """Count the branches that time or a sub-conversation has ended."""
        counts = self._counts[conversation.protocol]
        states = self._library.tables[conversation.table].states
        for effect in effects:
            if not isinstance(effect, Ended):
                continue
            source = states.get(effect.source)
            if effect.state == EXPIRED:
                counts[Transition("any", "", "time to live", EXPIRED)] += 1
            elif effect.state == CANCELLED_UNCONFIRMED:
                counts[Transition(CANCELLING, "", "deadline", effect.state)] += 1
            elif source is not None and effect.state == source.served:
                counts[Transition(source.name, "", "served", effect.state)] += 1
            elif source is not None and effect.state == source.deadline:
                counts[Transition(source.name, "", "deadline", effect.state)] += 1

    def table(self) -> dict[str, dict[Transition, int]]:
        """How often each transition of each protocol was taken."""
        return {
            name: {one: self._counts[name][one] for one in transitions(protocol)}
            for name, protocol in self._library.protocols.items()
        }
