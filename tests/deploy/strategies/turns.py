"""Turns of two revisions, as a dual run hears them, without any instance."""

from __future__ import annotations

from caxton.acl import Message, Performative
from caxton.bus import Envelope
from caxton.bus.causes import Works
from caxton.cells import Answer
from caxton.deploy.strategies.policy import Policy, Verdict
from caxton.deploy.strategies.revision_metrics import ComparedMetrics, PendingTurn
from caxton.turn_status import Status

WORKS = Works(1_000, lambda: 0)
SAYS = b'{"performative":"inform","content":1}'


def message(conversation: str = "t") -> Message:
    """A request to the agent."""
    return Message(
        "id",
        Performative.REQUEST,
        "operator@local",
        ["c@local"],
        conversation,
        "0" * 32,
        "0" * 16,
        0,
    )


def answer(status: Status = Status.OK, *, fuel: int = 1, turn_us: int = 1, said: bytes = SAYS) -> Answer:
    """What an instance made of it."""
    return Answer(status, said, 1 if said else 0, fuel, 0, turn_us)


GOOD = answer()


def pending(
    seq: int = 1, *, old: Answer = GOOD, new: Answer = GOOD, for_new: bool = True, new_speaks: bool = True
) -> PendingTurn:
    """A message that both have handled."""
    envelope = Envelope(seq, message(), b"{}", 0, WORKS.tree("0" * 32))
    return PendingTurn(envelope, 1, True, for_new, new_speaks, old=old, new=new, said=True)


def heard(policy: Policy, metrics: ComparedMetrics, turn: PendingTurn) -> Verdict | None:
    """As a handover does it: count the turn, then see what is decided."""
    metrics.count(turn)
    return policy.judge(turn, metrics)
