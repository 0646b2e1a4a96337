"""The platform's agent `timer`: it wakes agents, which cannot wait by themselves.

In: envelopes, at the moment of their admission. Out: answers in the same conversation. A timer that is not due when
the daemon stops is a message without a turn, so it is armed again at the next start with what is left of its time.
"""

from __future__ import annotations

import heapq
from collections import Counter
from typing import Any, Final, NamedTuple, cast

import msgspec

from caxton.acl import Performative
from caxton.acl.message import NULL
from caxton.bus.bus import Bus
from caxton.bus.endpoint import NEVER
from caxton.bus.envelope import Envelope
from caxton.bus.platform_agents import TIMER_NUMBER
from caxton.clock import Alarm, Clock
from caxton.errors import InvalidMessage

TIMERS_MAX: Final = 100_000
TIMERS_OF_ONE_MAX: Final = 10_000
"""An agent's share of them: others still have their own when it has used it up."""
AFTER_MS_MAX: Final = 30 * 24 * 3600 * 1000
RINGS: Final = 16
"""Timers that ring in one go; then others come first."""


class _Armed(NamedTuple):
    """One timer, in the order in which they ring."""

    due_us: int
    seq: int
    envelope: Envelope
    tag: Any


class Timer:
    """`request` with `{"after_ms": n, "tag": any}` is answered by `inform` with `{"tag": any}` when it is time."""

    number = TIMER_NUMBER

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self.name = bus.full_name("timer")
        self._bus = bus
        self._clock = clock
        self._armed: dict[int, _Armed] = {}
        self._due: list[_Armed] = []
        """A heap; what was called off is still in it."""
        self._by_agent: Counter[str] = Counter()
        self._alarm: Alarm | None = None
        self._alarm_us = NEVER

    @property
    def armed(self) -> int:
        """How many there are."""
        return len(self._armed)

    def take(self, envelope: Envelope) -> None:
        """Arm a timer."""
        message = envelope.message
        if message.performative is not Performative.REQUEST:
            raise InvalidMessage(
                "timer understands request only", hint='content {"after_ms": 500, "tag": "…"}'
            )
        wish = _wish(envelope)
        after_ms = wish.get("after_ms")
        if (
            isinstance(after_ms, bool)
            or not isinstance(after_ms, int | float)
            or not 0 <= after_ms <= AFTER_MS_MAX
        ):
            raise InvalidMessage(
                "timer needs after_ms, a number of milliseconds from 0 to 30 days",
                hint='content {"after_ms": 500, "tag": "…"}',
            )
        why = None
        if self._by_agent[message.sender] >= TIMERS_OF_ONE_MAX:
            why = f"{message.sender} has armed {TIMERS_OF_ONE_MAX:,} timers already, an agent's share"
        elif len(self._armed) >= TIMERS_MAX:
            why = f"{TIMERS_MAX:,} timers are armed already"
        if why is not None:
            self._bus.platform_turn(self, envelope)
            self._bus.answer(envelope, self.name, Performative.REFUSE, {"reason": why})
            return
        after_us = int(after_ms * 1000)
        # after a restart the clock may stand anywhere: what is left is never more than the whole
        left_us = min(max(0, message.timestamp + after_us - self._clock.now_us()), after_us)
        # as it was written, digit for digit
        tag = msgspec.json.decode(message.content, type=_Tagged).tag
        armed = _Armed(self._elapsed_us() + left_us, envelope.seq, envelope, tag)
        self._armed[armed.seq] = armed
        self._by_agent[message.sender] += 1
        envelope.tree.work.begin()
        heapq.heappush(self._due, armed)
        self._arm()

    def removed(self, name: str) -> None:
        """An agent is gone for good: so are its timers."""
        if not self._by_agent[name]:
            return
        for armed in [one for one in self._armed.values() if one.envelope.message.sender == name]:
            self._bus.platform_turn(self, armed.envelope)
            self._disarm(armed)
        self._due = list(self._armed.values())
        heapq.heapify(self._due)

    def _arm(self) -> None:
        """Wake when the next one is due."""
        if not self._due or self._due[0].due_us >= self._alarm_us:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_us = self._due[0].due_us
        delay_s = max(0.0, (self._alarm_us - self._elapsed_us()) / 1e6)
        self._alarm = self._clock.later(delay_s, self._ring)

    def _ring(self) -> None:
        """The first that is due rings, and with it some of all others that are."""
        now_us = max(self._elapsed_us(), self._alarm_us)
        self._alarm, self._alarm_us = None, NEVER
        for _ in range(RINGS):
            if not self._due or self._due[0].due_us > now_us:
                break
            armed = heapq.heappop(self._due)
            self._bus.platform_turn(self, armed.envelope)
            self._bus.answer(armed.envelope, self.name, Performative.INFORM, {"tag": armed.tag}, begins=True)
            self._disarm(armed)
        self._arm()
        self._bus.settle()

    def _elapsed_us(self) -> int:
        """Time that passes whatever somebody sets the wall clock to."""
        return round(self._clock.monotonic() * 1e6)

    def _disarm(self, armed: _Armed) -> None:
        del self._armed[armed.seq]
        sender = armed.envelope.message.sender
        self._by_agent[sender] -= 1
        if not self._by_agent[sender]:
            del self._by_agent[sender]
        armed.envelope.tree.work.end()

    def oldest(self) -> int:
        """The lowest number among armed timers."""
        return min(self._armed, default=1 << 62)

    def close(self) -> None:
        """Call every timer off; they stay unfinished, so the next start arms them again."""
        if self._alarm is not None:
            self._alarm.cancel()


class _Tagged(msgspec.Struct):
    tag: msgspec.Raw = NULL


def _wish(envelope: Envelope) -> dict[str, Any]:
    """The content of a message where it is an object; else an empty one."""
    wish: Any = msgspec.json.decode(envelope.message.content)
    return cast("dict[str, Any]", wish) if type(wish) is dict else {}
