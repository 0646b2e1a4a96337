"""What a task says next: pure, from its order, what its ledger knows, and the time.

In: the order, the ledger, `now_us`. Out: each `OutgoingMessage` to send now; none where it is to wait. Only the first
is sent before the plan is asked again, so each message follows from all that was heard before it, and a task that goes
on after a restart says what it had not said yet.
"""

from __future__ import annotations

from typing import Any, Final, cast

import msgspec

from caxton import exact_numbers
from caxton.acl.performative import Performative
from caxton.protocols.branch import Branch
from caxton.protocols.protocol import Phase
from caxton.tasks import auction
from caxton.tasks.ledger import Ledger, Note
from caxton.tasks.order import Shape
from caxton.tasks.outgoing import OutgoingMessage, reason
from caxton.tasks.selection import LATE, NOBODY, OTHERS, OVER, How

CANCEL_WAIT_US: Final = 2_000_000
"""How long a task waits for the answer to its cancel."""


def next_messages(ledger: Ledger, now_us: int, *, rejects_late: bool) -> list[OutgoingMessage]:
    """What is to be said now; `rejects_late` where nobody else answers late proposals."""
    order = ledger.order
    over = now_us > order.deadline_us
    words: list[OutgoingMessage] = []
    if rejects_late:
        words += _to_the_late(ledger)
    if not over:
        words += _opening(ledger)
    match order.shape:
        case Shape.CALL:
            words += _decisions(ledger, now_us)
        case Shape.STREAM:
            words += _enough(ledger, now_us)
        case Shape.RISING | Shape.FALLING:
            words += auction.next_messages(ledger, now_us)
        case Shape.ASK:
            pass
    if over and not words:
        words += _cancels(ledger, now_us)
    return words


def is_done(ledger: Ledger, now_us: int) -> bool:
    """Whether nothing is left to say or to wait for; asked when there is nothing to say now."""
    over = now_us > ledger.order.deadline_us
    conversation = ledger.conversation
    if conversation is None:
        return over
    # who refused the cancel goes on, and the task is over all the same
    return all(note.cancelled and branch.cancel is None for _, branch, note in ledger.open()) or (
        over and not ledger.protocol.cancel
    )


def _opening(ledger: Ledger) -> list[OutgoingMessage]:
    """The first act to everybody to whom nothing was said yet."""
    order = ledger.order
    if order.shape in (Shape.RISING, Shape.FALLING):
        until: int | None = None
    else:
        until = order.reply_by_us
    # one message to all of them: said one by one, the conversation could be over before the last has heard of it
    names = tuple(name for name in order.participants if ledger.branch(name) is None)
    return [OutgoingMessage(order.act, names, order.content, reply_by_us=until)] if names else []


def _to_the_late(ledger: Ledger) -> list[OutgoingMessage]:
    return [
        OutgoingMessage(late.performative, (name,), reason(LATE), in_reply_to=late.in_reply_to)
        for name, note in ledger.notes.items()
        if (late := note.late) is not None
    ]


def _decisions(ledger: Ledger, now_us: int) -> list[OutgoingMessage]:
    """Accept and reject, or ask again."""
    order = ledger.order
    offers = ledger.offers()
    if not offers:
        return []
    over = now_us > order.deadline_us
    if over:
        return [_reject(ledger, offer.participant, OVER) for offer in offers]
    waits = any(
        ledger.phase(branch) is Phase.COLLECTING and branch.cancel is None for _, branch, _ in ledger.open()
    )
    if waits and order.choice.how is not How.FIRST:
        return []
    chosen = order.choice.among(offers, max(0, order.winners - ledger.accepts))
    if ledger.round and ledger.round < order.rounds:
        unfit = {name: why for name, why in chosen.reasons.items() if why not in (OTHERS, NOBODY)}
        again = tuple(offer.participant for offer in offers if offer.participant not in unfit)
        content = _revised(ledger, ledger.round + 1)
        until = min(now_us + order.wait_us, order.deadline_us)
        words = [_reject(ledger, name, why) for name, why in unfit.items()]
        return words + (
            [OutgoingMessage(Performative.CFP, again, content, reply_by_us=until)] if again else []
        )
    words = [
        _to_bidder(
            ledger,
            Performative.ACCEPT_PROPOSAL,
            name,
            cast("msgspec.Raw", ledger.notes[name].proposal),
            order.deadline_us,
        )
        for name in chosen.winners
    ]
    return words + [_reject(ledger, name, why) for name, why in chosen.reasons.items()]


def _revised(ledger: Ledger, number: int) -> msgspec.Raw:
    """The content of a further round: an object is told which round it is, and the best offer of the one before."""
    order = ledger.order
    content: Any = exact_numbers.decode(order.content)
    if not isinstance(content, dict):
        return order.content
    said = cast("dict[str, Any]", content)
    known = [offer.value for offer in ledger.offers() if offer.value is not None]
    said.setdefault("round", number)
    if known:
        said.setdefault("best", min(known) if order.choice.how is How.LOWEST else max(known))
    return msgspec.Raw(exact_numbers.encode(said))


def _enough(ledger: Ledger, now_us: int) -> list[OutgoingMessage]:
    """Cancel with everybody who has told enough."""
    wanted = ledger.order.informs
    if not wanted:
        return []
    return [
        _cancel(name, now_us)
        for name, branch, note in ledger.open()
        if note.informs >= wanted and _cancellable(branch, note)
    ]


def _cancels(ledger: Ledger, now_us: int) -> list[OutgoingMessage]:
    """The time is over: cancel whatever is open, once."""
    if not ledger.protocol.cancel:
        return []
    return [_cancel(name, now_us) for name, branch, note in ledger.open() if _cancellable(branch, note)]


def _cancellable(branch: Branch, note: Note) -> bool:
    return not note.cancelled and branch.cancel is None


def _cancel(name: str, now_us: int) -> OutgoingMessage:
    return OutgoingMessage(
        Performative.CANCEL, (name,), reason("the task is over"), reply_by_us=now_us + CANCEL_WAIT_US
    )


def _reject(ledger: Ledger, name: str, why: str) -> OutgoingMessage:
    return _to_bidder(ledger, Performative.REJECT_PROPOSAL, name, reason(why), None)


def _to_bidder(
    ledger: Ledger, act: Performative, name: str, content: msgspec.Raw, until_us: int | None
) -> OutgoingMessage:
    return OutgoingMessage(
        act, (name,), content, in_reply_to=ledger.notes[name].bidding, reply_by_us=until_us
    )
