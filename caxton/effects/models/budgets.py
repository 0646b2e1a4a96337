"""What models may cost: tokens and money, reserved before a call and settled after it.

In: a call's places (its turn, conversation, agent, day; the project) and the most that it can cost; later what it has
cost. Out: why it may not be made; what was spent, by place. Pure: no I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from caxton.config import Allowance

TURN, CONVERSATION, REPLAY, AGENT, DAY, MODEL, PROJECT = (
    "turn",
    "conversation",
    "replay",
    "agent",
    "day",
    "model",
    "project",
)
KEPT: Final = {TURN: 10_000, CONVERSATION: 10_000, REPLAY: 1_000}
"""Places of which there are more and more: so many are remembered, the oldest is forgotten."""

Place = tuple[str, str]
"""A scope and a name in it."""


class Spent(msgspec.Struct, omit_defaults=True):
    """What was spent in a place."""

    calls: int = 0
    input: int = 0
    output: int = 0
    cached: int = 0
    money: float = 0.0

    @property
    def tokens(self) -> int:
        """In and out."""
        return self.input + self.output

    def add(self, cost: Spent) -> None:
        """That, too."""
        self.calls += cost.calls
        self.input += cost.input
        self.output += cost.output
        self.cached += cost.cached
        self.money += cost.money


@dataclass(frozen=True, slots=True)
class Shortage:
    """A place in which there is not enough left."""

    scope: str
    what: str
    """`tokens` or `money`."""
    limit: float
    left: float
    wanted: float


@dataclass(slots=True)
class Reservation:
    """What a call may cost, held back in its places until it is settled."""

    places: list[Place]
    most: Spent


@dataclass(slots=True)
class _Reserved:
    tokens: int = 0
    money: float = 0.0


@dataclass(slots=True)
class Budgets:
    """Those of one project: `limits` by scope, `own` for agents (local names) that have one of their own."""

    limits: Mapping[str, Allowance]
    own: Mapping[str, Allowance]
    spent: dict[Place, Spent] = field(default_factory=dict[Place, Spent])
    _reserved: dict[Place, _Reserved] = field(default_factory=dict[Place, _Reserved])

    def limit(self, place: Place) -> Allowance:
        """What may be spent in a place."""
        scope, name = place
        own = self.own.get(name) if scope == AGENT else None
        return own or self.limits.get(scope) or Allowance()

    def shortage(self, places: Iterable[Place], most: Spent) -> Shortage | None:
        """The first place in which a call that may cost so much would cost too much."""
        for place in places:
            limit, spent = self.limit(place), self.spent.get(place, Spent())
            reserved = self._reserved.get(place, _Reserved())
            for what, bound, used, wanted in (
                ("tokens", limit.tokens, spent.tokens + reserved.tokens, most.tokens),
                ("money", limit.money, spent.money + reserved.money, most.money),
            ):
                if bound is not None and used + wanted > bound:
                    return Shortage(place[0], what, bound, max(0, bound - used), wanted)
        return None

    def reserve(self, places: list[Place], most: Spent) -> Reservation:
        """Hold so much back."""
        for place in places:
            held = self._reserved.setdefault(place, _Reserved())
            held.tokens += most.tokens
            held.money += most.money
        return Reservation(places, most)

    def settle(self, reservation: Reservation, cost: Spent) -> list[Place]:
        """That is what it has cost; the places where something changed."""
        for place in reservation.places:
            held = self._reserved[place]
            held.tokens -= reservation.most.tokens
            held.money -= reservation.most.money
            if not held.tokens:
                del self._reserved[place]
        return self.add(reservation.places, cost)

    def add(self, places: list[Place], cost: Spent) -> list[Place]:
        """Something was spent that was not reserved."""
        for place in places:
            self.spent.setdefault(place, Spent()).add(cost)
            self._forget(place[0])
        return places

    def reserved(self, place: Place) -> tuple[int, float]:
        """What calls that are open may still cost there: tokens and money."""
        held = self._reserved.get(place, _Reserved())
        return held.tokens, held.money

    def _forget(self, scope: str) -> None:
        most = KEPT.get(scope)
        if most is None:
            return
        mine = [place for place in self.spent if place[0] == scope] if len(self.spent) > most else []
        for place in mine[: max(0, len(mine) - most)]:
            if place not in self._reserved:
                del self.spent[place]
