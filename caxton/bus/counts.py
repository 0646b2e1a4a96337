"""What the bus counts, as plain integers that only ever grow.

The way of a message adds to them and to nothing else; `/metrics` and `caxton status` read them.
"""

from __future__ import annotations


class BusCounts:
    """Counters since the start of the daemon."""

    # a plain class with slots: adding to a field of a msgspec struct costs twice as much
    __slots__ = (
        "by_reason",
        "by_rule",
        "dead_letters",
        "deliveries",
        "fuel",
        "logs",
        "logs_dropped",
        "messages",
        "queue_us",
        "redelivered",
        "refused",
        "turn_us",
        "turns",
        "turns_broken",
        "turns_guest_error",
        "turns_limit",
        "turns_ok",
        "turns_refused",
        "turns_trap",
        "violations",
    )

    def __init__(self) -> None:
        self.messages = 0
        """Messages admitted, from clients, guests and the platform."""
        self.deliveries = 0
        """Messages put into a guest's mailbox, once for each receiver."""
        self.turns = 0
        """Turns that ended, in whatever way."""
        self.turns_ok = 0
        self.turns_guest_error = 0
        self.turns_trap = 0
        self.turns_limit = 0
        self.turns_broken = 0
        self.turns_refused = 0
        """Turns whose output the host refused."""
        self.fuel = 0
        self.turn_us = 0
        """Microseconds spent inside turns, summed."""
        self.queue_us = 0
        """Microseconds between admission and the beginning of the turn, summed."""
        self.dead_letters = 0
        self.by_reason: dict[str, int] = {}
        """Dead letters by their code."""
        self.redelivered = 0
        self.refused = 0
        """Messages from clients that were refused on arrival."""
        self.violations = 0
        """Messages that broke their protocol, delivered or not."""
        self.by_rule: dict[str, int] = {}
        """Violations by the rule that was broken."""
        self.logs = 0
        self.logs_dropped = 0

    def plain(self) -> dict[str, int]:
        """Every counter by name, without the dead letters' codes and the violations' rules."""
        return {name: getattr(self, name) for name in self.__slots__ if not name.startswith("by_")}
