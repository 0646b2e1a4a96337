"""What is shown of a task: how each branch stands, what was heard, and how it ended.

In: a ledger. Out: frozen values. `state` and `outcome` are the conversation's own (fipa.md 2.11, 13), `ending` says
whether the task got what it was to get.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from caxton.acl.message import Message
from caxton.protocols import outcomes
from caxton.protocols import protocol as states
from caxton.protocols.branch import Branch, is_open
from caxton.protocols.protocol import End
from caxton.tasks import auction
from caxton.tasks.ledger import Ledger, Note, Result, Violation
from caxton.tasks.order import Order, Shape

_OF_TIME: Final = frozenset(
    {states.TIMED_OUT, states.EXPIRED, states.CANCELLED_UNCONFIRMED, "no-response", "late-rejected"}
)
_NAMED: Final = 5


class Ending(StrEnum):
    """Whether a task got what it was to get, and why not."""

    ACHIEVED = "achieved"
    NOT_ACHIEVED = "not-achieved"
    """Everybody kept to the protocol, and the answer is no."""
    FAILED = "failed"
    TIMED_OUT = "timed-out"
    CANCELLED = "cancelled"
    """Somebody ended it before it had got that."""


class BranchView(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one participant."""

    participant: str
    state: str
    outcome: str | None
    """`success`, `foreseen` or `fault`; None while it is open."""
    awarded: bool = False
    round: int = 0
    reason: str | None = None
    proposal: msgspec.Raw | None = None
    result: Result | None = None
    informs: list[msgspec.Raw] = []
    """The last notifications of a subscription."""


class TaskSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A task at a glance."""

    id: str
    conversation_id: str
    protocol: str
    initiator: str
    participants: list[str]
    state: str
    outcome: str | None
    ending: Ending | None
    reason: str | None
    created_us: int
    ended_us: int | None


class TaskView(msgspec.Struct, frozen=True, kw_only=True):
    """A whole task."""

    summary: TaskSummary
    order: Order
    phase: str
    branches: list[BranchView]
    received: dict[str, int]
    sent: dict[str, int]
    missing: int
    """Participants who did not answer in time."""
    late: int
    """Participants whose proposal came too late."""
    price: int | float | None
    violations: list[Violation]


def branch_views(ledger: Ledger) -> list[BranchView]:
    """Every participant, those to whom nothing was said too."""
    return [_branch(ledger, name, ledger.branch(name), note) for name, note in ledger.notes.items()]


def state_of(ledger: Ledger) -> tuple[str, str | None]:
    """The conversation's state and outcome by the architecture document's names."""
    conversation = ledger.conversation
    if conversation is None:
        return "Initiated", None
    return outcomes.state(conversation, ledger.protocol), outcomes.outcome(conversation, ledger.protocol)


def view_of(ledger: Ledger, summary: TaskSummary) -> TaskView:
    """The whole of a task, with that summary."""
    conversation = ledger.conversation
    branches = [branch for _, branch, _ in ledger.branches()]
    auctions = ledger.order.shape in (Shape.RISING, Shape.FALLING)
    return TaskView(
        summary=summary,
        order=ledger.order,
        phase="collecting"
        if conversation is None
        else outcomes.aggregate(conversation, ledger.protocol).value,
        branches=branch_views(ledger),
        received=dict(sorted(ledger.received.items())),
        sent=dict(sorted(ledger.sent.items())),
        missing=sum(branch.state in _OF_TIME and branch.state != "late-rejected" for branch in branches),
        late=sum(branch.state == "late-rejected" for branch in branches),
        price=auction.last_price(ledger) if auctions else None,
        violations=ledger.violations,
    )


def ending_of(ledger: Ledger) -> tuple[Ending, str | None]:
    """How a task that is done ended, and in one sentence why it did not get what it was to get."""
    ending, reason = _came_to(ledger)
    if ledger.order.cancelled and ending in (Ending.TIMED_OUT, Ending.NOT_ACHIEVED):
        return Ending.CANCELLED, reason
    return ending, reason


def _came_to(ledger: Ledger) -> tuple[Ending, str | None]:
    order = ledger.order
    kinds = {name: _kind(ledger, name, branch, note) for name, branch, note in ledger.branches()}
    never = [name for name in order.participants if name not in kinds]
    kinds |= dict.fromkeys(never, Ending.TIMED_OUT)
    if order.shape in (Shape.CALL, Shape.RISING, Shape.FALLING):
        awarded = {name: kinds[name] for name, branch, _ in ledger.branches() if _won(ledger, name, branch)}
        if awarded:
            return _worst(ledger, awarded)
        offered = ledger.received["propose"] > 0
        if offered and order.choice.how == "none":
            return Ending.ACHIEVED, None
        if offered or (order.shape is not Shape.CALL and set(kinds.values()) != {Ending.FAILED}):
            return Ending.NOT_ACHIEVED, "no proposal was accepted" if offered else "nobody bid"
    return _worst(ledger, kinds)


def replayed(order: Order, ledger: Ledger, messages: list[Message]) -> Ledger:
    """That ledger with everything in these messages of its conversation that concerns the task."""
    for message in messages:
        if message.sender == order.initiator or order.initiator in message.receiver:
            ledger.pass_time(message.timestamp)
            ledger.hear(message)
    return ledger


def _branch(ledger: Ledger, name: str, branch: Branch | None, note: Note) -> BranchView:
    if branch is None:
        return BranchView(participant=name, state=states.START, outcome=None, reason="nothing was said to it")
    end = outcomes.end_of(ledger.protocol, branch)
    why = branch.reason
    if branch.state == "late-rejected":
        why = "late"
    elif note.cancelled and is_open(ledger.protocol, branch) and branch.cancel is None:
        why = "the cancel was refused"
    return BranchView(
        participant=name,
        state=ledger.shown(branch),
        outcome=end.value if end is not None else None,
        awarded=branch.awarded,
        round=branch.round,
        reason=why,
        proposal=note.proposal,
        result=note.result,
        informs=note.kept if ledger.order.shape is Shape.STREAM else [],
    )


def _won(ledger: Ledger, name: str, branch: Branch) -> bool:
    if ledger.order.shape is Shape.RISING:
        # who led before and was outbid has won nothing
        return (
            branch.awarded and ledger.conversation is not None and ledger.conversation.rounds.leader == name
        )
    return branch.awarded


def _kind(ledger: Ledger, name: str, branch: Branch, note: Note) -> Ending:
    """What one branch comes to."""
    order = ledger.order
    if order.shape is Shape.STREAM and note.informs >= max(1, order.informs):
        return Ending.ACHIEVED
    if order.shape is Shape.STREAM and not order.informs and branch.state == states.CANCELLED:
        return Ending.ACHIEVED
    if order.shape is Shape.FALLING and branch.awarded:
        return Ending.ACHIEVED
    if branch.state in _OF_TIME:
        return Ending.TIMED_OUT
    match outcomes.end_of(ledger.protocol, branch):
        case End.SUCCESS:
            return Ending.ACHIEVED
        case End.FAULT:
            return Ending.FAILED
        case End.FORESEEN if branch.state != states.CANCELLED:
            return Ending.NOT_ACHIEVED
        case _:
            # cancelled, or still open, because the task's time was over
            return Ending.TIMED_OUT


def _worst(ledger: Ledger, kinds: dict[str, Ending]) -> tuple[Ending, str | None]:
    """A failure counts more than silence, silence more than a refusal."""
    for ending in (Ending.FAILED, Ending.TIMED_OUT, Ending.NOT_ACHIEVED):
        names = [name for name, kind in kinds.items() if kind is ending]
        if names:
            said = [_sentence(ledger, name) for name in names[:_NAMED]]
            more = f", and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            return ending, "; ".join(said) + more
    return Ending.ACHIEVED, None


def _sentence(ledger: Ledger, name: str) -> str:
    branch = ledger.branch(name)
    return f"{name}: {ledger.shown(branch) if branch is not None else 'nothing was said to it'}"
