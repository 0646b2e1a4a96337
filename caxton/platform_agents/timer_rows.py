"""Timers that are set: as the journal keeps them, and as the `timer` counts their time.

In: a request and the wish in it. Out: when it is due, which beat that is, and how many were missed.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from caxton.acl import read_draft
from caxton.bus.causes import Work
from caxton.bus.envelope import Envelope
from caxton.errors import InvalidMessage
from caxton.platform_agents import cron
from caxton.platform_agents.timer_wishes import LONGEST_MS, Wish, read_wish

KIND: Final = "timer"
"""What a timer's row in the journal's directory is called."""
COUNTED_MAX: Final = 1_000
"""Moments of a cron rule that are counted one by one after a time in which nothing ran; what is more is passed over."""

_TRACE: Final = re.compile("[0-9a-f]{32}")
_COUNTS_MAX: Final = 1 << 53
_encode = msgspec.json.Encoder().encode


class TimerRow(msgspec.Struct, omit_defaults=True):
    """One timer, everything that its rings need; times are microseconds since 1970."""

    seq: int
    """The request that set it."""
    owner: str
    conversation_id: str
    receivers: list[str]
    trace_id: str
    set_us: int
    due_us: int
    whole_us: int
    """From when it was set, or rang, to `due_us`."""
    tag: msgspec.Raw
    on_calendar: bool = False
    every_us: int = 0
    cron: str | None = None
    zone: str | None = None
    count: int = 0
    beat: int = 0
    """How many beats were due so far, missed ones included."""
    missed: int = 0
    """Since the last one that was sent."""
    catch_up: bool = False
    reply_with: str | None = None
    protocol: str | None = None
    language: str | None = None
    ontology: str | None = None

    @property
    def key(self) -> str:
        """Its key in the journal."""
        return f"{self.seq:020d}"

    @property
    def repeats(self) -> bool:
        """Whether it rings more than once."""
        return self.every_us > 0 or self.cron is not None


def row_of(envelope: Envelope, wish: Wish) -> TimerRow:
    """What a request sets."""
    message = envelope.message
    due_us = wish.first_us if wish.on_calendar else message.timestamp + wish.first_us
    return TimerRow(
        envelope.seq,
        message.sender,
        message.conversation_id,
        message.reply_to or [message.sender],
        message.trace_id,
        message.timestamp,
        due_us,
        max(0, due_us - message.timestamp),
        wish.tag,
        wish.on_calendar,
        wish.every_us,
        wish.cron,
        wish.zone,
        wish.count,
        catch_up=wish.catch_up,
        reply_with=message.reply_with,
        protocol=message.protocol,
        language=message.language,
        ontology=message.ontology,
    )


def check_row(row: TimerRow, now_us: int) -> None:
    """Whether a request could have made that row, which comes from elsewhere; raises InvalidMessage."""
    said: dict[str, Any] = {"tag": row.tag}
    if row.cron is not None:
        said |= {"cron": row.cron, "zone": row.zone}
    elif row.every_us:
        said["every_ms"] = row.every_us / 1000
    else:
        said["after_ms"] = 0
    if row.count:
        said["count"] = row.count
    message = {
        "performative": "inform",
        "receiver": row.receivers,
        "conversation_id": row.conversation_id,
        "in_reply_to": row.reply_with,
        "protocol": row.protocol,
        "language": row.language,
        "ontology": row.ontology,
        "content": said,
    }
    read_wish(read_draft(_encode(message)).content, now_us)
    latest_us = now_us + LONGEST_MS * 1000
    if not (
        0 <= row.due_us <= latest_us
        and 0 <= row.whole_us <= LONGEST_MS * 1000
        and 0 <= row.set_us <= latest_us
    ):
        raise InvalidMessage("it is not due within ten years")
    if not (0 <= row.beat < _COUNTS_MAX and 0 <= row.missed < _COUNTS_MAX and _TRACE.fullmatch(row.trace_id)):
        raise InvalidMessage("its beats or its trace are no such")


class SetTimer:
    """A row, and its place in time: `elapsed_us` is when it is due on a clock that nobody sets."""

    __slots__ = ("_last", "_work", "elapsed_us", "entry", "row")

    def __init__(self, row: TimerRow, work: Work) -> None:
        self.row = row
        self.elapsed_us = 0
        self.entry = 0
        """Its entry among those that are due."""
        self._last: Envelope | None = None
        self._work = work
        work.begin()

    def set_for(self, elapsed_us: int, entry: int) -> None:
        """It is due then."""
        self.elapsed_us, self.entry = elapsed_us, entry

    def over(self) -> None:
        """It does not ring any more."""
        self._work.end()

    @property
    def waits(self) -> bool:
        """Whether its last ring was not read yet."""
        return self._last is not None and not self._last.given and self._last.tree.waiting > 0

    def rang(self, envelope: Envelope) -> None:
        """It has rung: that says what was missed."""
        self._last, self.row.missed = envelope, 0

    def miss(self) -> None:
        """The beat that is due is not sent."""
        self.row.missed += 1

    def due(self, late_us: int, now_us: int, keeps: int) -> int:
        """A beat is due. Of those that are due by now it is the last, but for `keeps` of them; how many are passed
        over."""
        row = self.row
        if row.every_us:
            passed = max(0, late_us // row.every_us - keeps)
        else:
            passed = 0
            while passed < COUNTED_MAX and self._next_us() <= now_us:
                passed += 1
                row.due_us = self._next_us()
        if row.count:
            passed = min(passed, row.count - row.beat - 1)
        if row.every_us:
            row.due_us += passed * row.every_us
        row.beat += passed + 1
        row.missed += passed
        return passed

    def step(self, now_us: int) -> None:
        """From the beat that is due to the next one."""
        row = self.row
        if row.every_us:
            row.due_us, row.whole_us = row.due_us + row.every_us, row.every_us
            row.on_calendar = False
        else:
            row.due_us = max(self._next_us(), cron.next_us(row.cron or "", row.zone, now_us))

    def _next_us(self) -> int:
        row = self.row
        return cron.next_us(row.cron or "", row.zone, row.due_us)
