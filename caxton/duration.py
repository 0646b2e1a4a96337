"""A length of time as people write it: `500ms`, `5s`, `1.5m`, `2h`, `1d`; a number alone means seconds.

In: text from an option, a configuration key, an API body or a message. Out: seconds or microseconds. This is the only
reader of durations; what is too short or too long is for the caller to say.
"""

from __future__ import annotations

import math
import re
from typing import Final

PATTERN: Final = r"^\s*[+-]?[0-9]{1,9}(\.[0-9]{1,9})?\s*(ms|s|m|h|d)?\s*$"
"""The grammar, as JSON Schema has it too."""
_DURATION: Final = re.compile(r"([+-]?[0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(ms|s|m|h|d)?")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def microseconds(text: str) -> int | None:
    """The length that a text means, before now where it has a minus; None where it is not a duration."""
    found = _DURATION.fullmatch(text.strip())
    return None if found is None else round(float(found[1]) * _SECONDS[found[2] or "s"] * 1e6)


def seconds(value: float | str, *, most_s: float = math.inf) -> float:
    """Seconds from text or from a number of them, 0 to `most_s`; ValueError with one sentence otherwise."""
    if isinstance(value, str):
        length_us = microseconds(value)
        if length_us is None:
            raise ValueError(
                f"{value[:40]!r} is not a duration: write a number with ms, s, m, h or d, such as 500ms or 2h"
            )
        length_s = length_us / 1e6
    else:
        length_s = float(value)
    if length_s < 0:
        raise ValueError(f"{str(value)[:40]!r} is below 0; a duration here counts forwards")
    if length_s > most_s:
        raise ValueError(f"{str(value)[:40]!r} is longer than the {spelled(most_s)} that are allowed")
    return length_s


def spelled(length_s: float) -> str:
    """Seconds as a duration in the largest unit that fits whole: `1h`, `90s`."""
    units = (
        unit for unit in ("d", "h", "m") if length_s >= _SECONDS[unit] and length_s % _SECONDS[unit] == 0
    )
    unit = next(units, "s")
    return f"{length_s / _SECONDS[unit]:g}{unit}"
