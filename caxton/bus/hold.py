"""Messages that are held: stopped between their admission and the referee, looked at, changed, dropped, let go.

    post ─▶ stops? ─▶ referee ─▶ route ─▶ mailbox
              │ yes                ▲
              ▼                    │ release, delay, edit; drop: to nobody
             held ─────────────────┘

In: break points, every message while there is one, and what the operator does. Out: the same messages later, each once
and in the order in which its sender said them to the same receiver in that conversation. A held message has a number,
an event and a row of its own in the journal; as it goes on it is a message with a later number, so that mailboxes stay
in the order of numbers. While something of a conversation is held, its clock stands still.

What the platform's own agents say, and what is said to them, is never held: they tell what has happened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from caxton.acl import Performative
from caxton.acl.message import Message, write_message
from caxton.bus.break_points import BreakPoint, BreakPoints
from caxton.bus.bus import Bus
from caxton.bus.conversations import ConversationEntry
from caxton.bus.endpoint import NEVER, Envelope
from caxton.bus.held import DROPPED, RELEASED, Extensions, HeldMessage, taken_up
from caxton.clock import Alarm, Clock
from caxton.errors import HeldBehind, InvalidMessage, MessageTooLarge, NotHeld
from caxton.journal import EDITED, HANDLED, BreakRow, Event, HeldRow, Reader
from caxton.journal import RELEASED as RELEASED_ROW
from caxton.limits import Limits

HELD_MAX: Final = 10_000
HELD_BYTES_MAX: Final = 64 * 1024 * 1024
"""Memory that held messages may take, whatever their number."""
DELAY_MAX_S: Final = 24 * 3600.0
BREAKS_MADE: Final = "breaks_made"
"""Key of the journal's meta: the number of the last break point, so that no id comes twice."""
_DROPPED: Final = ("dropped", "dropped by the operator")
_FULL: Final = ("held_full", "it would wait behind held messages, and no more can be held")

_encode = msgspec.json.Encoder().encode


class Hold:
    """The gate of the bus. Not thread-safe: one asyncio thread owns it. `most`: messages held at a time."""

    def __init__(self, bus: Bus, clock: Clock, limits: Limits, most: int = HELD_MAX) -> None:
        self.most = most
        self.points = BreakPoints(bus.platform)
        self._bus = bus
        self._clock = clock
        self._limits = limits
        self._held: dict[int, HeldMessage] = {}
        self._talks: dict[str, dict[int, HeldMessage]] = {}
        self._lines: dict[tuple[str, str, str], dict[int, HeldMessage]] = {}
        """By conversation, sender and receiver, each in order: whoever says something is asked for what is ahead of it,
        and a conversation may hold thousands."""
        self._by_break: Counter[str] = Counter()
        self._bytes = 0
        self.on_went_on: list[Callable[[str, tuple[int, int]], None]] = []
        """Told from when to when a conversation's clock has stood still."""
        self._alarms: dict[int | str, Alarm] = {}
        self._quick = bus.quick

    # ------------------------------------------------------------------ what there is

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[HeldMessage]:
        """Everything that is held, in order."""
        return iter(list(self._held.values()))

    def __contains__(self, seq: int) -> bool:
        """Whether a message is held under that number."""
        return seq in self._held

    def get(self, seq: int) -> HeldMessage:
        """One held message; NotHeld where it is not."""
        held = self._held.get(seq)
        if held is None:
            raise NotHeld(f"no message {seq} is held", hint="see: caxton break held")
        return held

    def of(self, conversation_id: str) -> list[HeldMessage]:
        """What is held of a conversation, in order."""
        return list(self._talks.get(conversation_id, {}).values())

    def held_by(self, break_id: str) -> int:
        """How many messages a break point holds."""
        return self._by_break.get(break_id, 0)

    def ahead_of(self, held: HeldMessage) -> HeldMessage | None:
        """What has to go on before it, if anything."""
        return self._ahead(held.message, held.seq)

    def oldest(self) -> int:
        """The lowest number that is held."""
        return next(iter(self._held), NEVER)

    async def load(self, reader: Reader) -> int:
        """After a start: everything is held that was, by the same break points; returns how many messages."""
        self.points.made = int(await reader.meta(BREAKS_MADE) or 0)
        for _, body in await reader.break_points():
            self.points.take_up(msgspec.json.decode(body, type=BreakPoint))
        for point in self.points.on:
            self._arm_end(point)
        for row in await reader.held_now():
            self._keep(taken_up(row))
        for held in self:
            # also where nobody judges: tasks have clocks of their own
            self._bus.referee_service.standing.setdefault(held.message.conversation_id, held.at_us)
            if held.due_us is not None:
                self._arm(held)
        self._watch()
        return len(self._held)

    def close(self) -> None:
        """Let nothing go on by itself any more; the journal has it."""
        for alarm in self._alarms.values():
            alarm.cancel()
        self._alarms.clear()

    # ------------------------------------------------------------------ break points

    def add(
        self,
        text: str,
        *,
        by: str,
        name: str | None = None,
        most: int | None = None,
        for_s: float | None = None,
    ) -> BreakPoint:
        """Hold what that filter means from now on, `most` messages at the most, for so many seconds at the most.

        Raises InvalidFilter, InvalidMessage for a name that is taken, ResourceError where there are too many.
        """
        if name is not None and any(name in (one.id, one.name) for one in self.points.points.values()):
            raise InvalidMessage(f"a break point is called {name} already", hint="see: caxton break list")
        now_us = self._clock.now_us()
        until_us = None if for_s is None else now_us + round(for_s * 1e6)
        point = self.points.add(text, by=by, now_us=now_us, name=name, most=most, until_us=until_us)
        self._bus.journal.batch.meta(BREAKS_MADE, self.points.made)
        self._save(point)
        self._bus.event(
            "break_added", body={"break": point.id, "filter": point.filter, "name": point.name, "by": by}
        )
        self._arm_end(point)
        self._watch()
        return point

    def remove(self, id: str) -> BreakPoint:
        """Take a break point away; what it holds stays held. BreakNotFound where there is none."""
        point = self.points.get(id)
        self._forget(point)
        self._bus.event("break_removed", body={"break": point.id, "filter": point.filter, "hits": point.hits})
        self._watch()
        return point

    # ------------------------------------------------------------------ what the bus asks

    def stops(
        self,
        message: Message,
        extensions: Extensions | None,
        seq: int,
        cause: int,
        hops: int,
        entry: ConversationEntry,
    ) -> bool:
        """Hold a message that a break point means, or that something held is ahead of."""
        bus, id = self._bus, message.conversation_id
        if id in bus.referee_service.standing:
            bus.referee_service.stand(id, message.timestamp)
        platform = bus.platform_agents
        if message.sender in platform or all(name in platform for name in message.receiver):
            return False
        ahead = self._ahead(message, seq)
        point = self.points.meant(message)
        if point is None and ahead is None:
            return False
        if len(self._held) >= self.most or self._bytes >= HELD_BYTES_MAX:
            for one in self.points.on:
                self._end(one, "full")
            if ahead is None:
                return False
            bus.post(message, extensions, seq, cause, hops, HANDLED)
            return True
        body = write_message(message, extensions)
        break_id = point.id if point is not None else None
        held = HeldMessage(seq, message, extensions, body, cause=cause, hops=hops, break_id=break_id)
        batch = bus.journal.batch
        told = {
            **_told(held),
            "break": break_id,
            "behind": ahead.seq if ahead is not None else None,
        }
        batch.records += [
            Event(seq, message.timestamp, "held", message.sender, entry.key, _encode(told)),
            HeldRow(seq, entry.key, id, held.at_us, break_id, cause, hops, body),
            held.row(),
        ]
        batch.last_seq = seq
        self._keep(held)
        bus.referee_service.stand(id, held.at_us)
        if point is not None:
            point.hits += 1
            if point.most is not None and point.hits >= point.most:
                self._end(point, "hits")
            else:
                self._save(point)
        return True

    def discard(self, envelope: Envelope, flags: int) -> None:
        """Bring a message to nobody, and tell its sender."""
        # what was never held has not been released either
        why = _DROPPED if flags & RELEASED_ROW else _FULL
        for name in envelope.message.receiver:
            self._bus.dead_letter(name, envelope, *why)

    # ------------------------------------------------------------------ what the operator does

    def release(self, seq: int) -> int:
        """Let a message go on, as it is now; returns the number that it has from now on.

        Raises NotHeld, and HeldBehind where something has to go on before it.
        """
        held = self.get(seq)
        ahead = self.ahead_of(held)
        if ahead is not None:
            raise HeldBehind(
                f"message {seq} waits behind {ahead.seq}, which says something to the same receiver",
                hint=f"release that first: caxton break release {ahead.seq}",
            )
        went_on = self._go_on(held)
        self._follow(held.message.conversation_id)
        return went_on

    def release_some(self, seqs: list[int]) -> int:
        """Let those of these messages go on that are held; what has something ahead of it follows by itself when that
        has gone on. Returns how many there were."""
        found = [self._held[seq] for seq in seqs if seq in self._held]
        for held in found:
            if self.ahead_of(held) is None:
                self._go_on(held)
            else:
                self._set_free(held)
        for id in dict.fromkeys(held.message.conversation_id for held in found):
            self._follow(id)
        return len(found)

    def drop_some(self, seqs: list[int]) -> int:
        """Bring those of these messages to nobody that are held; returns how many there were."""
        found = [self._held[seq] for seq in seqs if seq in self._held]
        for held in found:
            self._go_on(held, dropped=True)
        for id in dict.fromkeys(held.message.conversation_id for held in found):
            self._follow(id)
        return len(found)

    def drop(self, seq: int) -> int:
        """Bring a message to nobody: a dead letter, and a `failure` to its sender; returns its last number.

        Raises NotHeld.
        """
        held = self.get(seq)
        went_on = self._go_on(held, dropped=True)
        self._follow(held.message.conversation_id)
        return went_on

    def delay(self, seq: int, seconds: float) -> int:
        """Let a message go on by itself in so many seconds; returns when, in microseconds since 1970.

        Raises NotHeld, InvalidMessage.
        """
        held = self.get(seq)
        if not 0 <= seconds <= DELAY_MAX_S:
            raise InvalidMessage(f"a delay is at most a day, not {seconds:g} seconds", hint="for example 5s")
        held.due_us = self._clock.now_us() + round(seconds * 1e6)
        self._note("delayed", held, due_us=held.due_us)
        self._arm(held)
        return held.due_us

    def edit(
        self,
        seq: int,
        *,
        performative: Performative | None = None,
        receiver: str | list[str] | None = None,
        content: msgspec.Raw | None = None,
    ) -> HeldMessage:
        """Change what a held message says, or to whom; it stays held, and what was said stays in the journal.

        Raises NotHeld, InvalidMessage, MessageTooLarge.
        """
        held = self.get(seq)
        before = held.message
        after = msgspec.structs.replace(
            before,
            performative=performative or before.performative,
            receiver=self._bus.addressing.receivers(receiver, self._limits.receivers)
            if receiver
            else before.receiver,
            content=before.content if content is None else content,
        )
        body = write_message(after, held.extensions)
        if len(body) > self._limits.message_bytes:
            raise MessageTooLarge(
                f"the message would have {len(body)} bytes, the limit is {self._limits.message_bytes}",
                hint="raise limits.message_bytes in caxton.toml, or send a reference",
            )
        self._bytes -= held.bytes
        self._leave(held)
        held.message, held.changed = after, body
        self._enter(held)
        self._bytes += held.bytes
        changed = [
            key
            for key in ("performative", "receiver", "content")
            if getattr(before, key) != getattr(after, key)
        ]
        self._note("edited", held, changed=changed)
        # what waited behind it may have another receiver now
        self._follow(after.conversation_id)
        return held

    # ------------------------------------------------------------------ inside

    def _ahead(self, message: Message, seq: int) -> HeldMessage | None:
        """The first that has to go on before it: what the same sender says to one of the same receivers there."""
        ahead: HeldMessage | None = None
        for line in _lines_of(message):
            first = next(iter(self._lines.get(line, {}).values()), None)
            if first is not None and first.seq < (seq if ahead is None else ahead.seq):
                ahead = first
        return ahead

    def _enter(self, held: HeldMessage) -> None:
        for key in _lines_of(held.message):
            line = self._lines.setdefault(key, {})
            later = bool(line) and next(reversed(line)) > held.seq
            line[held.seq] = held
            if later:
                # an edit has given it another receiver
                self._lines[key] = dict(sorted(line.items()))

    def _leave(self, held: HeldMessage) -> None:
        for key in _lines_of(held.message):
            del self._lines[key][held.seq]
            if not self._lines[key]:
                del self._lines[key]

    def _keep(self, held: HeldMessage) -> None:
        self._held[held.seq] = held
        if held.break_id is not None:
            self._by_break[held.break_id] += 1
        self._talks.setdefault(held.message.conversation_id, {})[held.seq] = held
        self._enter(held)
        self._bytes += held.bytes

    def _go_on(self, held: HeldMessage, *, dropped: bool = False) -> int:
        """The message leaves: its conversation's clock goes on where it was the last that is held of it."""
        bus, id = self._bus, held.message.conversation_id
        alarm = self._alarms.pop(held.seq, None)
        if alarm is not None:
            alarm.cancel()
        seq, now_us = bus.next()
        del self._held[held.seq]
        if held.break_id is not None:
            self._by_break[held.break_id] -= 1
            if not self._by_break[held.break_id]:
                del self._by_break[held.break_id]
        entry = self._talks[id]
        del entry[held.seq]
        self._leave(held)
        self._bytes -= held.bytes
        if entry:
            bus.referee_service.stand(id, now_us)
        else:
            del self._talks[id]
            since_us = bus.referee_service.standing.get(id, now_us)
            bus.referee_service.go_on(id, now_us, seq)
            for told in self.on_went_on:
                told(id, (since_us, now_us))
        flags = RELEASED_ROW | (EDITED if held.changed else 0) | (HANDLED if dropped else 0)
        message = held.going_on(now_us)
        bus.post(message, held.extensions, seq, held.cause, held.hops, flags)
        state = DROPPED if dropped else RELEASED
        bus.journal.batch.records.append(held.row(state, now_us, seq))
        bus.event(
            state,
            agent=message.sender,
            conversation=id,
            body={
                **_told(held),
                "went_on": seq,
                "held_us": now_us - held.at_us,
                "edited": bool(held.changed),
                "left": len(self._held),
            },
        )
        point = self.points.points.get(held.break_id) if held.break_id is not None else None
        if point is not None and point.ended is not None and not self.held_by(point.id):
            self._forget(point)
        self._watch()
        return seq

    def _follow(self, id: str) -> None:
        """Let go on what only waited for something that is not ahead of it any more."""
        for held in self.of(id):
            if held.free and self.ahead_of(held) is None:
                self._go_on(held)

    def _set_free(self, held: HeldMessage) -> None:
        """Let it go on as soon as nothing is ahead of it, after a restart too."""
        held.free = True
        held.due_us = self._clock.now_us()
        self._bus.journal.batch.records.append(held.row())

    def _note(self, kind: str, held: HeldMessage, **more: object) -> None:
        self._bus.journal.batch.records.append(held.row())
        id = held.message.conversation_id
        self._bus.event(kind, agent=held.message.sender, conversation=id, body={**_told(held), **more})

    def _arm(self, held: HeldMessage) -> None:
        """Wake when its delay is over."""
        assert held.due_us is not None
        seq = held.seq
        alarm = self._alarms.pop(seq, None)
        if alarm is not None:
            alarm.cancel()
        delay_s = max(0.0, (held.due_us - self._clock.now_us()) / 1e6)
        self._alarms[seq] = self._clock.later(delay_s, lambda: self._ring(seq))

    def _ring(self, seq: int) -> None:
        self._alarms.pop(seq, None)
        held = self._held.get(seq)
        if held is not None:
            held.free = True
            self._follow(held.message.conversation_id)
            self._bus.settle()

    def _arm_end(self, point: BreakPoint) -> None:
        if point.until_us is not None:
            delay_s = max(0.0, (point.until_us - self._clock.now_us()) / 1e6)
            self._alarms[point.id] = self._clock.later(delay_s, lambda: self._expire(point))

    def _expire(self, point: BreakPoint) -> None:
        self._alarms.pop(point.id, None)
        if self.points.points.get(point.id) is point and point.ended is None:
            self._end(point, "time")
            self._watch()
            self._bus.settle()

    def _end(self, point: BreakPoint, why: str) -> None:
        """It stops nothing any more; it is forgotten when nothing is held by it."""
        point.ended = why
        self._save(point)
        self._bus.event(
            "break_ended", body={"break": point.id, "filter": point.filter, "why": why, "hits": point.hits}
        )
        if not self.held_by(point.id):
            self._forget(point)

    def _forget(self, point: BreakPoint) -> None:
        alarm = self._alarms.pop(point.id, None)
        if alarm is not None:
            alarm.cancel()
        self.points.take_away(point.id)
        self._bus.journal.batch.records.append(BreakRow(point.id, None))

    def _save(self, point: BreakPoint) -> None:
        self._bus.journal.batch.records.append(BreakRow(point.id, _encode(point).decode()))

    def _watch(self) -> None:
        """Stand in the way of messages only as long as there is something to stop or to keep in order."""
        bus = self._bus
        wanted = bool(self._held or self.points.on)
        if wanted and bus.gate is None:
            self._quick, bus.quick, bus.gate = bus.quick, False, self
        elif not wanted and bus.gate is self:
            bus.gate, bus.quick = None, self._quick


def _lines_of(message: Message) -> Iterator[tuple[str, str, str]]:
    for name in message.receiver:
        yield message.conversation_id, message.sender, name


def _told(held: HeldMessage) -> dict[str, object]:
    """What every event about a held message says of it."""
    message = held.message
    return {
        "seq": held.seq,
        "id": message.id,
        "performative": message.performative,
        "sender": message.sender,
        "receiver": message.receiver,
        "conversation_id": message.conversation_id,
    }
