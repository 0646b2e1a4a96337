"""Which proposals are accepted.

In: `lowest:PATH`, `highest:PATH`, `first`, `all` or `none`, and proposals in the order in which they came. Out: who
wins, and for everybody else the reason. PATH leads into the JSON content: `price`, `offer.price`, `offers.0.price`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeGuard, cast

import msgspec

from caxton import exact_numbers
from caxton.errors import InvalidTask

OTHERS: Final = "another proposal was chosen"
NOBODY: Final = "no proposal is accepted"
LATE: Final = "late"
OVER: Final = "the task's time is over"

_HINT: Final = "lowest:PATH, highest:PATH, first, all or none, for example lowest:price"


class How(StrEnum):
    """By what a proposal is chosen."""

    LOWEST = "lowest"
    HIGHEST = "highest"
    FIRST = "first"
    ALL = "all"
    NONE = "none"


class Offer(NamedTuple):
    """A proposal: whose, and the number by which it is compared, None where it has none."""

    participant: str
    value: int | float | None


class Chosen(NamedTuple):
    """Who wins, the best first, and why each of the others does not."""

    winners: list[str]
    reasons: dict[str, str]


class Selection(msgspec.Struct, frozen=True):
    """A rule for choosing among proposals."""

    how: How
    path: str = ""

    def __str__(self) -> str:
        return f"{self.how}:{self.path}" if self.path else self.how.value

    @property
    def compares(self) -> bool:
        """Whether proposals are held against each other, so that all must be there first."""
        return self.how in (How.LOWEST, How.HIGHEST)

    def among(self, offers: Sequence[Offer], winners: int) -> Chosen:
        """Choose at most `winners`; of equal ones, who came first."""
        if self.how is How.NONE:
            return Chosen([], {offer.participant: NOBODY for offer in offers})
        reasons: dict[str, str] = {}
        ranked: list[tuple[Decimal, str]] = []
        for offer in offers:
            value = offer.value if self.compares else 0
            if value is None:
                reasons[offer.participant] = f"the proposal has no number at {self.path}"
            else:
                ranked.append((exact_numbers.value(value), offer.participant))
        # stable: who came first stays first among equals
        ranked.sort(key=lambda one: one[0], reverse=self.how is How.HIGHEST)
        names = [name for _, name in ranked]
        return Chosen(names[:winners], reasons | dict.fromkeys(names[winners:], OTHERS))

    def value(self, content: msgspec.Raw) -> int | float | None:
        """The number at the path of a proposal's content; None where there is none, or nothing is compared."""
        if not self.compares:
            return None
        found: Any = exact_numbers.decode(content)
        for part in self.path.split("."):
            if isinstance(found, dict):
                found = cast("dict[str, Any]", found).get(part)
            elif _is_list(found) and part.isascii() and part.isdigit():
                found = found[int(part)] if len(part) < 9 and int(part) < len(found) else None
            else:
                return None
        if isinstance(found, bool) or not isinstance(found, int | float):
            return None
        return found if isinstance(found, int) or math.isfinite(found) else None


def read_selection(text: str) -> Selection:
    """The rule that a text names.

    Raises InvalidTask for what is none.
    """
    word, colon, path = text.strip().partition(":")
    try:
        choice = Selection(How(word), path.strip())
    except ValueError:
        raise InvalidTask(f"choose {text[:80]!r} is no way to choose", hint=_HINT, field="choose") from None
    if choice.compares and not choice.path:
        raise InvalidTask(
            f"choose {word} needs the path of a number", hint=f"for example {word}:price", field="choose"
        )
    if colon and not choice.compares:
        raise InvalidTask(f"choose {word} takes no path", hint=_HINT, field="choose")
    return choice


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
