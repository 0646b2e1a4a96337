"""Which conversations an agent's old revision still has to end, before it can go.

In: the bus, its referee, the agent. Out: how many are left, of two kinds. A conversation with a protocol has a known
end: it is over when the referee says that the agent's part of it is. One without, or one that nobody judges, is over
when it has been silent for a while; whoever asks says how long.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import islice
from typing import Final

from caxton.bus import Bus
from caxton.ids import conversation_key
from caxton.protocols.branch import is_open

AT_ONCE: Final = 4_096
"""Conversations that are looked at in one go, so that the bus is not held up."""


async def under_way(bus: Bus, agent: str) -> AsyncIterator[tuple[str, int]]:
    """The conversations that this agent takes part in, as far as the bus remembers, with the journal's keys."""
    entries = iter(list(bus.conversations.entries.items()))
    while part := list(islice(entries, AT_ONCE)):
        for id, entry in part:
            if agent in entry.members:
                yield id, entry.key
        await asyncio.sleep(0)


class OpenConversations:
    """What was under way when this was made ready by `look`."""

    def __init__(self, bus: Bus, agent: str) -> None:
        self._bus = bus
        self._agent = agent
        self._open: dict[str, None] = {}
        """Judged ones in which the agent's part goes on, as far as was seen."""
        self._others: set[int] = set()
        """Keys of those that nobody judges."""

    async def look(self) -> list[int]:
        """Find them, as far as the bus remembers; their keys."""
        async for id, key in under_way(self._bus, self._agent):
            ended = self._has_ended(id)
            if ended is None:
                self._others.add(key)
            elif not ended:
                self._open[id] = None
        return [*self._others, *(conversation_key(id) for id in self._open)]

    def is_silent_kind(self, conversation: str) -> bool:
        """Whether only silence says that this one is over."""
        return conversation_key(conversation) in self._others

    def count(self) -> tuple[int, int]:
        """How many with a protocol are open, and how many there are without; of very many a part is looked at."""
        for id in list(islice(self._open, AT_ONCE)):
            del self._open[id]
            # one that the referee has forgotten was complete
            if self._has_ended(id) is False:
                self._open[id] = None
        return len(self._open), len(self._others)

    def _has_ended(self, id: str) -> bool | None:
        """Whether the agent's part in it has come to an end; None where nobody judges that."""
        referee_service = self._bus.referee_service
        found = referee_service.known.get(id)
        protocol = referee_service.library.find(found.protocol) if found is not None else None
        if found is None or protocol is None:
            return None
        branch = found.branches.get(self._agent)
        if branch is None or found.initiator == self._agent:
            return not found.open
        return not is_open(protocol, branch)
