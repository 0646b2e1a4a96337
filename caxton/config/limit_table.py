"""A table of limits: sizes, durations and counts as people write them, as whole numbers inside their bounds."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Annotated, cast

import msgspec
from pydantic import BeforeValidator

from caxton.duration import seconds
from caxton.limits import BOUNDS, Limits

_SIZE = re.compile(r"(\d+)\s*(B|KiB|MiB|GiB)")
_SIZE_UNITS = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}


def byte_size(value: int | str) -> int:
    """Bytes from `1024` or `"16MiB"` (B, KiB, MiB, GiB); ValueError otherwise."""
    if isinstance(value, int):
        return value
    match = _SIZE.fullmatch(value.strip())
    if match is None:
        raise ValueError('a size is a number of bytes or text such as "256KiB" or "16MiB"')
    return int(match[1]) * _SIZE_UNITS[match[2]]


def _limit_table(value: object) -> object:
    """A [limits] table as whole numbers inside their bounds: sizes in bytes, `wall_ms` in milliseconds."""
    if not isinstance(value, Mapping):
        raise ValueError("limits are a table")
    table: dict[str, int] = {}
    for key, given in cast("Mapping[str, object]", value).items():
        bounds = BOUNDS.get(key)
        if bounds is None:
            close = difflib.get_close_matches(key, BOUNDS, n=1)
            meant = f", did you mean {close[0]!r}?" if close else ""
            raise ValueError(f"there is no limit {key!r}{meant} (limits: {', '.join(BOUNDS)})")
        if isinstance(given, bool) or not isinstance(given, int | str):
            raise ValueError(f"{key} must be a whole number")
        if isinstance(given, int):
            number = given
        elif key.endswith("_bytes"):
            number = byte_size(given)
        elif key.endswith("wall_ms"):
            number = round(seconds(given) * 1000)
        else:
            raise ValueError(f"{key} must be a whole number")
        if not bounds[0] <= number <= bounds[1]:
            raise ValueError(f"{key} = {number} is outside {bounds[0]} to {bounds[1]}")
        table[key] = number
    return table


def limits_from(table: object, over: Limits | None = None) -> Limits:
    """`over` (or the defaults) with what a [limits] table says; ValueError names what is wrong."""
    changes = _limit_table(table)
    assert isinstance(changes, dict)
    return msgspec.structs.replace(over or Limits(), **changes)


LimitTable = Annotated[dict[str, int], BeforeValidator(_limit_table)]
