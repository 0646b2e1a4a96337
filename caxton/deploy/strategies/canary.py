"""Canary: the new revision speaks in a share of the conversations that begin, stage by stage, while it is measured
beside the old one; it takes over after the last stage, or is taken back by itself.
"""

from __future__ import annotations

from typing import Any

from caxton.bus import Envelope
from caxton.clock import Alarm
from caxton.deploy.context import DeployContext
from caxton.deploy.handover.dual_run import PendingTurn
from caxton.deploy.handover.side_by_side import SideBySide
from caxton.deploy.handover.standby import SavedProgress
from caxton.deploy.record import DeploymentRecord
from caxton.deploy.states import Happening, Passed, ProbationFailed
from caxton.deploy.strategies.conversation_routing import ConversationRouting, under_way, within
from caxton.deploy.strategies.revision_metrics import ComparedMetrics


class Canary(SideBySide):
    """Stages, each with a share of the conversations and a time. What `resumed` says was so before a restart."""

    def __init__(
        self, context: DeployContext, deployment: DeploymentRecord, saved: SavedProgress | None = None
    ) -> None:
        super().__init__(context, deployment, saved)
        options = self.options
        before: dict[str, Any] = saved.progress if saved else {}
        self._stage = min(int(before.get("stage", 1)), len(options.stages)) - 1
        self._left_s = float(before.get("left_s", options.stages[0].for_s))
        self._ends_at = 0.0
        self._alarm: Alarm | None = None
        self._routing = ConversationRouting(lambda one: within(one, options.stages[self._stage].percent))
        self._past: list[dict[str, Any]] = list(before.get("past", []))

    async def change_over(self) -> Happening:
        """The new revision takes its place; what is under way stays with the old one."""
        if self.saved is not None:
            self._routing.keep(self.saved.old_keys, new=False)
            self._routing.keep(self.saved.new_keys, new=True)
        else:
            self._routing.keep(await under_way(self.context.bus, self.record.endpoint.name), new=False)
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
        return self._routing.of_new(envelope.message.conversation_id)

    def judge(self, turn: PendingTurn) -> None:
        """See whether the new revision is good enough, once there are turns enough to tell."""
        if self.metrics.new.turns >= self.options.min_turns:
            self._is_bad()

    def stop(self) -> None:
        """The daemon stops: the stage goes on after its next start, with the time that is left of it."""
        self._left_s = self._left()
        self._stop_alarm()
        super().stop()

    def progress(self) -> dict[str, Any]:
        """The stage, and what is left of it in seconds."""
        stages = self.options.stages
        return {
            "stage": self._stage + 1,
            "stages": len(stages),
            "percent": stages[self._stage].percent,
            "left_s": round(self._left(), 3),
            "past": self._past,
            **super().progress(),
        }

    def _begin(self, left_s: float) -> None:
        self._ends_at = self.context.clock.monotonic() + left_s
        self._alarm = self.context.clock.later(left_s, self._stage_over)

    def _left(self) -> float:
        if self._alarm is None:
            return self._left_s
        return max(0.0, self._ends_at - self.context.clock.monotonic())

    def _stage_over(self) -> None:
        if self.decided or self._is_bad():
            return
        self._past.append({"percent": self.options.stages[self._stage].percent, **self.metrics.plain()})
        if self._stage + 1 == len(self.options.stages):
            self._left_s, self._alarm = 0.0, None
            self.decide(Passed())
            return
        self._stage += 1
        self.metrics = ComparedMetrics()
        self._begin(self.options.stages[self._stage].for_s)
        self.deployment.save()
        self.context.bus.settle()

    def _is_bad(self) -> bool:
        """Whether the new revision does not meet a condition; then it is taken back."""
        breach = self.metrics.breach(self.options.rollback_on)
        if breach is not None:
            percent = self.options.stages[self._stage].percent
            self.decide(ProbationFailed(f"stage {self._stage + 1} ({percent:g} %): {breach}"))
        return breach is not None

    def _stop_alarm(self) -> None:
        if self._alarm is not None:
            self._left_s = self._left()
            self._alarm.cancel()
            self._alarm = None
