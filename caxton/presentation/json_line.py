"""A JSON value as plain text on one line of a terminal."""

from __future__ import annotations

import json
from typing import Any

from caxton.presentation.text import safe


def compact(value: Any, width: int | None = None) -> str:
    """A JSON value on one line, cut to `width` characters."""
    text = safe(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    return text if width is None or len(text) <= width else text[: max(width - 1, 0)] + "…"
