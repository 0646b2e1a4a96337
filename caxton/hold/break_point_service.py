"""Break points over their lives: made, hit, ended, forgotten; each step is a row and an event.

In: what the operator wants, and the messages that a point has stopped. Out: which point means a message. One that has
ended stops nothing any more, and is forgotten when nothing is held by it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from caxton.acl.message import Message
from caxton.bus.bus import Bus
from caxton.clock import Alarm, Clock
from caxton.errors import InvalidFilter, InvalidMessage
from caxton.hold.break_points import BreakPoint, BreakPoints
from caxton.journal import BreakRow, Reader

BREAKS_MADE: Final = "breaks_made"
"""Key of the journal's meta: the number of the last break point, so that no id comes twice."""
_encode = msgspec.json.Encoder().encode


class BreakPointService:
    """Makes and ends break points. `held_by` says how many messages one holds, `on_change` is told when another set of
    them stops messages."""

    def __init__(
        self, bus: Bus, clock: Clock, held_by: Callable[[str], int], on_change: Callable[[], None]
    ) -> None:
        self.points = BreakPoints(bus.platform)
        self._bus = bus
        self._clock = clock
        self._held_by = held_by
        self._on_change = on_change
        self._alarms: dict[str, Alarm] = {}

    async def load(self, reader: Reader) -> None:
        """After a start: the same ones are there, but those whose filter is not taken any more: they end."""
        self.points.resume(int(await reader.meta(BREAKS_MADE) or 0))
        for _, body in await reader.break_points():
            point = msgspec.json.decode(body, type=BreakPoint)
            try:
                self.points.take_up(point)
            except InvalidFilter:
                self._tell_ended(point, "filter")
                self._bus.journal.batch.records.append(BreakRow(point.id, None))
        for point in self.points.on:
            self._arm_end(point)

    def close(self) -> None:
        """Let none end by itself any more; the journal has it."""
        for alarm in self._alarms.values():
            alarm.cancel()
        self._alarms.clear()

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
        self._on_change()
        return point

    def remove(self, id: str) -> BreakPoint:
        """Take a break point away; what it holds stays held. BreakNotFound where there is none."""
        point = self.points.get(id)
        self._forget(point)
        self._bus.event("break_removed", body={"break": point.id, "filter": point.filter, "hits": point.hits})
        self._on_change()
        return point

    def meant(self, message: Message) -> BreakPoint | None:
        """The first that means a message."""
        return self.points.meant(message)

    def hit(self, point: BreakPoint) -> None:
        """It has stopped one more."""
        point.hit()
        if point.most is not None and point.hits >= point.most:
            self._end(point, "hits")
        else:
            self._save(point)

    def end_all(self, why: str) -> None:
        """Have none stop anything any more."""
        for point in self.points.on:
            self._end(point, why)

    def went_on(self, break_id: str | None) -> None:
        """One of its messages is held no more."""
        point = self.points.points.get(break_id) if break_id is not None else None
        if point is not None and point.ended is not None and not self._held_by(point.id):
            self._forget(point)

    def _arm_end(self, point: BreakPoint) -> None:
        if point.until_us is not None:
            delay_s = max(0.0, (point.until_us - self._clock.now_us()) / 1e6)
            self._alarms[point.id] = self._clock.later(delay_s, lambda: self._expire(point))

    def _expire(self, point: BreakPoint) -> None:
        self._alarms.pop(point.id, None)
        if self.points.points.get(point.id) is point and point.ended is None:
            self._end(point, "time")
            self._on_change()
            self._bus.settle()

    def _end(self, point: BreakPoint, why: str) -> None:
        """It stops nothing any more; it is forgotten when nothing is held by it."""
        point.end(why)
        self._save(point)
        self._tell_ended(point, why)
        if not self._held_by(point.id):
            self._forget(point)

    def _tell_ended(self, point: BreakPoint, why: str) -> None:
        self._bus.event(
            "break_ended", body={"break": point.id, "filter": point.filter, "why": why, "hits": point.hits}
        )

    def _forget(self, point: BreakPoint) -> None:
        alarm = self._alarms.pop(point.id, None)
        if alarm is not None:
            alarm.cancel()
        self.points.take_away(point.id)
        self._bus.journal.batch.records.append(BreakRow(point.id, None))

    def _save(self, point: BreakPoint) -> None:
        self._bus.journal.batch.records.append(BreakRow(point.id, _encode(point).decode()))
