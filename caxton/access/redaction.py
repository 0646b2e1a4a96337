"""Secrets out of texts that are shown or kept: logs, errors, events, settings.

In: any text. Out: the same with the secret part of every token of Caxton's form left out; its id stays, so that one
sees whose it was.
"""

from __future__ import annotations

import re

PREFIX = "cxt_"
_TOKEN = re.compile(r"(cxt_[0-9a-f]{8}_)[A-Za-z0-9_-]{8,}")


def redacted(text: str) -> str:
    """The text without the secrets of tokens."""
    return _TOKEN.sub(r"\1…", text) if PREFIX in text else text
