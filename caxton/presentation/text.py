"""What comes from the daemon as plain text for a terminal: for the command line and for every viewer.

In: names and figures as the API gives them. Out: text on one line that a terminal shows and never obeys, whatever an
agent said. Loads nothing: `caxton --help` needs it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_EMOJI: Final = "\u2190-\u2bff\u3030\u303d\ufe0f\U0001f000-\U0001faff"
_SCRIPTS: Final = "\u0600-\u0dff\u1000-\u109f\u1780-\u18af"
"""In which joiners are spelling: the Arabic and the Indic ones, Burmese, Khmer, Mongolian."""
_FLAG: Final = "(?<=\U0001f3f4)[\U000e0030-\U000e007a]{2,6}\U000e007f"
_JOINED = re.compile(
    f"(?<=[{_EMOJI}])\u200d(?=[{_EMOJI}])|(?<=[{_SCRIPTS}])[\u200c\u200d](?=[{_SCRIPTS}])|{_FLAG}"
)
"""What is not printed but makes one sign of several: families, flags, ligatures. Elsewhere it could hide in a name."""

_FROM_THE_RIGHT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001eeff]"
)
"""Letters of the scripts that are written so."""


def safe(text: object) -> str:
    """The text with control, escape and direction characters written as `\\x1b` instead of obeyed; emoji stay whole."""
    string = str(text)
    if string.isprintable():
        return string
    joined = {place for found in _JOINED.finditer(string) for place in range(*found.span())}
    return "".join(
        c if c.isprintable() or place in joined else c.encode("unicode_escape").decode("ascii")
        for place, c in enumerate(string)
    )


def isolated(text: str) -> str:
    """The text so that a terminal that writes Hebrew or Arabic from the right turns it alone round, and not what
    stands beside it on the line."""
    return f"\u2066{text}\u2069" if not text.isascii() and _FROM_THE_RIGHT.search(text) else text


def size(count: int | float | None) -> str:
    """Bytes in words: `14 B`, `1.5 KiB`, `3.2 GiB`."""
    if count is None:
        return "-"
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def memory(kib: int | None) -> str:
    """An instance's memory; `?` where it is unknown."""
    return "?" if kib is None else size(kib * 1024)


def span(duration_s: float) -> str:
    """A duration in words: `45 µs`, `12 ms`, `8.2 s`, `3 min`, `2 h 5 min`, `4 d 3 h`."""
    if duration_s < 0.001:
        return f"{duration_s * 1e6:.0f} µs"
    if duration_s < 1:
        return f"{duration_s * 1e3:.{1 if duration_s < 0.01 else 0}f} ms"
    if duration_s < 60:
        return f"{duration_s:.1f} s"
    minutes = int(duration_s // 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // 1440} d {minutes // 60 % 24} h"


def plural(count: int, noun: str) -> str:
    """`1 agent`, `2 agents`, `1,000 agents`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def drain_words(drain: Mapping[str, Any]) -> str:
    """What an old revision still has to end, as a deployment's `progress` says it."""
    opened, others = drain["open"], drain["without_protocol"]
    without = f", {others:,} without a protocol until they are silent" if others else ""
    return f"{opened:,} with a protocol still open{without}; at most {span(drain['left_s'])} more"
