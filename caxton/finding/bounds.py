"""Terms of a filter that compare: `since:5m`, `before:12:30`, `took:>10ms`, `fuel:>=1e6`.

In: the word of such a term, and what time it is. Out: a `Bound` that says of a figure whether it is within, or one
ValueError that names the rule. Times are seconds since 1970, lengths seconds.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple

from caxton import duration

BOUNDED: Final = ("since", "before", "took", "fuel")
"""The fields that compare."""

_COMPARED: Final = re.compile(r"(>=|<=|>|<)(.+)")
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


class Bound(NamedTuple):
    """A figure and on which side of it others must be."""

    side: str
    figure: float

    def holds(self, figure: float) -> bool:
        """Whether that figure is on the side."""
        return _COMPARE[self.side](figure, self.figure)


def bound(field: str, word: str, now: datetime) -> Bound:
    """What the word of that field means; `now` is in the local zone."""
    if field in ("since", "before"):
        return Bound(">=" if field == "since" else "<", moment(word, now))
    found = _COMPARED.fullmatch(word)
    if found is None:
        example = ">10ms" if field == "took" else ">1e6"
        raise ValueError(f"compare with >, >=, < or <=, such as {field}:{example}")
    side, text = found.groups()
    if field == "took":
        return Bound(side, duration.seconds(text))
    try:
        return Bound(side, float(text.replace("_", "")))
    except ValueError:
        raise ValueError(f"{text!r} is no number, write it such as 250000 or 1e6") from None


def moment(word: str, now: datetime) -> float:
    """A time of today, a date, an ISO time, or how long before `now`; without a zone by the local clock."""
    ago_us = duration.microseconds(word)
    if ago_us is not None:
        return now.timestamp() - ago_us / 1e6
    clock = _CLOCK.fullmatch(word)
    try:
        if clock is not None:
            hour, minute, second = (int(part or 0) for part in clock.groups())
            return now.replace(hour=hour, minute=minute, second=second, microsecond=0).timestamp()
        return datetime.fromisoformat(word.upper()).timestamp()
    except ValueError:
        raise ValueError(
            "a time is how long ago (5m), a time of today (12:30), or a date (2026-01-31, 2026-01-31T12:30)"
        ) from None
