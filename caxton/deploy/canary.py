"""Canary: the new revision speaks in a share of the conversations that begin, stage by stage, while it is measured
beside the old one; it takes over after the last stage, or is taken back by itself.
"""

from __future__ import annotations

from typing import Any

from caxton.agents import AgentRecord
from caxton.bus import Envelope
from caxton.clock import Alarm
from caxton.deploy.change import Rooms
from caxton.deploy.joining import Resumed
from caxton.deploy.journey import Journey
from caxton.deploy.pair import Hand
from caxton.deploy.side_by_side import SideBySide
from caxton.deploy.sides import Sides
from caxton.deploy.states import Faltered, Happening, Passed
from caxton.deploy.target import Target
from caxton.deploy.terms import Terms
from caxton.deploy.voices import Voices, under_way, within


class Canary(SideBySide):
    """Stages, each with a share of the conversations and a time. What `resumed` says was so before a restart."""

    def __init__(
        self,
        rooms: Rooms,
        record: AgentRecord,
        target: Target,
        journey: Journey,
        terms: Terms,
        resumed: Resumed | None = None,
    ) -> None:
        super().__init__(rooms, record, target, journey, terms, resumed)
        before: dict[str, Any] = resumed.progress if resumed else {}
        self._stage = min(int(before.get("stage", 1)), len(terms.stages)) - 1
        self._left_s = float(before.get("left_s", terms.stages[0].for_s))
        self._ends_at = 0.0
        self._alarm: Alarm | None = None
        self._voices = Voices(lambda one: within(one, terms.stages[self._stage].percent))
        self._past: list[dict[str, Any]] = list(before.get("past", []))

    async def change_over(self) -> Happening:
        """The new revision takes its place; what is under way stays with the old one."""
        if self.resumed is not None:
            self._voices.keep(self.resumed.old_keys, new=False)
            self._voices.keep(self.resumed.new_keys, new=True)
        else:
            self._voices.keep(await under_way(self.rooms.bus, self.record.endpoint.name), new=False)
        changed = await super().change_over()
        self._begin(self._left_s)
        return changed

    async def watch(self) -> Happening | None:
        """Go from stage to stage."""
        try:
            return await super().watch()
        finally:
            self._stop_alarm()

    def speaks(self, envelope: Envelope) -> bool:
        """As its conversation began."""
        return self._voices.of_new(envelope.message.conversation_id)

    def judge(self, hand: Hand) -> None:
        """See whether the new revision is good enough, once there are turns enough to tell."""
        if self.sides.new.turns >= self.terms.min_turns:
            self._is_bad()

    def stop(self) -> None:
        """The daemon stops: the stage goes on after its next start, with the time that is left of it."""
        self._left_s = self._left()
        self._stop_alarm()
        super().stop()

    def progress(self) -> dict[str, Any]:
        """The stage, and what is left of it in seconds."""
        stages = self.terms.stages
        return {
            "stage": self._stage + 1,
            "stages": len(stages),
            "percent": stages[self._stage].percent,
            "left_s": round(self._left(), 3),
            "past": self._past,
            **super().progress(),
        }

    def _begin(self, left_s: float) -> None:
        self._ends_at = self.rooms.clock.monotonic() + left_s
        self._alarm = self.rooms.clock.later(left_s, self._stage_over)

    def _left(self) -> float:
        if self._alarm is None:
            return self._left_s
        return max(0.0, self._ends_at - self.rooms.clock.monotonic())

    def _stage_over(self) -> None:
        if self.decided or self._is_bad():
            return
        self._past.append({"percent": self.terms.stages[self._stage].percent, **self.sides.plain()})
        if self._stage + 1 == len(self.terms.stages):
            self._left_s, self._alarm = 0.0, None
            self.decide(Passed())
            return
        self._stage += 1
        self.sides = Sides()
        self._begin(self.terms.stages[self._stage].for_s)
        self.journey.save()
        self.rooms.bus.settle()

    def _is_bad(self) -> bool:
        """Whether the new revision does not meet a condition; then it is taken back."""
        breach = self.sides.breach(self.terms.rollback_on)
        if breach is not None:
            percent = self.terms.stages[self._stage].percent
            self.decide(Faltered(f"stage {self._stage + 1} ({percent:g} %): {breach}"))
        return breach is not None

    def _stop_alarm(self) -> None:
        if self._alarm is not None:
            self._left_s = self._left()
            self._alarm.cancel()
            self._alarm = None
