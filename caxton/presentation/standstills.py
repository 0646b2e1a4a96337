"""Agents that do not get on, in words: cycles of waits, and loops.

In: the daemon's status. Out: a line for each of them, plain text.
"""

from __future__ import annotations

from collections.abc import Iterator

from caxton.presentation.text import safe
from caxton.presentation.times import local_time
from caxton.schemas.daemon import StatusBody


def standstill_lines(status: StatusBody) -> Iterator[str]:
    """Who waits for whom since when, and who says the same again and again."""
    for cycle in status.waits:
        yield "for ever: " + ", ".join(
            f"{safe(one.agent)} waits for {safe(one.awaits)} since {local_time(one.since)} (#{one.seq})"
            for one in cycle
        )
    for loop in status.loops:
        refused = "; the model refuses" if loop.model else ""
        names, talk = ", ".join(map(safe, loop.agents)), safe(loop.conversation_id)
        yield f"{names} say the same again and again, {loop.times:,} times by now ({talk}){refused}"
