"""How much of one thing that the platform keeps each agent may have.

In: who takes how much of it, and gives it back. Out: why somebody may take no more. There is a total, and nobody ever
takes all of it: an agent has no more than its share, and none that has as much as is left takes the rest, so whoever
has little gets some however many others are greedy.
"""

from __future__ import annotations

from collections import Counter
from typing import Generic, TypeVar

Key = TypeVar("Key")


class Quota(Generic[Key]):
    """One such thing: `total` of it in all, and `of_one` owner's at the most."""

    __slots__ = ("_by_owner", "_of_one", "_own", "_total", "_used", "_what")

    def __init__(self, what: str, total: int, of_one: int) -> None:
        self._what = what
        self._total = total
        self._of_one = of_one
        self._used = 0
        self._own: Counter[str] = Counter()
        self._by_owner: dict[str, dict[Key, int]] = {}

    def why_not(self, owner: str, amount: int = 1) -> str | None:
        """Why that owner may take no more now, None where it may."""
        own = self._own.get(owner, 0)
        left = self._total - self._used
        if own + amount > self._of_one:
            return f"{owner} has {own:,} {self._what} already, and an agent's share is {self._of_one:,}"
        if own + amount > left:
            rest = f"of {self._total:,} {self._what} {left:,} are left"
            return f"{rest}, for agents that have fewer than {owner}, which has {own:,}"
        return None

    def take(self, owner: str, key: Key, amount: int = 1) -> None:
        """It has one more, by that key."""
        self._by_owner.setdefault(owner, {})[key] = amount
        self._own[owner] += amount
        self._used += amount

    def give_back(self, owner: str, key: Key) -> None:
        """It has that one no more."""
        own = self._by_owner[owner]
        amount = own.pop(key)
        self._own[owner] -= amount
        self._used -= amount
        if not own:
            del self._by_owner[owner], self._own[owner]

    def of(self, owner: str) -> list[Key]:
        """What an owner has, the oldest first."""
        return list(self._by_owner.get(owner, ()))

    def count(self, owner: str) -> int:
        """How many of them an owner has."""
        return len(self._by_owner.get(owner, ()))
