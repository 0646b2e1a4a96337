"""One message that waits for a yes: whose yes is missing, who may give it, and when its time is over.

In: the rules that mean it, the time, people. Out: answers; nothing is written here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from caxton.access import Principal, Role
from caxton.acl.reply_by import moment_us
from caxton.clock import Alarm
from caxton.hold.approval_rules import ApprovalRule
from caxton.hold.held import HeldMessage

EARLY_US: Final = 20_000
"""So long before its `reply_by` a message is given up: then the refusal is in time."""
REFUSE: Final = "refuse"


@dataclass(slots=True)
class Waiting:
    """A message that waits; `needs` are the rules whose yes is missing, in order, `asked` all that it began with."""

    held: HeldMessage
    rules: Mapping[str, ApprovalRule]
    needs: list[str]
    asked: tuple[str, ...]
    bytes: int
    escalated: bool = False
    """Whether it was said that only an admin decides from now on."""
    alarm: Alarm | None = None

    def satisfied(self, names: list[str]) -> None:
        """Those rules have their yes."""
        self.needs = [name for name in self.needs if name not in names]

    def escalate(self) -> None:
        """It is said now."""
        self.escalated = True

    def wake(self, alarm: Alarm | None) -> None:
        """That is when time is over; None: never."""
        if self.alarm is not None:
            self.alarm.cancel()
        self.alarm = alarm

    # ------------------------------------------------------------------ who decides

    def deciders(self, now_us: int) -> list[str]:
        """Who may decide next: roles, and names of tokens."""
        rule = self.rules.get(self.needs[0]) if self.needs else None
        return [Role.ADMIN] if rule is None or self.late(now_us) else list(rule.by)

    def given_by(self, who: Principal, now_us: int) -> list[str]:
        """The rules that have their yes when that one says it: those up to the first that is not his to decide."""
        late = self.late(now_us)
        return list(takewhile(lambda name: self._may_decide(name, who, late), self.needs))

    def _may_decide(self, name: str, who: Principal, late: list[str]) -> bool:
        rule = self.rules.get(name)
        if rule is None or name in late:
            # what nobody has a rule for any more is not everybody's to decide
            return who.role is Role.ADMIN
        return rule.may_decide(who)

    # ------------------------------------------------------------------ time

    def until_us(self, now_us: int) -> int | None:
        """When something happens by itself: the earliest of its rules' time-outs and its `reply_by`."""
        ends = [self.held.at_us + rule.timeout_us for rule in self._open_rules()]
        if self.held.message.reply_by is not None:
            ends.append(moment_us(self.held.message.reply_by) - EARLY_US)
        return min((end for end in ends if not self.escalated or end > now_us), default=None)

    def over(self, now_us: int) -> tuple[str, str] | None:
        """Which rule's time is over so that it is refused, and why; None where it is not."""
        reply_by = self.held.message.reply_by
        if reply_by is not None and moment_us(reply_by) - EARLY_US <= now_us:
            return next(iter([*self.needs, *self.asked])), "nobody had decided by its reply_by"
        for name in self._over(now_us, REFUSE):
            return name, "nobody had decided when its time was over"
        return None

    def late(self, now_us: int) -> list[str]:
        """The rules whose time is over so that only an admin decides."""
        return self._over(now_us, Role.ADMIN)

    def _over(self, now_us: int, then: str) -> list[str]:
        rules = (rule for rule in self._open_rules() if rule.then == then)
        return [rule.name for rule in rules if self.held.at_us + rule.timeout_us <= now_us]

    def _open_rules(self) -> list[ApprovalRule]:
        return [self.rules[name] for name in self.needs if name in self.rules]
