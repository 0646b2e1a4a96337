"""How long an agent that does not come up waits for its next try: longer each time, and never all of them at once."""

from __future__ import annotations

import random
from typing import Final

FIRST_S: Final = 1.0
LONGEST_S: Final = 60.0
FORGOTTEN_S: Final = 120.0
"""After so long without a failure the next one waits as the first one did."""


class BackOff:
    """The waits of one agent. They differ between agents by its name, so that a seed gives them again."""

    def __init__(self, name: str) -> None:
        self._random = random.Random(name)
        self._tries = 0
        self._failed_at = 0.0

    def wait_s(self, now: float) -> float:
        """It has failed now: seconds until the next try, from 75 % to 125 % of 1, 2, 4 … 60 s."""
        if now - self._failed_at > FORGOTTEN_S:
            self._tries = 0
        self._failed_at = now
        self._tries += 1
        whole_s = min(LONGEST_S, FIRST_S * (1 << min(self._tries - 1, 16)))
        return whole_s * self._random.uniform(0.75, 1.25)
