"""Who makes a request: a name, a role, and the agents that it may see and change.

In: names of agents as the bus has them. Out: whether they are within reach.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from caxton.errors import ConfigurationError


class Role(StrEnum):
    """What somebody may do; each role may do what those before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    DEVELOPER = "developer"
    ADMIN = "admin"

    def includes(self, needed: Role) -> bool:
        """Whether this role may do what that one may."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


def role_of(text: str) -> Role:
    """The role of that name; ConfigurationError where there is none."""
    try:
        return Role(text)
    except ValueError:
        raise ConfigurationError(f"{text[:40]!r} is no role", hint=f"roles are {', '.join(Role)}") from None


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who makes requests; `agents` are patterns of local names, `token` the id of the credential."""

    name: str
    role: Role
    agents: tuple[str, ...] = ("*",)
    platform: str = "local"
    token: str | None = None
    expires_us: int | None = None

    @property
    def everything(self) -> bool:
        """Whether every agent is within reach, and so is what belongs to none."""
        return "*" in self.agents

    def reaches(self, agent: str) -> bool:
        """Whether an agent, by its local or its full name, is within reach."""
        if self.everything:
            return True
        local, _, platform = agent.partition("@")
        return platform in ("", self.platform) and any(fnmatchcase(local, one) for one in self.agents)

    def reaches_any(self, agents: Iterable[str]) -> bool:
        """Whether one of these agents is."""
        return any(map(self.reaches, agents))


OWNER = Principal("owner", Role.ADMIN)
"""Whoever has opened the project's Unix socket: the user that the daemon runs as, or root."""
