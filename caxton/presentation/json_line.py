"""A JSON value as plain text on one line of a terminal."""

from __future__ import annotations

from typing import Any

from caxton import exact_numbers
from caxton.presentation.text import safe


def compact(value: Any, width: int | None = None) -> str:
    """A JSON value on one line, cut to `width` characters."""
    text = safe(exact_numbers.text(value, -1))
    return text if width is None or len(text) <= width else text[: max(width - 1, 0)] + "…"
