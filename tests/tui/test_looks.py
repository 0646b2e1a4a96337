"""How often the daemon is asked for what: agents that nobody looks at more rarely than the status."""

from __future__ import annotations

from pathlib import Path

from caxton_tui.model.reader import AGENTS_S, LOOK_S

from .harness import Stage, daemon, market, settled, stage

LOOKS = 16


async def fresh(one: Stage) -> int:
    """Among so many looks, those that saw the agents too."""
    seen = 0
    for _ in range(LOOKS):
        status, agents = one.store.status, one.store.agents
        one.clock.advance(LOOK_S)
        await one.until(lambda store, status=status: store.status is not status)
        seen += one.store.agents is not agents
    return seen


async def test_agents_are_asked_for_rarely_while_nobody_looks_at_them(tmp_path: Path) -> None:
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path) as one:
        await one.until(settled(caxton), look=True)
        rare = LOOKS * LOOK_S / AGENTS_S
        # one look may have been under way, hurried
        assert rare - 1 <= await fresh(one) <= rare + 1
        await one.press("2")
        assert await fresh(one) >= LOOKS - 1
        await one.press("1")
        assert await fresh(one) <= rare + 1


async def test_an_agent_that_changes_is_seen_at_the_next_look(tmp_path: Path) -> None:
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path) as one:
        await one.until(settled(caxton), look=True)
        await fresh(one)
        await caxton.client.change_agent("seller-ann", "suspend")
        await one.until(lambda store: store.agents_due)
        one.clock.advance(LOOK_S)
        await one.until(lambda store: any(agent.state == "suspended" for agent in store.agents))
