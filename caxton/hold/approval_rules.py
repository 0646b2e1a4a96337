"""Rules of `caxton.toml` that say which messages need a yes, and who may give it.

In: the tables `[approvals.NAME]`, and messages. Out: every rule that means a message, in the order of the file. Unlike
a break point's, a rule's words are looked for in the whole content, however long it is: what is not read is not safe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from caxton.access import Principal, Role
from caxton.acl.message import Message
from caxton.config import ApprovalTable
from caxton.errors import ConfigurationError, InvalidFilter
from caxton.finding import Filter
from caxton.hold.break_points import read_filter, subject_of

_ROLES: Final = frozenset(Role)


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """One rule; `then` says what happens after `timeout_us`."""

    name: str
    where: Filter
    by: tuple[str, ...]
    timeout_us: int
    then: str
    waiting: int

    def may_decide(self, who: Principal) -> bool:
        """Whether that is one of those who decide; an admin always is."""
        return any(
            who.name == one or (one in _ROLES and who.role.includes(Role(one)))
            for one in (*self.by, Role.ADMIN)
        )


class ApprovalRules:
    """All rules. Raises ConfigurationError for a filter that cannot be read: nothing runs without its rules."""

    def __init__(self, tables: Mapping[str, ApprovalTable], platform: str) -> None:
        self.by_name = {name: _read(name, table) for name, table in tables.items()}
        self._platform = platform

    def __bool__(self) -> bool:
        return bool(self.by_name)

    def meant(self, message: Message) -> list[str]:
        """The names of the rules that mean a message: each of them has to be satisfied."""
        if not self.by_name:
            return []
        subject = subject_of(message, self._platform, room=None)
        return [name for name, rule in self.by_name.items() if rule.where.passes(subject)]


def _read(name: str, table: ApprovalTable) -> ApprovalRule:
    try:
        where = read_filter(table.where)
    except InvalidFilter as error:
        raise ConfigurationError(f"[approvals.{name}] where: {error.message}", hint=error.hint) from error
    return ApprovalRule(name, where, tuple(table.by), round(table.timeout * 1e6), table.then, table.waiting)
