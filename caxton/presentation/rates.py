"""What agents do per second, from two looks at the daemon's meters: for `caxton top` and for every viewer.

In: the agents as they were, as they are, and the seconds between. Out: what each did, and the rest as it is now.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from caxton.schemas.daemon import AgentBody


@dataclass(frozen=True, slots=True)
class Pace:
    """One agent between two looks: what it did per second, and the rest as it is now."""

    name: str
    state: str
    cell: int | None
    turns_s: float
    sent_s: float
    fuel_s: float
    failed_s: float
    busy: float
    """Share of the time that it spent in turns, 0 to 1."""
    waiting: int
    memory_kib: int | None
    failed: int
    restarts: int


def pace(before: AgentBody | None, now: AgentBody, passed_s: float) -> Pace:
    """What an agent did in `passed_s` seconds; a new agent counts from zero."""

    def per_second(count: Callable[[AgentBody], int]) -> float:
        return grown(count(before) if before is not None else 0, count(now)) / passed_s

    return Pace(
        name=now.name,
        state=now.state,
        cell=now.cell,
        turns_s=per_second(lambda agent: agent.turns),
        sent_s=per_second(lambda agent: agent.sent),
        fuel_s=per_second(lambda agent: agent.fuel),
        failed_s=per_second(lambda agent: agent.failed_turns),
        busy=min(per_second(lambda agent: agent.turn_us) / 1e6, 1.0),
        waiting=now.mailbox,
        memory_kib=now.memory_kib,
        failed=now.failed_turns,
        restarts=now.restarts,
    )


def grown(before: int, now: int) -> float:
    """By how much a counter has grown; one that counts less has begun again from zero."""
    return float(now - before if now >= before else now)
