"""Secrets out of texts that are shown or kept: logs, errors, events, settings.

In: any text. Out: the same with the secret part of every token of Caxton's form left out; its id stays, so that one
sees whose it was.
"""

from __future__ import annotations

import re

PREFIX = "cxt_"
_PREFIX = PREFIX.encode()
_TOKEN = re.compile(r"(cxt_[0-9a-f]{8}_)[A-Za-z0-9_-]{8,}")


def redacted(text: str) -> str:
    """The text without the secrets of tokens."""
    return _TOKEN.sub(r"\1…", text) if PREFIX in text else text


def redacted_json(body: bytes) -> bytes:
    """JSON without the secrets of tokens; what has none is returned as it is."""
    return redacted(body.decode()).encode() if _PREFIX in body else body
