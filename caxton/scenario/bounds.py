"""How much may be: `3`, `">=1"`, `"<=2MiB"`, `"<50ms"`.

In: what a file says. Out: `Bounds` that say of a figure whether it is within, in the words in which they were written.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_COMPARED: Final = re.compile(r"(>=|<=|>|<|=|)\s*(.+)")
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

    def holds(self, figure: float) -> bool:
        """Whether that figure is on the side."""
        return _HOLDS[self.side](figure, self.figure)

    def __str__(self) -> str:
        return self.written


def read_bounds(value: object, read: Callable[[str], float]) -> Bounds:
    """Bounds from a number, which means exactly that, or from text whose figure `read` knows; ValueError otherwise."""
    if isinstance(value, Bounds):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Bounds("=", value, str(value))
    found = _COMPARED.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError('write a number, or compare with >, >=, < or <=, such as ">=1"')
    try:
        figure = read(found[2].replace("_", ""))
    except ValueError as error:
        raise ValueError(f"{found[2]!r} cannot be compared with: {error}") from None
    return Bounds(found[1] or "=", figure, str(value))
