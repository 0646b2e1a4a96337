"""How a branch ends without a message of its own two: by time, because something cannot be delivered, because somebody
is gone, because its sub-conversations are done.

In: a branch and what has happened. Out: the branch after it, and effects. Pure, as `machine` is.
"""

from __future__ import annotations

from typing import Final

import msgspec

from caxton.acl.performative import Performative
from caxton.protocols import protocol as states
from caxton.protocols.branch import Branch, is_open
from caxton.protocols.protocol import Effect, Ended, Protocol

EXPIRED_OFFER: Final = "expired"
DIED: Final = "died"

Ending = tuple[Branch, tuple[Effect, ...]]


def pass_time(protocol: Protocol, branch: Branch, name: str, now_us: int) -> Ending:
    """It is `now_us`: a deadline that lies before it has its effect; the deadline itself is still in time."""
    if not branch.deadline_us or now_us <= branch.deadline_us or not is_open(protocol, branch):
        return branch, ()
    if branch.cancel is not None:
        return _end(branch, name, states.CANCELLED_UNCONFIRMED, "no answer to the cancel")
    to = protocol.states[branch.state].deadline
    if to in (states.STAY, states.NO_DEADLINE):
        return branch, ()
    end = protocol.states[to].end
    offer = any(
        Performative.ACCEPT_PROPOSAL.value in acts for acts in protocol.moves[branch.state]
    )  # what is waited for is a decision
    why = EXPIRED_OFFER if offer and end is states.End.FORESEEN else "reply_by has passed"
    return _end(branch, name, to, why)


def expire(branch: Branch, name: str, why: str = "the conversation's time to live ran out") -> Ending:
    """The conversation's own time to live has run out for an open branch."""
    return _end(branch, name, states.EXPIRED, why)


def lose(branch: Branch, name: str, why: str) -> Ending:
    """Something could not be delivered in an open branch, or its participant is gone."""
    return _end(branch, name, states.FAILED_DELIVERY, why)


def abandon(branch: Branch, name: str, cancel: str) -> Ending:
    """The initiator is gone: the platform has cancelled with this reply_with in its name, and the branch ends."""
    moved, effects = _end(branch, name, states.CANCELLED, DIED)
    return msgspec.structs.replace(moved, cancel=cancel), effects


def serve(protocol: Protocol, branch: Branch, name: str) -> Ending:
    """Every sub-conversation has ended and was relayed."""
    to = protocol.states[branch.state].served
    if to is None:
        return branch, ()
    return _end(branch, name, to, "every sub-conversation ended and was relayed", crossed=False)


def _end(branch: Branch, name: str, state: str, why: str, *, crossed: bool = True) -> Ending:
    before = branch.state if crossed else None  # what is said in ignorance of the end is nobody's fault
    moved = msgspec.structs.replace(
        branch, state=state, deadline_us=0, resting_us=0, reason=why, before=before
    )
    source = states.CANCELLING if branch.cancel is not None else branch.state
    return moved, (Ended(name, state, why, source),)
