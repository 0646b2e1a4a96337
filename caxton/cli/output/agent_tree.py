"""Agents below their makers, as `caxton agent tree` shows them.

In: every agent. Out: one row each, makers before their children, both by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from caxton.cli.output.printing import Columns, safe
from caxton.schemas.daemon import AgentBody

DEEPEST: Final = 12
"""Agents that are made by agents that are made: no further in than so many."""


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
    for one in agents:
        children.setdefault(one.maker, []).append(one)
    roots = {agent.name for agent in children.get(None, ())} | {
        maker for maker in children if maker is not None and maker not in by_name
    }

    ahead = [(name, 0) for name in sorted(roots, reverse=True)]
    while ahead:
        name, depth = ahead.pop()
        agent = by_name.get(name)
        yield TreeRow(
            name,
            agent.maker if agent else None,
            agent is not None and agent.linked,
            agent.state if agent else None,
            depth,
        )
        below = sorted((child.name for child in children.get(name, ())), reverse=True)
        ahead += [(child, depth + 1) for child in below]


def place(row: TreeRow) -> str:
    """Its name below its maker's; deeper than `DEEPEST` the depth is a number."""
    if row.depth > DEEPEST:
        return "  " * (DEEPEST - 1) + f"└ [{row.depth}] {safe(row.name)}"
    return "  " * (row.depth - 1) + "└ " * (row.depth > 0) + safe(row.name)


TREE: Final[Columns[TreeRow]] = (
    ("AGENT", place),
    ("STATE", lambda row: row.state or "-"),
    ("LINKED", lambda row: "yes" if row.linked else ""),
)
