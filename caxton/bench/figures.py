"""Values that the bench reports, and how it says that it is still working."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec


class Figure(msgspec.Struct, frozen=True):
    """One value: a stable name, a number, its unit, and in words what it is."""

    name: str
    value: float
    unit: str
    text: str
    target: float | None = None
    """What DESIGN.md 7 asks for."""
    better: str = "lower"
    """lower or higher."""


class Report(msgspec.Struct, frozen=True):
    """One measure's figures and the seconds that it took."""

    measure: str
    text: str
    figures: list[Figure]
    seconds: float


class Progress(Protocol):
    """Told what is being done and how much of it, from 0 to 1."""

    def __call__(self, what: str, part: float) -> None: ...


def percentile(values: Sequence[int], part: float) -> float:
    """The value below which that part (0 to 1) of the sorted values lies."""
    if not values:
        raise ValueError("there is nothing to take a percentile of")
    return float(values[min(len(values) - 1, int(len(values) * part))])
