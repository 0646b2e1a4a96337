"""Shadow: the new revision handles a copy of all messages and never speaks. Its answers are compared with those of
the old one, turn by turn; nothing that it does is seen by anybody.
"""

from __future__ import annotations

from typing import Any, Final

from caxton.bus import Envelope
from caxton.clock import Alarm
from caxton.deploy.context import DeployContext
from caxton.deploy.handover.dual_run import PendingTurn
from caxton.deploy.handover.side_by_side import SideBySide
from caxton.deploy.handover.standby import SavedProgress
from caxton.deploy.record import DeploymentRecord
from caxton.deploy.states import Happening, ProbationFailed
from caxton.deploy.strategies.comparison import compare

EXAMPLES: Final = 10
"""Differences that are kept word for word."""


class Shadow(SideBySide):
    """A copy of the traffic, for a time."""

    def __init__(
        self, context: DeployContext, deployment: DeploymentRecord, saved: SavedProgress | None = None
    ) -> None:
        super().__init__(context, deployment, saved)
        options = self.options
        before: dict[str, Any] = saved.progress if saved else {}
        self._left_s = float(before.get("left_s", options.shadow_s))
        self._ends_at = 0.0
        self._alarm: Alarm | None = None
        self._over = False
        self._same = int(before.get("same", 0))
        self._different = int(before.get("different", 0))
        self._examples: list[dict[str, Any]] = list(before.get("examples", []))

    async def change_over(self) -> Happening:
        """The shadow takes its place."""
        changed = await super().change_over()
        self._ends_at = self.context.clock.monotonic() + self._left_s
        self._alarm = self.context.clock.later(self._left_s, self._end)
        return changed

    async def watch(self) -> Happening | None:
        """Wait for the end of its time."""
        try:
            return await super().watch()
        finally:
            self._stop_alarm()

    def speaks(self, envelope: Envelope) -> bool:
        """Never."""
        return False

    def judge(self, turn: PendingTurn) -> None:
        """Compare what the two would have said."""
        old, new = turn.old, turn.new
        if "output" not in self.options.compare or old is None or new is None:
            return
        message, endpoint = turn.envelope.message, self.record.endpoint
        found = compare(old, new, message, endpoint.name, endpoint.limits)
        if not found:
            self._same += 1
            return
        self._different += 1
        if len(self._examples) < EXAMPLES:
            self._examples.append(
                {
                    "seq": turn.envelope.seq,
                    "conversation_id": message.conversation_id,
                    "act": message.performative,
                    "differences": found,
                }
            )

    def stop(self) -> None:
        """The daemon stops: the shadow goes on after its next start."""
        self._stop_alarm()
        super().stop()

    def progress(self) -> dict[str, Any]:
        """What was compared so far."""
        wanted = self.options.compare
        made: dict[str, Any] = {"left_s": round(self._left(), 3), "over": self._over, "compare": list(wanted)}
        if "output" in wanted:
            made |= {"same": self._same, "different": self._different, "examples": self._examples}
        return made | super().progress()

    def _left(self) -> float:
        if self._alarm is None:
            return self._left_s
        return max(0.0, self._ends_at - self.context.clock.monotonic())

    def _end(self) -> None:
        self._over = True
        self._left_s, self._alarm = 0.0, None
        self.decide(ProbationFailed(self._summary()))

    def _summary(self) -> str:
        old, new = self.metrics.old, self.metrics.new
        parts = [f"the shadow's time is over: {new.turns} turns"]
        for one in self.options.compare:
            match one:
                case "output":
                    parts.append(f"{self._same} same and {self._different} different")
                case "errors":
                    parts.append(f"errors {old.errors} and {new.errors}")
                case "fuel":
                    parts.append(f"fuel a turn {old.fuel_a_turn:,.0f} and {new.fuel_a_turn:,.0f}")
                case _:
                    parts.append(f"p99 {old.p99_us / 1000:.2f} ms and {new.p99_us / 1000:.2f} ms")
        return ", ".join(parts)

    def _stop_alarm(self) -> None:
        if self._alarm is not None:
            self._left_s = self._left()
            self._alarm.cancel()
            self._alarm = None
