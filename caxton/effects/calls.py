"""Calls to the world as the journal has them: at most once.

In: a call that is about to leave, its end. Out: a row that says that it begins, on disk before it leaves, and taken out
in the batch of its answer. A call whose row is there after a start was interrupted: nobody knows whether it was done,
so it is never made again, but where that does no harm (decision 45).
"""

from __future__ import annotations

from typing import Final

from caxton.bus.bus import Bus
from caxton.bus.envelope import Envelope
from caxton.bus.platform_agent import PlatformAgent
from caxton.clock import Clock
from caxton.journal import DirectoryRow, Reader

KIND: Final = "effect_call"
"""What a begun call's row in the journal's directory is called."""
HARMLESS: Final = '{"idempotent":true}'
"""What the row of a call says that may be made again."""


class Calls:
    """All calls of a daemon that are begun; `begin` and `end` are the two steps of each."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._begun: dict[str, int] = {}
        self._harmless: set[str] = set()
        """Those that were begun in an earlier life and may be made again."""

    async def load(self, reader: Reader) -> None:
        """Read which calls had begun when the daemon ended."""
        rows = await reader.directory(KIND)
        self._begun = {row.key: row.at_us for row in rows}
        self._harmless = {row.key for row in rows if row.body == HARMLESS}

    def interrupted(self, agent: PlatformAgent, envelope: Envelope) -> bool:
        """Whether that call had begun before, and was not known then to do no harm if it is made again."""
        key = _key(agent, envelope)
        return key in self._begun and key not in self._harmless

    def forget(self, hosted: frozenset[str]) -> None:
        """Take out the rows of effects that are not there any more: what they were asked has become dead letters."""
        for key in [key for key in self._begun if key.partition(" ")[2] not in hosted]:
            self._take_out(key)

    async def begin(self, agent: PlatformAgent, envelope: Envelope, *, harmless: bool) -> int:
        """Say that the call begins; it may leave when this returns, the time of its beginning. `harmless`: after a
        crash it may be made again."""
        key, now_us = _key(agent, envelope), self._clock.now_us()
        self._begun[key] = now_us
        body = HARMLESS if harmless else "{}"
        self._bus.journal.batch.records.append(DirectoryRow(KIND, key, now_us, None, body))
        message = envelope.message
        self._bus.event(
            "effect",
            agent=agent.name,
            conversation=message.conversation_id,
            body={"what": "called", "message_seq": envelope.seq, "id": message.id, "by": message.sender},
        )
        self._bus.settle()
        await self._bus.journal.written()
        return now_us

    def end(self, agent: PlatformAgent, envelope: Envelope, began_us: int | None = None) -> None:
        """The call is done with, whether it was made or not; its answer, if it has one, is in the same batch."""
        key = _key(agent, envelope)
        if key in self._begun:
            self._take_out(key)
        self._bus.delivery.platform_turn(agent, envelope, began_us)

    def _take_out(self, key: str) -> None:
        at_us = self._begun.pop(key)
        self._bus.journal.batch.records.append(DirectoryRow(KIND, key, at_us, None, None))


def _key(agent: PlatformAgent, envelope: Envelope) -> str:
    # one message may be for several effects
    return f"{envelope.seq} {agent.name}"
