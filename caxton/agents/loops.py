"""Agents that say the same to each other again and again.

In: the newest messages, and what they came of. Out: loops in which nothing new is said, each told once by an event and
a line of the log, and there to be seen while it goes on. Nobody is stopped but by the hops that a causal chain may have
(`limits.hops`); what would ask a model the same once more is refused (`is_looping`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
import structlog

from caxton import exact_numbers
from caxton.acl.message import read_message
from caxton.bus import Bus
from caxton.journal import Reader, StoredMessage

HOPS: Final = 24
"""A message with fewer is of no loop yet."""
TIMES: Final = 4
"""So often the same was said, one time after the other."""
LONGEST: Final = 6
"""Steps that may repeat as one."""
NEWEST: Final = 8
"""Messages that are looked at in one look."""
FORGOTTEN_S: Final = 5.0
"""A loop of which nothing was heard for so long is over."""

log = structlog.get_logger("caxton.agents")


class Loop(msgspec.Struct, frozen=True, kw_only=True):
    """What these agents (full names) say to each other repeats; `times` is a lower bound."""

    agents: list[str]
    conversation_id: str
    trace_id: str
    times: int
    since_us: int
    seen_us: int
    model: bool
    """Whether a model is asked in it."""


class Loops:
    """All loops of one runtime."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._by_trace: dict[str, Loop] = {}
        self._last_seq = -1

    @property
    def all(self) -> list[Loop]:
        """Those that go on."""
        return list(self._by_trace.values())

    def is_looping(self, trace_id: str) -> bool:
        """Whether what belongs to that trace repeats without anything new."""
        return trace_id in self._by_trace

    async def look(self, reader: Reader, now_us: int) -> bool:
        """Look once; whether there is a loop, which may be over soon."""
        after, self._last_seq = self._last_seq, self._bus.last_seq
        self._by_trace = {
            trace: one for trace, one in self._by_trace.items() if now_us - one.seen_us < FORGOTTEN_S * 1e6
        }
        if after != self._last_seq:
            rows = await reader.messages(after_seq=max(after, 0), limit=NEWEST, newest_first=True)
            newest = {row.conversation_key: row for row in reversed(rows) if row.hops >= HOPS}
            for row in newest.values():
                await self._follow(reader, row, now_us)
        return bool(self._by_trace)

    async def _follow(self, reader: Reader, row: StoredMessage, now_us: int) -> None:
        """Whether what led to a message repeats."""
        way = [row]
        while len(way) < LONGEST * TIMES and way[-1].cause:
            before = await reader.message(way[-1].cause)
            if before is None:
                break
            way.append(before)
        steps = period([_step(one) for one in way])
        if not steps:
            return
        message = read_message(row.body)
        known = self._by_trace.get(message.trace_id)
        said = [read_message(one.body) for one in way[:steps]]
        names = dict.fromkeys(name for one in reversed(said) for name in (one.sender, *one.receiver))
        model = self._bus.full_name("model")
        loop = Loop(
            agents=list(names),
            conversation_id=message.conversation_id,
            trace_id=message.trace_id,
            times=row.hops // steps,
            since_us=way[-1].at_us if known is None else known.since_us,
            seen_us=now_us,
            model=model in names,
        )
        self._by_trace[message.trace_id] = loop
        if known is None:
            log.warning("agents say the same again and again", agents=list(names), times=loop.times)
            body = {"what": "loop", **msgspec.to_builtins(loop)}
            self._bus.event("loop", agent=message.sender, conversation=message.conversation_id, body=body)
            self._bus.settle()


def period(steps: Sequence[Any]) -> int:
    """How many steps repeat at the beginning, `TIMES` times without a difference; 0 where none do."""
    for length in range(1, LONGEST + 1):
        whole = length * TIMES
        if whole <= len(steps) and all(steps[at] == steps[at + length] for at in range(whole - length)):
            return length
    return 0


def _step(row: StoredMessage) -> tuple[str, Iterable[str], str, bytes]:
    message = read_message(row.body)
    content: Any = exact_numbers.decode(message.content)
    # what a model answers to the same question is nothing new
    said = b"" if message.sender.startswith("model@") else exact_numbers.encode(content)
    return message.sender, tuple(message.receiver), message.performative.value, said
