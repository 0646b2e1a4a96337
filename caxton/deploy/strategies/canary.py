"""Canary: the new revision speaks in a share of the conversations that begin, stage by stage, while it is measured
beside the old one; it takes over after the last stage, or is taken back by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from caxton.deploy.options import DeploymentOptions, Stage
from caxton.deploy.states import Passed, ProbationFailed
from caxton.deploy.strategies.conversation_routing import ConversationRouting, within
from caxton.deploy.strategies.policy import Policy, Verdict
from caxton.deploy.strategies.revision_metrics import ComparedMetrics, PendingTurn


class Canary(Policy):
    """Stages, each with a share of the conversations and a time. `saved`: its progress before a restart."""

    def __init__(self, options: DeploymentOptions, saved: Mapping[str, Any]) -> None:
        self.routing = ConversationRouting(lambda one: within(one, self._stage.percent))
        self._stages = options.stages
        self._rollback_on = options.rollback_on
        self._min_turns = options.min_turns
        self._number = min(int(saved.get("stage", 1)), len(options.stages))
        self.countdown_s = self._stage.for_s
        self._past: list[dict[str, Any]] = list(saved.get("past", []))

    @property
    def _stage(self) -> Stage:
        return self._stages[self._number - 1]

    def judge(self, turn: PendingTurn, metrics: ComparedMetrics) -> Verdict | None:
        """See whether the new revision is good enough, once there are turns enough to tell."""
        return self._breach(metrics) if metrics.new.turns >= self._min_turns else None

    def expired(self, metrics: ComparedMetrics) -> Verdict | None:
        """The stage is over: on to the next one, if the new revision is good enough."""
        breach = self._breach(metrics)
        if breach is not None:
            return breach
        self._past.append({"percent": self._stage.percent, **metrics.plain()})
        if self._number == len(self._stages):
            return Passed()
        self._number += 1
        self.countdown_s = self._stage.for_s
        return None

    def progress(self, left_s: float) -> dict[str, Any]:
        """The stage, and what is left of it in seconds."""
        return {
            "stage": self._number,
            "stages": len(self._stages),
            "percent": self._stage.percent,
            "left_s": round(left_s, 3),
            "past": self._past,
        }

    def _breach(self, metrics: ComparedMetrics) -> ProbationFailed | None:
        """The condition that the new revision does not meet."""
        breach = metrics.breach(self._rollback_on)
        if breach is None:
            return None
        return ProbationFailed(f"stage {self._number} ({self._stage.percent:g} %): {breach}")
