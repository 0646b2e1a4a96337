"""A range of time in a filter: the words for it, and a filter with another range. No Textual in here.

In: a filter as it was typed, and since and until when. Out: the filter with just that range.
"""

from __future__ import annotations

import re
from typing import Final

RANGES: Final = {
    "the last minute": ("1m", ""),
    "the last 5 minutes": ("5m", ""),
    "the last 15 minutes": ("15m", ""),
    "the last hour": ("1h", ""),
    "the last 24 hours": ("24h", ""),
    "since midnight": ("00:00", ""),
    "all times": ("", ""),
}
"""By what people call them: since, and before when."""

_RANGE: Final = re.compile(r'(?:^|(?<=\s))(?:since|before):(?:"[^"]*"|\S*)\s*')
_SAID: Final = re.compile(r'(?:^|\s)(since|before):(?:"([^"]*)"|(\S*))')


def with_range(text: str, since: str, before: str) -> str:
    """The filter with that range and no other; empty ends are open."""
    terms = (("since", since.strip()), ("before", before.strip()))
    said = [f'{field}:"{word}"' if " " in word else f"{field}:{word}" for field, word in terms if word]
    return " ".join([_RANGE.sub("", text).strip(), *said]).strip()


def range_of(text: str) -> tuple[str, str]:
    """Since and before when, as the filter has it; empty where it does not say."""
    found = {field: quoted or plain for field, quoted, plain in _SAID.findall(text)}
    return found.get("since", ""), found.get("before", "")
