"""Who made whom, and what each may do: read from the agents' own rows, so it holds over a restart.

In: every agent, and the tables of `caxton.toml`. Out: makers, children, roots, rights. Rights are those of
`caxton.toml`, or what a maker gave.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from caxton.agents import AgentRecord, Registry
from caxton.agents.record import Made
from caxton.bus import Bus
from caxton.config import AgentTable


class Lineage:
    """Trees of makers. Names are full where nothing else is said."""

    def __init__(self, bus: Bus, registry: Registry, tables: Mapping[str, AgentTable]) -> None:
        self._bus = bus
        self._registry = registry
        self._tables = tables

    def maker(self, name: str) -> str | None:
        """The full name of whoever made that agent."""
        made = self._made(name)
        return None if made is None else made.maker

    def made(self, maker: str, asked: int) -> str | None:
        """The agent that was made for that message."""
        for record in self._registry.agents.values():
            made = record.config.made
            if (
                made is not None
                and (made.maker, made.asked) == (maker, asked)
                and record.revision is not None
            ):
                return record.endpoint.name
        return None

    def rules(self, agent: str, name: str) -> bool:
        """Whether an agent made the other one, or its maker, and so on."""
        return agent in self.makers(name)

    def may(self, agent: str, right: str) -> bool:
        """Whether an agent has a right: by caxton.toml, or from its maker."""
        made = self._made(agent)
        return self.granted(agent, right) if made is None else right in made.may

    def granted(self, agent: str, right: str) -> bool:
        """Whether caxton.toml gives an agent that right."""
        table = self.table(agent)
        return table is not None and right in table.may

    def table(self, agent: str) -> AgentTable | None:
        """What caxton.toml says of that agent."""
        return self._tables.get(self.local(agent))

    def of(self, maker: str, *, linked: bool = False) -> list[AgentRecord]:
        """The agents that it made itself; `linked`: those that end with it."""
        return [
            record
            for record in self._registry.agents.values()
            if (made := record.config.made) is not None
            and made.maker == maker
            and (made.linked or not linked)
        ]

    def below(self, root: str) -> list[AgentRecord]:
        """The agents that it made, that these made, and so on."""
        children: dict[str, list[AgentRecord]] = {}
        for record in self._registry.agents.values():
            if (made := record.config.made) is not None:
                children.setdefault(made.maker, []).append(record)
        found: list[AgentRecord] = []
        makers = [root]
        while makers:
            made_by_one = children.pop(makers.pop(), [])
            found += made_by_one
            makers += [record.endpoint.name for record in made_by_one]
        return found

    def _made(self, name: str) -> Made | None:
        record = self._registry.agents.get(self.local(name))
        return None if record is None else record.config.made

    def makers(self, name: str) -> Iterator[str]:
        """Its maker, that one's maker, and so on."""
        seen = {name}
        while (maker := self.maker(name)) is not None and maker not in seen:
            yield maker
            seen.add(maker)
            name = maker

    def root(self, name: str) -> str:
        """The first maker of all; itself where nobody made it."""
        *_, root = (name, *self.makers(name))
        return root

    def by_client(self, maker: str) -> bool:
        """Whether that maker is a client."""
        return self._bus.clients.is_client(maker)

    def local(self, name: str) -> str:
        """The name without this platform's."""
        return name.removesuffix(f"@{self._bus.platform}")
