"""What the bus counts, as plain integers that only ever grow.

The way of a message adds to them and to nothing else; `/metrics` and `caxton status` read them.
"""

from __future__ import annotations

import msgspec


class BusCounts(msgspec.Struct):
    """Counters since the start of the daemon."""

    messages: int = 0
    """Messages admitted, from clients, guests and the platform."""
    deliveries: int = 0
    """Messages put into a guest's mailbox, once for each receiver."""
    turns: int = 0
    """Turns that ended, in whatever way."""
    turns_ok: int = 0
    turns_guest_error: int = 0
    turns_trap: int = 0
    turns_limit: int = 0
    turns_broken: int = 0
    turns_refused: int = 0
    """Turns whose output the host refused."""
    fuel: int = 0
    turn_us: int = 0
    """Microseconds spent inside turns, summed."""
    queue_us: int = 0
    """Microseconds between admission and the beginning of the turn, summed."""
    dead_letters: int = 0
    by_reason: dict[str, int] = {}
    """Dead letters by their code."""
    redelivered: int = 0
    refused: int = 0
    """Messages from clients that were refused at the door."""
    logs: int = 0
    logs_dropped: int = 0
    conversations: int = 0
    """Conversations begun."""
