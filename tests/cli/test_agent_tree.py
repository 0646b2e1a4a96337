"""`caxton agent tree`: agents below their makers, also where each has made the next."""

from __future__ import annotations

from typing import Any

from shapes import made

from caxton.cli.output.agent_tree import DEEPEST, place, tree_of
from caxton.schemas.daemon import AgentBody


def test_a_long_chain_has_an_end_and_lines_that_can_be_read() -> None:
    chain: list[dict[str, Any]] = [
        {"name": f"a{n:04}", "maker": f"a{n - 1:04}" if n else None} for n in range(3_000)
    ]
    rows = list(tree_of([made(AgentBody, one) for one in [*chain, {"name": "b", "maker": "a0000"}]]))
    shown = [place(row) for row in rows]
    assert shown[:3] == ["a0000", "└ a0001", "  └ a0002"]
    assert shown[DEEPEST + 1].strip() == f"└ [{DEEPEST + 1}] a{DEEPEST + 1:04}"
    assert shown[-1] == "└ b"
    assert (len(rows), max(map(len, shown)) < 60) == (3_001, True)
