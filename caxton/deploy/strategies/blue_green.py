"""Blue-green: the first turns decide. So many good ones, or so many seconds without a bad one, and the new revision
stays; one failure, and the old one goes on.
"""

from __future__ import annotations

from caxton.deploy.options import Probation
from caxton.deploy.states import Passed, ProbationFailed
from caxton.deploy.strategies.conversation_routing import ConversationRouting
from caxton.deploy.strategies.policy import Policy, Verdict
from caxton.deploy.strategies.revision_metrics import ComparedMetrics, PendingTurn
from caxton.turn_status import DISCARDED


class BlueGreen(Policy):
    """A probation. What begins in it is the new revision's."""

    def __init__(self, probation: Probation) -> None:
        self.routing = ConversationRouting(lambda one: True)
        self.countdown_s = probation.warm_up_s
        self._left = probation.turns

    def went_well(self) -> Passed | None:
        """One more good turn."""
        self._left -= 1
        return Passed() if self._left <= 0 else None

    def judge(self, turn: PendingTurn, metrics: ComparedMetrics) -> Verdict | None:
        """One failure is enough; good turns are counted where the new revision spoke."""
        if turn.new is None or turn.new.status in DISCARDED:
            return None  # of what cost the instance, `broke_down` is told
        if metrics.new.errors:
            seq = turn.envelope.seq
            return ProbationFailed(f"message {seq}: the new revision failed where the old one did not")
        return self.went_well() if turn.new_speaks else None

    def broke_down(self, reason: str) -> Verdict:
        """That is the end of it."""
        return ProbationFailed(reason)

    def expired(self, metrics: ComparedMetrics) -> Verdict:
        """The warm-up is over, and nothing went wrong."""
        return Passed()
