"""How much may be: `3`, `">=1"`, `"<=2MiB"`, `"<50ms"`, `"<=1.02 * baseline"`.

In: what a file says. Out: `Bounds` that say of a figure whether it is within, in the words in which they were written.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_COMPARED: Final = re.compile(r"(>=|<=|>|<|=|)\s*(.+)")
_RELATIVE: Final = re.compile(r"(?:(\d+(?:\.\d+)?)\s*\*\s*)?baseline")
_HOLDS: Final[dict[str, Callable[[float, float], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """A figure and on which side of it others must be."""

    side: str
    figure: float
    written: str
    relative: bool = False
    """Whether `figure` is so many times a baseline."""

    def holds(self, figure: float, baseline: float = 1.0) -> bool:
        """Whether that figure is on the side."""
        return _HOLDS[self.side](figure, self.figure * baseline if self.relative else self.figure)

    def __str__(self) -> str:
        return self.written


def read_bounds(value: object, read: Callable[[str], float], *, relative: bool = False) -> Bounds:
    """Bounds from a number, which means exactly that, or from text whose figure `read` knows, or where it may be
    `relative` that names the baseline; ValueError otherwise."""
    if isinstance(value, Bounds):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Bounds("=", value, str(value))
    found = _COMPARED.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError('write a number, or compare with >, >=, < or <=, such as ">=1"')
    if relative and (times := _RELATIVE.fullmatch(found[2].strip())):
        return Bounds(found[1] or "=", float(times[1] or 1), str(value), relative=True)
    try:
        figure = read(found[2].replace("_", ""))
    except ValueError as error:
        raise ValueError(f"{found[2]!r} cannot be compared with: {error}") from None
    return Bounds(found[1] or "=", figure, str(value))
