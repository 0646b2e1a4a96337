"""Shadow: the new revision handles a copy of all messages and never speaks. Its answers are compared with those of
the old one, turn by turn; nothing that it does is seen by anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from caxton.deploy.options import DeploymentOptions
from caxton.deploy.states import ProbationFailed
from caxton.deploy.strategies.comparison import compare
from caxton.deploy.strategies.policy import Policy, Verdict
from caxton.deploy.strategies.revision_metrics import ComparedMetrics, PendingTurn
from caxton.limits import Limits

EXAMPLES: Final = 10
"""Differences that are kept word for word."""


class Shadow(Policy):
    """A copy of the traffic of an agent with that name and those limits, for a time. `saved`: its progress before a
    restart."""

    def __init__(
        self, options: DeploymentOptions, agent: str, limits: Limits, saved: Mapping[str, Any]
    ) -> None:
        self.countdown_s = options.shadow_s
        self._compared = options.compare
        self._agent = agent
        self._limits = limits
        self._over = False
        self._same = int(saved.get("same", 0))
        self._different = int(saved.get("different", 0))
        self._examples: list[dict[str, Any]] = list(saved.get("examples", []))

    def judge(self, turn: PendingTurn, metrics: ComparedMetrics) -> Verdict | None:
        """Compare what the two would have said; that alone decides nothing."""
        if "output" in self._compared and turn.old is not None and turn.new is not None:
            message = turn.envelope.message
            found = compare(turn.old, turn.new, message, self._agent, self._limits)
            if not found:
                self._same += 1
                return None
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
        return None

    def expired(self, metrics: ComparedMetrics) -> Verdict:
        """Its time is over, and it is gone again; the reason says what was found."""
        self._over = True
        return ProbationFailed(self._summary(metrics))

    def progress(self, left_s: float) -> dict[str, Any]:
        """What was compared so far."""
        made: dict[str, Any] = {
            "left_s": round(left_s, 3),
            "over": self._over,
            "compare": list(self._compared),
        }
        if "output" in self._compared:
            made |= {"same": self._same, "different": self._different, "examples": self._examples}
        return made

    def _summary(self, metrics: ComparedMetrics) -> str:
        old, new = metrics.old, metrics.new
        parts = [f"the shadow's time is over: {new.turns} turns"]
        for one in self._compared:
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
