"""Each agent's share of its cell and of the bus.

In: what an agent's turn took, of its cell and of the bus. Out: how many of its messages may stand in front of others',
and when it has to rest: after a turn that kept the bus for long, after many while the journal is behind, so that it has
no more than a quarter of either, and where it has a rate of its own.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from caxton.bus.endpoint import Endpoint
from caxton.clock import Clock
from caxton.journal import Journal

REST_FROM_US: Final = 3_000
REST: Final = 3
"""How many times as long as its turn kept the bus an agent leaves it to others."""


class Shares:
    """Gives every agent its share."""

    __slots__ = ("_clock", "_journal")

    def __init__(self, clock: Clock, journal: Journal) -> None:
        self._clock = clock
        self._journal = journal

    def turn(self, endpoint: Endpoint, turn_us: int, said_us: int) -> None:
        """A turn took so long in its cell, and what it said about so long of the bus."""
        endpoint.owes(said_us)
        if endpoint.resting:
            # its cell had this one already
            return
        much = said_us > REST_FROM_US or (endpoint.owed_us > REST_FROM_US and self._journal.behind)
        if much or endpoint.limits.turns_per_s:
            self._rest(endpoint)
        else:
            endpoint.costs(turn_us + said_us)

    def _rest(self, endpoint: Endpoint) -> None:
        """Leave the bus to others, so long as what it owes to them says, or its rate."""
        rate = endpoint.limits.turns_per_s
        rest_s = max(REST * endpoint.owed_us / 1e6, 1 / rate if rate else 0.0)
        endpoint.rest()
        self._clock.later(rest_s, partial(self._go_on, endpoint))

    def _go_on(self, endpoint: Endpoint) -> None:
        endpoint.go_on()
        if endpoint.owed_us > REST_FROM_US:
            self._rest(endpoint)
            return
        port = endpoint.port
        if endpoint.waiting and endpoint.open and not endpoint.queued and port is not None:
            port.wait(endpoint)
            port.settle()
