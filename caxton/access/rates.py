"""How often somebody may ask: a token bucket for each client, a bounded number of clients.

In: a client's key and the time in seconds. Out: whether one more request is within the rate.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

MOST_CLIENTS: Final = 4096
"""Clients that are remembered; who was not seen for longest is forgotten first, and begins with a full bucket."""


class Rates:
    """`per_s` requests a second for each client, and `burst` of them at once."""

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, now_s: float, *, count: bool = True) -> bool:
        """Whether that client may ask once more now; without `count` it is only looked."""
        left, since = self._left.pop(client, (self._burst, now_s))
        left = min(self._burst, left + (now_s - since) * self._per_s)
        within = left >= 1
        self._left[client] = (left - 1 if within and count else left, now_s)
        if len(self._left) > MOST_CLIENTS:
            self._left.popitem(last=False)
        return within
