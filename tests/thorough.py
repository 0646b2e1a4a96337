"""How much the gate tries of what could be tried for ever; `just check-long` tries all of it (`SLOW_TESTS=1`)."""

from __future__ import annotations

import os
from typing import Final

LONG: Final = "SLOW_TESTS" in os.environ


def examples(many: int) -> int:
    """How many of so many drawn examples are tried."""
    return many if LONG else max(10, many // 4)
