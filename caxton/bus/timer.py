"""The platform's agent `timer`: it wakes agents, which cannot wait by themselves.

In: envelopes, at the moment of their admission. Out: answers in the same conversation. A timer that is not due when
the daemon stops is a message without a turn, so it is armed again at the next start with what is left of its time.
"""

from __future__ import annotations

from typing import Any, Final, cast

import msgspec

from caxton.acl import Performative
from caxton.bus.bus import Bus
from caxton.bus.endpoint import Envelope
from caxton.bus.platform_agents import TIMER_NUMBER
from caxton.clock import Alarm, Clock
from caxton.errors import InvalidMessage

TIMERS_MAX: Final = 100_000
AFTER_MS_MAX: Final = 30 * 24 * 3600 * 1000


class Timer:
    """`request` with `{"after_ms": n, "tag": any}` is answered by `inform` with `{"tag": any}` when it is time."""

    number = TIMER_NUMBER

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self.name = bus.full_name("timer")
        self._bus = bus
        self._clock = clock
        self._armed: dict[int, Alarm] = {}

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
        if len(self._armed) >= TIMERS_MAX:
            self._bus.platform_turn(self, envelope)
            self._bus.answer(
                envelope, self.name, Performative.REFUSE, {"reason": f"{TIMERS_MAX} timers are armed already"}
            )
            return
        due_us = message.timestamp + int(after_ms * 1000)
        tag = wish.get("tag")
        delay_s = max(0.0, (due_us - self._clock.now_us()) / 1e6)
        self._armed[envelope.seq] = self._clock.later(delay_s, lambda: self._ring(envelope, tag))

    def _ring(self, envelope: Envelope, tag: Any) -> None:
        del self._armed[envelope.seq]
        self._bus.platform_turn(self, envelope)
        self._bus.answer(envelope, self.name, Performative.INFORM, {"tag": tag})
        self._bus.settle()

    def oldest(self) -> int:
        """The lowest number among armed timers."""
        return min(self._armed, default=1 << 62)

    def close(self) -> None:
        """Call every timer off; the journal still has them."""
        for alarm in self._armed.values():
            alarm.cancel()
        self._armed.clear()


def _wish(envelope: Envelope) -> dict[str, Any]:
    """The content of a message where it is an object; else an empty one."""
    wish: Any = msgspec.json.decode(envelope.message.content)
    return cast("dict[str, Any]", wish) if type(wish) is dict else {}
