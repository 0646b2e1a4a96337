"""Which agents may ask which effects: nobody, unless caxton.toml says so."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

import msgspec

from caxton.config import AgentTable


class Rights:
    """Those of the agents of a project; each kind of effect has a list of its own, with names or patterns."""

    def __init__(self, agents: Mapping[str, AgentTable]) -> None:
        self._agents = agents

    def has(self, agent: str, key: str, name: str) -> bool:
        """Whether that agent's list `key` has that name."""
        return any(fnmatchcase(name, pattern) for pattern in self._list(agent, key))

    def line(self, agent: str, key: str, name: str) -> str:
        """What caxton.toml has to say for it."""
        wanted = msgspec.json.encode([*self._list(agent, key), name]).decode().replace(",", ", ")
        return f"[agents.{agent}] {key} = {wanted}"

    def _list(self, agent: str, key: str) -> list[str]:
        table = self._agents.get(agent)
        return [] if table is None else getattr(table, key)
