"""Secrets out of texts that are shown or kept: logs, errors, events, settings.

In: any text. Out: the same with the secret part of every token of Caxton's form left out, whose id stays, so that one
sees whose it was; and with `***` for each value that this process was told to hide.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final

PREFIX = "cxt_"
SHORTEST: Final = 8
"""Characters of a value that is hidden: a shorter one stands in many words."""
_PREFIX = PREFIX.encode()
_TOKEN = re.compile(r"(cxt_[0-9a-f]{8}_)[A-Za-z0-9_-]{8,}")
_NUMBER = re.compile(r"[0-9.eE+-]+")
_hidden: list[str] = []


def hide(values: Iterable[str]) -> None:
    """From now on these are hidden, and no others: what variables of the environment have for models, tools and ways to
    the world. What reads as a number is not hidden, for JSON could not be read any more."""
    _hidden[:] = spellings(one for one in values if not _NUMBER.fullmatch(one))


def redacted(text: str) -> str:
    """The text without the secrets of tokens, and without what is hidden."""
    if PREFIX in text:
        text = _TOKEN.sub(r"\1…", text)
    for one in _hidden:
        text = text.replace(one, "***")
    return text


def redacted_json(body: bytes) -> bytes:
    """JSON without them; what has none is returned as it is."""
    if _PREFIX in body or any(one.encode("utf-8", "replace") in body for one in _hidden):
        return redacted(body.decode()).encode()
    return body


def spellings(values: Iterable[str]) -> list[str]:
    """Values as they may stand in a text: as they are, and as JSON spells them; the longest first."""
    found: set[str] = set()
    for value in values:
        if len(value) >= SHORTEST:
            found |= {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    return sorted(found, key=len, reverse=True)
