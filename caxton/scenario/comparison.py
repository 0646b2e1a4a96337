"""Two baselines side by side: what agents used then and use now.

In: two of them. Out: a row for each figure, and whether it has grown by more than it may.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from caxton.scenario.baseline import AgentUse, Baseline


class Row(NamedTuple):
    """One figure of one agent; None where there was, or is, none."""

    agent: str
    what: str
    before: int | None
    now: int | None

    @property
    def change(self) -> float | None:
        """In percent; None where there is nothing to compare."""
        if not self.before or self.now is None:
            return None
        return (self.now - self.before) / self.before * 100

    def exceeds(self, tolerance: float) -> bool:
        """Whether it has grown by more percent than that."""
        return self.change is not None and self.change > tolerance

    def verdict(self, tolerance: float) -> str:
        """In a word."""
        if self.before is None:
            return "new"
        if self.now is None:
            return "gone"
        return "exceeded" if self.exceeds(tolerance) else "" if self.before == self.now else "within"

    def json(self, tolerance: float) -> dict[str, Any]:
        """As `-o json` prints it."""
        change = None if self.change is None else round(self.change, 3)
        return self._asdict() | {"change_percent": change, "exceeded": self.exceeds(tolerance)}


def compared(before: Baseline, now: Baseline) -> list[Row]:
    """Every figure of either, by agent."""
    agents = sorted(before.agents.keys() | now.agents.keys())
    return [
        row for agent in agents for row in _of_agent(agent, _figures(before, agent), _figures(now, agent))
    ]


def _of_agent(agent: str, before: Mapping[str, int], now: Mapping[str, int]) -> Iterator[Row]:
    for what in dict.fromkeys([*before, *now]):
        yield Row(agent, what, before.get(what), now.get(what))


def _figures(of: Baseline, agent: str) -> dict[str, int]:
    use = of.agents.get(agent, AgentUse())
    sizes = {"module bytes": use.module, "memory bytes": use.memory}
    found = {what: size for what, size in sizes.items() if size is not None}
    for act, fuel in sorted(use.fuel.items()):
        found |= {f"fuel on {act}, at most": fuel.most, f"fuel on {act}, all turns": fuel.total}
    return found


def markdown(rows: Sequence[Row], tolerance: float) -> str:
    """A table for a pull request: what has changed, the rest as a count."""
    changed = [row for row in rows if row.verdict(tolerance)]
    exceeded = sum(row.exceeds(tolerance) for row in rows)
    head = f"**{exceeded} of {len(rows)} figures have grown by more than {tolerance:g} %**"
    lines = [head if exceeded else f"No figure of {len(rows)} has grown by more than {tolerance:g} %", ""]
    if changed:
        lines += ["| agent | figure | baseline | now | change | |", "|---|---|--:|--:|--:|---|"]
        lines += [f"| {' | '.join(cells(row, tolerance))} |" for row in changed]
        lines.append("")
    return "\n".join([*lines, f"{len(rows) - len(changed)} are as they were.", ""])


def cells(row: Row, tolerance: float) -> list[str]:
    """A row as people read it."""
    figures = ["–" if one is None else f"{one:,}" for one in (row.before, row.now)]
    change = "" if row.change is None else f"{row.change:+.2f} %"
    return [row.agent, row.what, *figures, change, row.verdict(tolerance)]
