"""How held messages go on: when they are let go, when their delay is over, when nothing is ahead of them any more.

In: held messages and the time. Out: each as a message with a later number, or to nobody where it is dropped; its
conversation's clock goes on where it was the last that is held of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from caxton.bus.bus import Bus
from caxton.clock import Alarm, Clock
from caxton.hold.approval_rules import ApprovalRules
from caxton.hold.approval_service import ApprovalService
from caxton.hold.break_point_service import BreakPointService
from caxton.hold.held import APPROVED, DROPPED, REFUSED, RELEASED, HeldMessage
from caxton.hold.held_messages import HeldMessages
from caxton.journal import EDITED, HANDLED
from caxton.journal import RELEASED as RELEASED_ROW

WentOn = Callable[[str, tuple[int, int]], None]


def nobody(conversation_id: str, stood_us: tuple[int, int]) -> None:
    """Nobody's clock stands still with the conversation's."""


class HeldRelease(HeldMessages, ABC):
    """Lets them go on. `on_went_on` is told from when to when a conversation's clock has stood still."""

    def __init__(self, bus: Bus, clock: Clock, rules: ApprovalRules, on_went_on: WentOn = nobody) -> None:
        super().__init__()
        self.approvals = ApprovalService(bus, clock, rules, self)
        self.breaks = BreakPointService(bus, clock, self.held_by, self.watch)
        self.points = self.breaks.points
        self._bus = bus
        self._clock = clock
        self._on_went_on = on_went_on
        self._alarms: dict[int, Alarm] = {}

    def close(self) -> None:
        """Let nothing go on by itself any more; the journal has it."""
        self.breaks.close()
        self.approvals.close()
        for alarm in self._alarms.values():
            alarm.cancel()
        self._alarms.clear()

    def go_on(self, held: HeldMessage, *, dropped: bool = False) -> int:
        """The message leaves: its conversation's clock goes on where it was the last that is held of it."""
        bus, id = self._bus, held.message.conversation_id
        alarm = self._alarms.pop(held.seq, None)
        if alarm is not None:
            alarm.cancel()
        seq, now_us = bus.next()
        if not self.let_go(held):
            bus.referee_service.stand(id, now_us)
        else:
            since_us = bus.referee_service.standing.get(id, now_us)
            bus.referee_service.go_on(id, now_us, seq)
            self._on_went_on(id, (since_us, now_us))
        flags = RELEASED_ROW | (EDITED if held.changed else 0) | (HANDLED if dropped else 0)
        message = held.going_on(now_us)
        bus.post(message, held.extensions, seq, held.cause, held.hops, flags, tree=held.tree)
        if held.approval is not None:
            # what is said of an approval says who has decided
            bus.journal.batch.records.append(held.row(REFUSED if dropped else APPROVED, now_us, seq))
            self.approvals.went_on(held, seq)
        else:
            state = DROPPED if dropped else RELEASED
            bus.journal.batch.records.append(held.row(state, now_us, seq))
            bus.event(
                state,
                agent=message.sender,
                conversation=id,
                body={
                    **held.summary,
                    "went_on": seq,
                    "held_us": now_us - held.at_us,
                    "edited": bool(held.changed),
                    "left": len(self),
                },
            )
        held.tree.work.end()
        self.breaks.went_on(held.break_id)
        self.watch()
        return seq

    def follow(self, id: str) -> None:
        """Let go on what only waited for something that is not ahead of it any more."""
        for held in self.of(id):
            if held.free and self.ahead(held.message, held.seq) is None:
                self.go_on(held)

    def set_free(self, held: HeldMessage) -> None:
        """Let it go on as soon as nothing is ahead of it, after a restart too."""
        held.set_free()
        held.put_off(self._clock.now_us())
        self._bus.journal.batch.records.append(held.row())

    def note(self, kind: str, held: HeldMessage, **more: object) -> None:
        """Write down how it stands, and tell who looks on."""
        self._bus.journal.batch.records.append(held.row())
        id = held.message.conversation_id
        self._bus.event(kind, agent=held.message.sender, conversation=id, body={**held.summary, **more})

    def arm(self, held: HeldMessage) -> None:
        """Wake when its delay is over."""
        assert held.due_us is not None
        seq = held.seq
        alarm = self._alarms.pop(seq, None)
        if alarm is not None:
            alarm.cancel()
        # after a start with a clock that was set back: no longer than it has been held for
        delay_us = min(held.due_us - self._clock.now_us(), held.due_us - held.at_us)
        delay_s = max(0.0, delay_us / 1e6)
        self._alarms[seq] = self._clock.later(delay_s, lambda: self._ring(seq))

    def _ring(self, seq: int) -> None:
        self._alarms.pop(seq, None)
        held = self.get(seq) if seq in self else None
        if held is not None:
            held.set_free()
            self.follow(held.message.conversation_id)
            self._bus.settle()

    @abstractmethod
    def watch(self) -> None:
        """Stand in the way of messages only as long as there is something to stop or to keep in order."""
