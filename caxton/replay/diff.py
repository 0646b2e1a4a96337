"""How two JSON values differ, place by place.

In: what was said and what is said now. Out: places with the value before and after; numbers are equal by their value,
`true` is no number. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final, cast

import msgspec

from caxton import exact_numbers

_Array = Sequence[Any]

SHOWN: Final = 60
"""Letters of a value in a sentence."""
MOST: Final = 100
"""More differences of one turn are not told."""


class Difference(msgspec.Struct, frozen=True):
    """One place that differs; `kind` is "changed", "added" or "removed".

    `path` is written as `[0].content.price`: the number of the message, then keys and places in arrays.
    """

    path: str
    kind: str
    before: Any = None
    after: Any = None

    def __str__(self) -> str:
        """As a sentence, long values cut off: `[0].content.price: 40 before, 42 after`."""
        before = "nothing" if self.kind == "added" else _shown(self.before)
        after = "nothing" if self.kind == "removed" else _shown(self.after)
        return f"{self.path}: {before} before, {after} after"


def differences(before: Sequence[Any], after: Sequence[Any]) -> list[Difference]:
    """How two rows of messages differ, `MOST` places at the most; none where they are the same."""
    return list(islice(_arrays(before, after, ""), MOST))


def _differ(before: Any, after: Any, path: str) -> Iterator[Difference]:
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _objects(cast("dict[str, Any]", before), cast("dict[str, Any]", after), path)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _arrays(cast(_Array, before), cast(_Array, after), path)
    elif before != after or isinstance(before, bool) is not isinstance(after, bool):
        yield Difference(path, "changed", before, after)


def _objects(before: dict[str, Any], after: dict[str, Any], path: str) -> Iterator[Difference]:
    for key in before:
        place = f"{path}.{key}"
        if key in after:
            yield from _differ(before[key], after[key], place)
        else:
            yield Difference(place, "removed", before=before[key])
    for key in after:
        if key not in before:
            yield Difference(f"{path}.{key}", "added", after=after[key])


def _arrays(before: Sequence[Any], after: Sequence[Any], path: str) -> Iterator[Difference]:
    both = min(len(before), len(after))
    for at in range(both):
        yield from _differ(before[at], after[at], f"{path}[{at}]")
    for at in range(both, len(before)):
        yield Difference(f"{path}[{at}]", "removed", before=before[at])
    for at in range(both, len(after)):
        yield Difference(f"{path}[{at}]", "added", after=after[at])


def _shown(value: Any) -> str:
    text = exact_numbers.text(value, -1)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
