"""Output in whatever encoding the terminal has: what it lacks is written with characters that it has.

In: the streams of the process. Out: the same streams, which never refuse a character.
"""

from __future__ import annotations

import codecs
import sys
from io import TextIOWrapper
from typing import Final

_ASCII: Final = (
    {"→": "->", "←": "<-", "µ": "u", "…": "...", "–": "-", "—": "-", "·": "-", "×": "x", "✓": "+", "✗": "x"}
    | dict.fromkeys("│┃", "|")
    | dict.fromkeys("─━", "-")
    | dict.fromkeys("┌┐└┘├┤┬┴┼", "+")
    | dict.fromkeys("█▉▊▋▌▍▎▏", "#")
)


def take_any_encoding() -> None:
    """Have what the terminal's encoding lacks written with characters that it has."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="caxton")


def as_shown(text: str) -> str:
    """The text as stdout will show it, so that its width can be measured."""
    encoding = sys.stdout.encoding or "utf-8"
    return text if text.isascii() else text.encode(encoding, "caxton").decode(encoding)


def _replaced(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    lacking = error.object[error.start : error.end]
    return "".join(
        _ASCII.get(one) or one.encode("ascii", "backslashreplace").decode() for one in lacking
    ), error.end


codecs.register_error("caxton", _replaced)
