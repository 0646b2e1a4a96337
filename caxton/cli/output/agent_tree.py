"""Agents below their makers, as `caxton agent tree` shows them.

In: every agent. Out: one row each, makers before their children, both by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from caxton.cli.output.printing import Columns, safe
from caxton.schemas.daemon import AgentBody


@dataclass(frozen=True, slots=True)
class TreeRow:
    """One agent in its place; `state` is None for a maker that is no agent here."""

    name: str
    maker: str | None
    linked: bool
    state: str | None
    depth: int


def tree_of(agents: Sequence[AgentBody]) -> Iterator[TreeRow]:
    """Every agent, each below its maker."""
    by_name = {agent.name: agent for agent in agents}
    children: dict[str | None, list[AgentBody]] = {}
    for agent in agents:
        children.setdefault(agent.maker, []).append(agent)
    roots = {agent.name for agent in children.get(None, ())} | {
        maker for maker in children if maker is not None and maker not in by_name
    }

    def below(name: str, depth: int) -> Iterator[TreeRow]:
        agent = by_name.get(name)
        yield TreeRow(
            name,
            agent.maker if agent else None,
            agent is not None and agent.linked,
            agent.state if agent else None,
            depth,
        )
        for child in sorted(children.get(name, ()), key=lambda one: one.name):
            yield from below(child.name, depth + 1)

    for root in sorted(roots):
        yield from below(root, 0)


TREE: Final[Columns[TreeRow]] = (
    ("AGENT", lambda row: "  " * (row.depth - 1) + "└ " * (row.depth > 0) + safe(row.name)),
    ("STATE", lambda row: row.state or "-"),
    ("LINKED", lambda row: "yes" if row.linked else ""),
)
