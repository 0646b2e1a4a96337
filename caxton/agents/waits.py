"""Agents that wait for each other for ever: each has asked another and got no answer, has nothing to do and no timer.

In: agents whose mailboxes are empty, and what they have said and heard of late. Out: cycles of waits, found within a
second, each told once by an event and a line of the log, and there to be seen while it lasts. Nobody is stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec
import structlog

from caxton.acl import Message, Performative
from caxton.acl.message import read_message
from caxton.bus import Bus
from caxton.journal import Reader

AT_ONCE: Final = 10
"""Agents whose messages are read in one look; others have their turn in the next."""
RECENT: Final = 100
"""Messages of an agent that are read, the newest."""
_ASKS: Final = frozenset(
    {
        Performative.REQUEST,
        Performative.REQUEST_WHEN,
        Performative.QUERY_IF,
        Performative.QUERY_REF,
        Performative.CFP,
        Performative.PROPOSE,
        Performative.ACCEPT_PROPOSAL,
    }
)
"""What is to be answered; a subscription is, but nobody stands still for it."""

_BEGIN: Final = _ASKS - {Performative.PROPOSE, Performative.ACCEPT_PROPOSAL} | {Performative.AGREE}
"""What is no answer by itself."""

log = structlog.get_logger("caxton.agents")


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """An agent waits for the answer of another (full names) to that message, which nothing but it will end."""

    agent: str
    awaits: str
    seq: int
    conversation_id: str
    since_us: int


class Waits:
    """All waits of one runtime. `has_timer` says whether something will wake an agent by time alone."""

    def __init__(self, bus: Bus, has_timer: Callable[[str], bool]) -> None:
        self.cycles: list[tuple[Wait, ...]] = []
        """Those that are there, each from its oldest wait on."""
        self._bus = bus
        self._has_timer = has_timer
        self._stood: dict[str, int] = {}
        """Agents without a message at the last look, with how many turns they had had."""
        self._looked: dict[str, int] = {}
        """Agents whose messages were read, with how many turns they had had."""
        self._of: dict[str, list[Wait]] = {}
        self._last_seq = -1

    async def look(self, reader: Reader) -> bool:
        """Look once; whether somebody stands still whose messages are not read yet."""
        bus = self._bus
        if self._last_seq != bus.last_seq:
            before = self._stood
            self._stood = {name: one.turns for name, one in bus.endpoints.items() if self._stands(name)}
            unknown = {name: turns for name, turns in self._stood.items() if self._looked.get(name) != turns}
            # who was at work a moment ago is so again in a moment, as a rule
            due = [name for name, turns in unknown.items() if before.get(name) == turns][:AT_ONCE]
            self._last_seq = bus.last_seq if len(due) == len(unknown) else -1
            for name in due:
                turns = unknown[name]
                rows = await reader.messages(agent=name, limit=RECENT, newest_first=True)
                said = [(row.seq, read_message(row.body)) for row in reversed(rows)]
                self._looked[name] = turns
                self._of.pop(name, None)
                if found := list(open_asks(name, said)):
                    self._of[name] = found
            self._looked = {name: turns for name, turns in self._looked.items() if name in bus.endpoints}
        self._found(self._cycles())
        return self._last_seq == -1

    # ------------------------------------------------------------------ who stands still

    def _stands(self, name: str) -> bool:
        endpoint = self._bus.endpoints[name]
        return endpoint.turns > 0 and endpoint.depth == 0 and not endpoint.suspended

    def _is_known(self, name: str) -> bool:
        return self._looked.get(name) == self._bus.endpoints[name].turns

    def _waits(self, name: str) -> Sequence[Wait]:
        """The waits of an agent that stands still and that only another agent's answer can wake."""
        if name not in self._bus.endpoints or not self._stands(name) or not self._is_known(name):
            return ()
        waits = self._of.get(name, ())
        if not waits or self._has_timer(name) or any(one.awaits not in self._bus.endpoints for one in waits):
            return ()
        return waits

    def _cycles(self) -> list[tuple[Wait, ...]]:
        waits = {name: found for name in self._of if (found := self._waits(name))}
        return list(cycles(waits))

    def _found(self, now: list[tuple[Wait, ...]]) -> None:
        before = {frozenset(one) for one in self.cycles}
        for cycle in now:
            if frozenset(cycle) in before:
                continue
            log.warning("agents wait for each other, and nothing else will wake them", waits=in_words(cycle))
            self._bus.event(
                "waits",
                agent=cycle[0].agent,
                conversation=cycle[0].conversation_id,
                body={"what": "cycle", "waits": [msgspec.to_builtins(one) for one in cycle]},
            )
            self._bus.settle()
        self.cycles = now


def open_asks(name: str, said: Iterable[tuple[int, Message]]) -> Iterator[Wait]:
    """What an agent (full name) has asked and was not answered, of what it said and heard, in order; nothing where a
    time would end its wait."""
    asked: dict[tuple[str, str, str | None], Wait] = {}
    for seq, message in said:
        talk = message.conversation_id
        if message.sender == name:
            if message.performative in _ASKS and message.reply_by is None:
                for to in message.receiver:
                    asked[to, talk, message.reply_with] = Wait(
                        agent=name, awaits=to, seq=seq, conversation_id=talk, since_us=message.timestamp
                    )
        else:
            for to, its_talk, reply_with in list(asked):
                from_it = its_talk == talk and (to == message.sender or message.sender.startswith("ams@"))
                if from_it and _answers(message, reply_with):
                    del asked[to, its_talk, reply_with]
    yield from asked.values()


def _answers(message: Message, reply_with: str | None) -> bool:
    """Whether a message of who was asked is the answer."""
    if message.in_reply_to is not None and reply_with is not None:
        return message.in_reply_to == reply_with and message.performative is not Performative.AGREE
    return message.performative not in _BEGIN


def cycles(waits: Mapping[str, Sequence[Wait]]) -> Iterator[tuple[Wait, ...]]:
    """Cycles among waits, each agent in one of them at the most; a cycle begins with its oldest wait."""
    done: set[str] = set()
    for start in waits:
        way: list[Wait] = []
        at, on_way = start, dict[str, int]()
        while at in waits and at not in done and at not in on_way:
            on_way[at] = len(way)
            # the oldest wait that leads to somebody who waits as well
            following = [one for one in waits[at] if one.awaits in waits]
            if not following:
                break
            way.append(min(following, key=lambda one: one.seq))
            at = way[-1].awaits
        if at in on_way and len(way) > on_way[at]:
            cycle = way[on_way[at] :]
            first = min(range(len(cycle)), key=lambda place: cycle[place].seq)
            yield (*cycle[first:], *cycle[:first])
        done |= on_way.keys()


def in_words(cycle: Iterable[Wait]) -> str:
    """Who waits for whom: `a waits for b, b waits for a`."""
    return ", ".join(
        f"{one.agent.partition('@')[0]} waits for {one.awaits.partition('@')[0]}" for one in cycle
    )
