"""What the bus counts, as plain integers that only ever grow.

The way of a message adds to them and to nothing else; `/metrics` and `caxton status` read them.
"""

from __future__ import annotations

from caxton.turn_status import Status


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
        "overtakings",
        "publications",
        "publications_lost",
        "put_backs",
        "queue_us",
        "redelivered",
        "refused",
        "turn_us",
        "turns",
        "turns_broken",
        "turns_guest_error",
        "turns_limit",
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
        self.overtakings = 0
        """Urgent messages that went ahead of others that waited."""
        self.put_backs = 0
        """Turns that put their message back; they ended well."""
        self.publications = 0
        self.publications_lost = 0
        """Publications that a subscriber had no room for, once for each."""
        self.redelivered = 0
        self.refused = 0
        """Messages from clients that were refused on arrival."""
        self.violations = 0
        """Messages that broke their protocol, delivered or not."""
        self.by_rule: dict[str, int] = {}
        """Violations by the rule that was broken."""
        self.logs = 0
        self.logs_dropped = 0

    def turn(self, fuel: int, queue_us: int, turn_us: int) -> None:
        """A turn ended, in whatever way."""
        self.turns += 1
        self.fuel += fuel
        self.queue_us += queue_us
        self.turn_us += turn_us

    def turn_failed(self, status: int) -> None:
        """It ended otherwise than well."""
        match status:
            case Status.GUEST_ERROR:
                self.turns_guest_error += 1
            case Status.TRAP:
                self.turns_trap += 1
            case Status.LIMIT:
                self.turns_limit += 1
            case Status.BROKEN:
                self.turns_broken += 1
            case _:
                self.turns_refused += 1

    @property
    def turns_ok(self) -> int:
        """Turns that ended well."""
        failed = self.turns_guest_error + self.turns_trap + self.turns_limit + self.turns_broken
        return self.turns - failed - self.turns_refused

    def answer(self) -> None:
        """A message was admitted and put into a guest's mailbox, in one go."""
        self.messages += 1
        self.deliveries += 1

    def message(self) -> None:
        """A message was admitted."""
        self.messages += 1

    def delivery(self) -> None:
        """A message was put into a guest's mailbox."""
        self.deliveries += 1

    def overtaking(self) -> None:
        """An urgent message went ahead of others."""
        self.overtakings += 1

    def put_back(self) -> None:
        """A turn put its message back."""
        self.put_backs += 1

    def publication(self, lost: int) -> None:
        """Something was said to a topic, and so many subscribers lost it."""
        self.publications += 1
        self.publications_lost += lost

    def redelivery(self) -> None:
        """A message was delivered again."""
        self.redelivered += 1

    def refusal(self) -> None:
        """A client's message was refused on arrival."""
        self.refused += 1

    def dead_letter(self, code: str, receivers: int = 1) -> None:
        """A message could not be handled by so many receivers."""
        self.dead_letters += receivers
        self.by_reason[code] = self.by_reason.get(code, 0) + receivers

    def violation(self, rule: str) -> None:
        """A message broke its protocol."""
        self.violations += 1
        self.by_rule[rule] = self.by_rule.get(rule, 0) + 1

    def log_lines(self, kept: int, dropped: int) -> None:
        """A turn has logged so many lines, of which some were too many."""
        self.logs += kept
        self.logs_dropped += dropped

    def plain(self) -> dict[str, int]:
        """Every counter by name, without the dead letters' codes and the violations' rules."""
        plain = {name: getattr(self, name) for name in self.__slots__ if not name.startswith("by_")}
        return plain | {"turns_ok": self.turns_ok}
