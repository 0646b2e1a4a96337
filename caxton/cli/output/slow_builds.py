"""Builds that take long: that they go on, and for how long by now.

In: the events of the development loop. Out: a word after so many seconds, and again ever more rarely, until the build
has ended: a compiler fills its cache at the first build, and silence would look like a loop that hangs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from caxton.devloop.events import BuildFailed, BuildStarted, Built, Ended, Event

AFTER_S: Final = (3, 10, 30, 60, 120, 240)


class SlowBuilds:
    """Hears the events, and tells of builds that go on."""

    def __init__(self, tell: Callable[[BuildStarted, int], None], after_s: Sequence[int] = AFTER_S) -> None:
        """`tell` gets what is being built and for how many seconds."""
        self._tell = tell
        self._after_s = after_s
        self._waiting: dict[str, list[asyncio.TimerHandle]] = {}

    def hear(self, event: Event) -> None:
        """A build that begins is waited for; one that ended is not."""
        match event:
            case BuildStarted():
                self._ended(event.agents[0])
                loop = asyncio.get_running_loop()
                self._waiting[event.agents[0]] = [
                    loop.call_later(seconds, self._tell, event, seconds) for seconds in self._after_s
                ]
            case Built() | BuildFailed():
                self._ended(event.agents[0])
            case Ended():
                for agent in list(self._waiting):
                    self._ended(agent)
            case _:
                pass

    def _ended(self, agent: str) -> None:
        for one in self._waiting.pop(agent, ()):
            one.cancel()
