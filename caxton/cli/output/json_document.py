"""A value as JSON that a terminal shows as it is. Loaded with the first document: no command's help needs it."""

from __future__ import annotations

import re
from typing import Any, Final

from caxton import exact_numbers
from caxton.schemas.shape import plain

_OBEYED: Final = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What JSON text may hold raw and a terminal (or its encoding) would not merely show."""


def json_document(value: Any, *, indented: bool) -> str:
    """The value over several lines where it is `indented`, else on one."""
    text = exact_numbers.text(plain(value), 2 if indented else -1)
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
