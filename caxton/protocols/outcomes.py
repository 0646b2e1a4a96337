"""What a conversation has come to, as people and brokers see it: states, phase, outcome, answers.

In: a conversation and its protocol. Out: names and counts. Nothing is changed.
"""

from __future__ import annotations

from caxton.protocols.branch import Branch, is_open, shown
from caxton.protocols.conversation import Conversation
from caxton.protocols.endings import DIED
from caxton.protocols.protocol import NOT_UNDERSTOOD, End, Phase, Protocol, Role


def state_names(conversation: Conversation, protocol: Protocol) -> dict[str, str]:
    """The state of each branch by its participant."""
    return {name: shown(protocol, branch) for name, branch in conversation.branches.items()}


def aggregate(conversation: Conversation, protocol: Protocol) -> Phase:
    """What the whole is at: the earliest phase among the open branches."""
    phases = {
        protocol.states[branch.state].phase
        for branch in conversation.branches.values()
        if is_open(protocol, branch)
    }
    return next((phase for phase in Phase if phase in phases), Phase.COMPLETE)


def state(conversation: Conversation, protocol: Protocol) -> str:
    """The conversation's state by the architecture document's names (fipa.md 2.11, 13)."""
    if conversation.open:
        return "InProgress" if conversation.spoken else "Initiated"
    if conversation.expired:
        return "Expired"
    ends = {end_of(protocol, branch) for branch in conversation.branches.values()}
    return "Completed" if ends - {End.FAULT} else "Failed"


def outcome(conversation: Conversation, protocol: Protocol) -> str | None:
    """What came of it: `awarded` or `no-award` where something is awarded, else `achieved` or `not-achieved`."""
    if conversation.open:
        return None
    branches = conversation.branches.values()
    if protocol.awards:
        return "awarded" if any(branch.awarded for branch in branches) else "no-award"
    achieved = any(end_of(protocol, branch) is End.SUCCESS for branch in branches)
    return "achieved" if achieved else "not-achieved"


def end_of(protocol: Protocol, branch: Branch) -> End | None:
    """How a branch ended; None while it is open."""
    if branch.reason == DIED:
        return End.FAULT
    return protocol.states[branch.state].end


def answers(protocol: Protocol, sub: Conversation) -> int:
    """How many answers an ended sub-conversation has brought that are to be relayed: the last words of participants,
    not what the broker, the platform or time has ended."""
    if sub.open:
        return 0
    return sum(_last_word(protocol, branch) for branch in sub.branches.values())


def _last_word(protocol: Protocol, branch: Branch) -> bool:
    if not branch.heard or branch.before is not None:
        return False
    if branch.state == NOT_UNDERSTOOD:
        return branch.reason == Role.PARTICIPANT.value
    return any(step.to == branch.state and step.by is Role.PARTICIPANT for step in protocol.steps)


def is_faulty(protocol: Protocol, sub: Conversation) -> bool:
    """Whether a branch of it ended by a fault."""
    return any(end_of(protocol, one) is End.FAULT for one in sub.branches.values())
