"""Places in a content: `content.amount:>100`, `content.items.sku:red`, `content.to:=kiel,bonn`.

In: the place as it is typed, the word after it, and a content. Out: what stands there, and whether it is as the word
says; of lists each element may be meant. Numbers are compared digit by digit. It takes time that grows with the content
only: a content is at most 64 deep, and a place has at most `DEEPEST` keys.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple, cast

from caxton import exact_numbers

DEEPEST: Final = 16
"""Keys of a place."""

_KEY: Final = re.compile(r'\.("[^"]+"|[^\s:."]+)')
_NUMBER: Final = re.compile(r"-?\d[\d_]*(\.\d+)?(e[+-]?\d{1,4})?")
_COMPARED: Final = re.compile(r"(>=|<=|>|<)(.*)", re.DOTALL)
_COMPARE: Final[dict[str, Callable[[Decimal, Decimal], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


class Comparison(NamedTuple):
    """On which side of which number others must be."""

    side: str
    number: Decimal

    def holds(self, value: object) -> bool:
        """Whether it is a number on that side; a text that spells a number is one."""
        found = number(value)
        return found is not None and _COMPARE[self.side](found, self.number)


def place(text: str) -> tuple[str, ...]:
    """The keys of what is typed as `content.a."b c"`, in lower case; ValueError where they are too many."""
    keys = tuple(key.strip('"').casefold() for key in _KEY.findall(text))
    if len(keys) > DEEPEST:
        raise ValueError(f"a place has at most {DEEPEST} keys, this one has {len(keys)}")
    return keys


def comparison(word: str) -> Comparison | None:
    """What a word compares with, None where it does not; ValueError where that is no number."""
    found = _COMPARED.fullmatch(word)
    if found is None:
        return None
    side, text = found.groups()
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is no number, write it such as 100, 19.99 or 1e6")
    return Comparison(side, Decimal(text.replace("_", "")))


def values(content: object, keys: tuple[str, ...]) -> Iterator[object]:
    """What stands at that place: every element where there are lists on the way to it, or at it."""
    if isinstance(content, list):
        elements = cast("list[object]", content)
        if keys and keys[0].isdecimal():
            # never both: ways through lists in lists would multiply
            at = int(keys[0][:9])
            elements, keys = elements[at : at + 1], keys[1:]
        for element in elements:
            yield from values(element, keys)
    elif not keys:
        yield content
    elif isinstance(content, dict):
        fields = cast("dict[str, object]", content)
        for key, value in fields.items():
            if key.casefold() == keys[0]:
                yield from values(value, keys[1:])


def text(value: Any, room: int | None) -> str:
    """A value as it is searched: a text as it stands, everything else as JSON; so many characters of it."""
    return (value if isinstance(value, str) else exact_numbers.text(value))[:room]


def number(value: object) -> Decimal | None:
    """What a number is worth, and so is a text that spells one; None for everything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = value.strip().casefold()
        return Decimal(value.replace("_", "")) if len(value) < 1000 and _NUMBER.fullmatch(value) else None
    if isinstance(value, (int, float)):
        try:
            return exact_numbers.value(value)
        except InvalidOperation:
            # an exponent beyond what can be counted: it is compared as what it is nearest to
            return Decimal("Infinity" if value > 0 else "-Infinity" if value < 0 else 0)
    return None


def equal(value: object, word: str) -> bool:
    """Whether a value is that number or that text, whole; the word is in lower case."""
    found, wanted = number(value), number(word)
    if found is not None and wanted is not None:
        return found == wanted
    return text(value, None).casefold() == word
