"""What a strategy decides while two revisions of an agent handle the same messages.

In: conversations, turns of both revisions, the end of a countdown. Out: who speaks, and whether the new revision stays.
A policy is pure: it reads no clock and changes nothing but itself, so it is tested without any process.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from caxton.deploy.states import Passed, ProbationFailed
from caxton.deploy.strategies.conversation_routing import ConversationRouting
from caxton.deploy.strategies.revision_metrics import ComparedMetrics, PendingTurn

Verdict = Passed | ProbationFailed


class Policy(ABC):
    """One strategy. To write another one is to answer these questions, and to name it in `engine/handovers.py`."""

    routing: ConversationRouting | None = None
    """Whose each conversation is; None where the new revision never speaks."""
    countdown_s: float
    """Seconds until `expired` is asked."""

    @abstractmethod
    def judge(self, turn: PendingTurn, metrics: ComparedMetrics) -> Verdict | None:
        """Both have handled a message, and it is counted; what is decided by it, if anything."""

    @abstractmethod
    def expired(self, metrics: ComparedMetrics) -> Verdict | None:
        """The countdown is over; None: another one begins, and the counting begins anew."""

    def speaks(self, conversation: str | int) -> bool:
        """Whether the new revision speaks in that conversation, named by its id, or by its key where it has begun."""
        return self.routing is not None and self.routing.of_new(conversation)

    def broke_down(self, reason: str) -> Verdict | None:
        """The new instance is gone; None: it is brought back."""
        return None

    def progress(self, left_s: float) -> dict[str, Any]:
        """How far it is, for people and for what goes on after a restart; `left_s` of the countdown."""
        return {}
