"""The platform's agent `timer`: it wakes agents, which cannot wait by themselves.

In: envelopes, at the moment of their admission. Out: answers in the same conversation. A timer is a row in the batch of
the message that set it, changed with every beat and taken out with its end, so it is there after a restart as it was.
What a timer causes begins a causal tree of its own, and each beat of one that repeats a trace of its own.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from caxton.acl import Draft, Performative
from caxton.acl.reply_by import time_text
from caxton.bus.bus import Bus
from caxton.bus.envelope import Envelope
from caxton.bus.mailbox import NEVER
from caxton.bus.platform_agent import TIMER_NUMBER
from caxton.clock import Alarm, Clock
from caxton.errors import InvalidMessage
from caxton.journal import DirectoryRow, Reader
from caxton.platform_agents.quotas import Quota
from caxton.platform_agents.timer_rows import KIND, SetTimer, TimerRow, check_row, row_of
from caxton.platform_agents.timer_wishes import HINT, cancelled_tag, read_wish

TIMERS_MAX: Final = 100_000
TIMERS_OF_ONE_MAX: Final = 10_000
BEATS_OF_ONE_MAX: Final = 1_000
"""Beats a second of all timers of one agent that repeat."""
CAUGHT_UP_MAX: Final = 1_000
"""Beats that one that catches up is late by; what is more is missed."""
RINGS: Final = 16
"""Timers that ring in one go; then others come first."""
LOOK_US: Final = 600_000_000
"""A timer on the calendar is looked at so often: the clock may have been set."""
CANCELLED: Final = "timer_cancelled"
"""The code of a ring that was on its way when its timer was called off."""
_encode = msgspec.json.Encoder().encode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode


class Timer:
    """Understands `request` with what `timer_wishes` reads, and `cancel`."""

    number = TIMER_NUMBER

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self.name = bus.full_name("timer")
        self._bus = bus
        self._clock = clock
        self._timers: dict[int, SetTimer] = {}
        self._due: list[tuple[int, int, int]] = []
        """A heap of when, a count, and which; what was called off or set anew is still in it."""
        self._pushed = 0
        self._quota: Quota[int] = Quota("timers", TIMERS_MAX, TIMERS_OF_ONE_MAX)
        self._alarm: Alarm | None = None
        self._alarm_us = NEVER

    # ------------------------------------------------------------------ its life

    async def load(self, reader: Reader) -> None:
        """Read what was set; it rings once `begin` was called."""
        for row in await reader.directory(KIND):
            assert row.body is not None
            self._keep(msgspec.json.decode(row.body, type=TimerRow))

    def begin(self) -> None:
        """Let time pass: what was due while nothing ran rings first."""
        self._arm()

    def close(self) -> None:
        """Let no time pass any more; the rows stay."""
        if self._alarm is not None:
            self._alarm.cancel()

    def removed(self, name: str) -> None:
        """An agent is gone for good: so are its timers."""
        for seq in self._quota.of(name):
            self._drop(self._timers[seq])

    def judged(self, owner: str, rows: Iterable[TimerRow]) -> Iterator[tuple[TimerRow, str | None]]:
        """Timers that an agent has from elsewhere, each with the reason why it cannot have it here."""
        many, beats = 0, 0.0
        for row in rows:
            try:
                check_row(row, self._clock.now_us())
                why = self._why_not(owner, row.every_us, many, beats)
            except InvalidMessage as error:
                why = error.message
            if why is None:
                many += 1
                beats += 1e6 / row.every_us if row.every_us else 0
            yield row, why

    def take_up(self, owner: str, rows: Iterable[TimerRow]) -> None:
        """An agent comes with timers that `judged` has passed: they ring on as they were set."""
        for row in rows:
            # a number of its own, which its rings name as their cause
            self._bus.event("timer", agent=owner, body={"what": "taken_up", "tag": row.tag})
            mine = msgspec.structs.replace(row, seq=self._bus.last_seq, owner=owner)
            self._write(mine)
            self._keep(mine)
        self._arm()

    @property
    def armed(self) -> int:
        """How many there are."""
        return len(self._timers)

    def count(self, owner: str) -> int:
        """How many timers of an agent are set."""
        return self._quota.count(owner)

    def rows(self, owner: str | None = None) -> list[TimerRow]:
        """Those of one agent, or all, the next to ring first."""
        found = [one.row for one in self._timers.values()] if owner is None else self._rows_of(owner)
        return sorted(found, key=lambda row: (row.due_us, row.seq))

    def oldest(self) -> int:
        """No message waits here: a timer that is set is a row."""
        return NEVER

    # ------------------------------------------------------------------ messages

    def take(self, envelope: Envelope) -> None:
        """Set a timer, or call some off."""
        message = envelope.message
        if message.performative is Performative.CANCEL:
            self._cancel(envelope)
            return
        if message.performative is not Performative.REQUEST:
            raise InvalidMessage("timer understands request and cancel", hint=HINT)
        tag = cancelled_tag(message.content)
        if tag is not None:
            self._bus.platform_turn(self, envelope)
            self._tell_cancelled(envelope, self._call_off_tagged(message.sender, tag))
            return
        wish = read_wish(message.content, message.timestamp)
        replaced = self._call_off_tagged(message.sender, wish.tag) if wish.replace else 0
        why = self._why_not(message.sender, wish.every_us)
        self._bus.platform_turn(self, envelope)
        if why is not None:
            if replaced:
                why += "; what had that tag was called off"
            self._bus.answer(envelope, self.name, Performative.REFUSE, {"reason": why})
            return
        row = row_of(envelope, wish)
        self._write(row)
        self._keep(row, envelope)
        self._arm()

    def _why_not(self, owner: str, every_us: int, coming: int = 0, beats: float = 0.0) -> str | None:
        """Why an agent may not have one more; so many are `coming` beside, with so many beats a second."""
        why = self._quota.why_not(owner, coming + 1)
        if why is None and every_us:
            others = beats + sum(1e6 / row.every_us for row in self._rows_of(owner) if row.every_us)
            if others + 1e6 / every_us > BEATS_OF_ONE_MAX:
                why = f"{owner} has timers of {others:,.0f} beats a second; an agent's share is {BEATS_OF_ONE_MAX:,}"
        return why

    def _cancel(self, envelope: Envelope) -> None:
        """`cancel` in a timer's conversation, or with a tag."""
        message = envelope.message
        tag = cancelled_tag(message.content)
        self._bus.platform_turn(self, envelope)
        if tag is not None:
            many = self._call_off_tagged(message.sender, tag)
        else:
            here = message.conversation_id
            many = self._call_off(message.sender, lambda of, _: of == here)
        if many:
            self._tell_cancelled(envelope, many)
            return
        reason = "nothing to cancel: no timer of yours is set in this conversation, or with that tag"
        content = {"error": "internal-error", "reason": reason, "hint": HINT}
        self._bus.answer(envelope, self.name, Performative.FAILURE, content)

    def _tell_cancelled(self, envelope: Envelope, many: int) -> None:
        self._bus.answer(envelope, self.name, Performative.INFORM, {"cancelled": many})

    def _call_off_tagged(self, owner: str, tag: msgspec.Raw) -> int:
        wanted = _canonical(tag)
        return self._call_off(owner, lambda _, tag: _canonical(tag) == wanted)

    def _call_off(self, owner: str, is_meant: Callable[[str, msgspec.Raw], bool]) -> int:
        """Drop an agent's timers by conversation and tag, and take back what has rung and was not read yet; how many
        were called off."""
        many = 0
        for row in [row for row in self._rows_of(owner) if is_meant(row.conversation_id, row.tag)]:
            self._drop(self._timers[row.seq])
            many += 1
        endpoint = self._bus.endpoints.get(owner)
        if endpoint is None or not endpoint.waiting:
            return many

        def has_rung(envelope: Envelope) -> bool:
            message = envelope.message
            if message.sender != self.name or message.performative is not Performative.INFORM:
                return False
            rung = msgspec.json.decode(message.content, type=_Rung)
            return rung.tag is not UNSET and is_meant(message.conversation_id, rung.tag)

        for envelope in endpoint.take_out(has_rung):
            self._bus.bury(owner, envelope, CANCELLED, "its timer was called off")
            # a beat's timer was counted already
            many += msgspec.json.decode(envelope.message.content, type=_Rung).beat is None
        return many

    # ------------------------------------------------------------------ time

    def _ring(self) -> None:
        """The first that is due rings, and with it some of all others that are."""
        now_us = max(self._elapsed_us(), self._alarm_us)
        self._alarm, self._alarm_us = None, NEVER
        for _ in range(RINGS):
            one = self._next_due(now_us)
            if one is None:
                break
            row = one.row
            if row.on_calendar and row.due_us > self._clock.now_us():
                self._push(one, now_us + self._left_us(row))
            elif row.repeats:
                self._beat_or_end(one, now_us)
            else:
                self._say(row, {"tag": row.tag}, row.trace_id)
                self._drop(one)
        self._arm()
        self._bus.settle()

    def _beat_or_end(self, one: SetTimer, now_us: int) -> None:
        """A rule that was understood once may not be any more: the machine has lost its zone. That ends the timer."""
        try:
            self._beat(one, now_us)
        except InvalidMessage as error:
            content = {"tag": one.row.tag, "reason": error.message, "hint": error.hint}
            self._say(one.row, content, one.row.trace_id, Performative.FAILURE)
            self._drop(one)

    def _beat(self, one: SetTimer, now_us: int) -> None:
        """A timer that repeats is due: say so, or count it as missed; and set it for the next time."""
        row, wall_us = one.row, self._clock.now_us()
        late_us = wall_us - row.due_us if row.on_calendar else now_us - one.elapsed_us
        passed = one.due(late_us, wall_us, CAUGHT_UP_MAX if row.catch_up else 0)
        is_last = 0 < row.count <= row.beat
        if self._takes(one) or is_last or row.catch_up:
            content: dict[str, object] = {"tag": row.tag, "beat": row.beat, "missed": row.missed}
            if row.cron is not None:
                content["at"] = time_text(row.due_us)
            one.rang(self._say(row, content, self._bus.ids.trace()))
        else:
            one.miss()
        if is_last:
            self._drop(one)
            return
        on_calendar = row.on_calendar
        one.step(wall_us)
        self._write(row)
        self._push(
            one,
            now_us + self._left_us(row) if on_calendar else one.elapsed_us + (passed + 1) * row.every_us,
        )

    def _takes(self, one: SetTimer) -> bool:
        """Whether its next beat would be read: the one before does not wait any more, and its agent works."""
        if one.waits:
            return False
        endpoint = self._bus.endpoints.get(one.row.receivers[0])
        return endpoint is None or (endpoint.refusal is None and endpoint.why_full is None)

    def _say(
        self, row: TimerRow, content: object, trace_id: str, act: Performative = Performative.INFORM
    ) -> Envelope:
        draft = Draft(
            act,
            row.receivers,
            msgspec.Raw(_encode(content)),
            conversation_id=row.conversation_id,
            protocol=row.protocol,
            in_reply_to=row.reply_with,
            language=row.language,
            ontology=row.ontology,
        )
        return self._bus.admit(draft, self.name, trace_id=trace_id, cause=row.seq, hops=0)

    def _left_us(self, row: TimerRow) -> int:
        """What is left of its time by the wall clock, which may stand anywhere after a restart: never more than the
        whole. One on the calendar is looked at again before, in case the clock is set."""
        return min(row.due_us - self._clock.now_us(), LOOK_US if row.on_calendar else row.whole_us)

    def _next_due(self, now_us: int) -> SetTimer | None:
        while self._due and self._due[0][0] <= now_us:
            _, pushed, seq = heapq.heappop(self._due)
            one = self._timers.get(seq)
            if one is not None and one.entry == pushed:
                return one
        return None

    def _arm(self) -> None:
        """Wake when the next one is due."""
        if not self._due or self._due[0][0] >= self._alarm_us:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_us = self._due[0][0]
        delay_s = max(0.0, (self._alarm_us - self._elapsed_us()) / 1e6)
        self._alarm = self._clock.later(delay_s, self._ring)

    def _elapsed_us(self) -> int:
        """Time that passes whatever somebody sets the wall clock to."""
        return round(self._clock.monotonic() * 1e6)

    # ------------------------------------------------------------------ what there is

    def _rows_of(self, owner: str) -> list[TimerRow]:
        return [self._timers[seq].row for seq in self._quota.of(owner)]

    def _keep(self, row: TimerRow, envelope: Envelope | None = None) -> None:
        tree = self._bus.works.restored(row.trace_id) if envelope is None else envelope.tree
        one = self._timers[row.seq] = SetTimer(row, tree.work)
        self._quota.take(row.owner, row.seq)
        self._push(one, self._elapsed_us() + self._left_us(row))

    def _push(self, one: SetTimer, elapsed_us: int) -> None:
        self._pushed += 1
        one.set_for(elapsed_us, self._pushed)
        heapq.heappush(self._due, (elapsed_us, self._pushed, one.row.seq))
        if len(self._due) > 2 * len(self._timers) + RINGS:
            self._due = [entry for entry in self._due if self._is_current(entry)]
            heapq.heapify(self._due)

    def _is_current(self, entry: tuple[int, int, int]) -> bool:
        one = self._timers.get(entry[2])
        return one is not None and one.entry == entry[1]

    def _drop(self, one: SetTimer) -> None:
        row = one.row
        del self._timers[row.seq]
        self._quota.give_back(row.owner, row.seq)
        self._bus.journal.batch.records.append(DirectoryRow(KIND, row.key, row.set_us, None, None))
        one.over()

    def _write(self, row: TimerRow) -> None:
        body = _encode(row).decode()
        self._bus.journal.batch.records.append(DirectoryRow(KIND, row.key, row.set_us, row.due_us, body))


def _canonical(tag: msgspec.Raw) -> bytes:
    """The same for the same JSON value: 1 is not true, and the order of keys says nothing."""
    return _encode_sorted(msgspec.json.decode(tag))


class _Rung(msgspec.Struct):
    """What a ring says."""

    tag: msgspec.Raw | UnsetType = UNSET
    beat: int | None = None
