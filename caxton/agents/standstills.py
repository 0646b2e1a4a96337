"""The look-out for what goes no further: agents that wait for each other, and what is said again and again.

In: the journal's commits. Out: `waits` and `loops`, looked at a moment after something has happened; while nothing
happens nobody looks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from caxton.agents.loops import Loops
from caxton.agents.waits import Waits
from caxton.bus import Bus
from caxton.clock import Clock
from caxton.journal import Journal

LOOK_S: Final = 0.3
"""How often is looked; who has had no turn from one look to the next stands still."""


class Standstills:
    """Both of one runtime. `is_woken` says whether something but a message will wake an agent."""

    def __init__(self, bus: Bus, is_woken: Callable[[str], bool]) -> None:
        self.waits = Waits(bus, is_woken)
        self.loops = Loops(bus)

    async def run(self, journal: Journal, clock: Clock) -> None:
        """Look after each commit, until cancelled."""
        news = asyncio.Event()
        journal.on_commit.append(lambda _batch: news.set())
        while True:
            await news.wait()
            await asyncio.sleep(LOOK_S)
            news.clear()
            unread = await self.waits.look(journal.reader)
            if await self.loops.look(journal.reader, clock.now_us()) or unread:
                news.set()
