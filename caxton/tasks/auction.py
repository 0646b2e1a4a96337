"""What an auctioneer says next: English (the price rises) and Dutch (it falls), pure like `plan`.

In: the ledger and the time. Out: words. The price of a round is the order's first price and one step for each round
after the first, so it needs no memory of its own. The first bid of a round has it, but nobody is outbid by themselves;
where the price rises the last leader is asked for the sale, where it falls goods are sold until there are `winners`.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from caxton import exact_numbers
from caxton.acl.performative import Performative
from caxton.tasks.ledger import Ledger
from caxton.tasks.order import Shape
from caxton.tasks.outgoing import OutgoingMessage, reason
from caxton.tasks.selection import OTHERS, Offer


def price_of(ledger: Ledger, number: int) -> int | float:
    """What is called in that round, counted from 1."""
    order = ledger.order
    steps = number - 1 if order.shape is Shape.RISING else 1 - number
    return exact_numbers.number(exact_numbers.value(order.price) + steps * exact_numbers.value(order.step))


def next_messages(ledger: Ledger, now_us: int) -> list[OutgoingMessage]:
    """Decide on bids, call the next round, end the auction, or ask for the sale."""
    conversation = ledger.conversation
    if conversation is None:
        return []
    inside = [
        (name, branch)
        for name, branch, _ in ledger.open()
        if ledger.may(branch, Performative.INFORM) or ledger.may(branch, Performative.ACCEPT_PROPOSAL)
    ]
    rising = ledger.order.shape is Shape.RISING
    if not inside:
        return _sale(ledger) if rising else []
    if now_us > ledger.order.deadline_us:
        return _close(ledger, "the auction's time is over")
    rounds = conversation.rounds
    waits = any(
        branch.state in _calling(ledger) and branch.deadline_us and now_us <= branch.deadline_us
        for _, branch in inside
    )
    offers = ledger.offers()
    if offers and (not rising or not waits):
        return _decide(ledger, offers)
    if not rising and ledger.accepts >= ledger.order.winners:
        return _close(ledger, "sold")
    if rounds.number and waits:
        return []
    if rising and rounds.number and rounds.awarded != rounds.number:
        return _close(ledger, "nobody bids more")
    price = price_of(ledger, rounds.number + 1)
    if (not rising and _below_limit(ledger, price)) or price <= 0:
        return _close(ledger, "no sale at a lower price")
    until = min(now_us + ledger.order.wait_us, ledger.order.deadline_us)
    content = _priced(ledger, price)
    names = tuple(name for name, _ in inside)
    return [OutgoingMessage(Performative.CFP, names, content, reply_by_us=until)]


def last_price(ledger: Ledger) -> int | float | None:
    """At what price it was sold, or would be; None where nobody bid."""
    conversation = ledger.conversation
    if conversation is None or conversation.rounds.awarded < 1:
        return None
    return price_of(ledger, conversation.rounds.awarded)


def _calling(ledger: Ledger) -> set[str]:
    """States in which participants may bid."""
    return {state for state, (_, theirs) in ledger.protocol.moves.items() if Performative.PROPOSE in theirs}


def _decide(ledger: Ledger, offers: list[Offer]) -> list[OutgoingMessage]:
    """The first bid wins; where the price falls, as many as there are goods left."""
    conversation = ledger.conversation
    why = OTHERS
    if conversation is not None and ledger.order.shape is Shape.RISING:
        rounds = conversation.rounds
        alone = rounds.awarded != rounds.number and [one.participant for one in offers] == [rounds.leader]
        room = int(rounds.awarded != rounds.number and not alone)
        if alone:
            why = "nobody else bids: the price before stands"
    else:
        room = max(0, ledger.order.winners - ledger.accepts)
    words: list[OutgoingMessage] = []
    for place, offer in enumerate(offers):
        wins = place < room
        words.append(
            OutgoingMessage(
                Performative.ACCEPT_PROPOSAL if wins else Performative.REJECT_PROPOSAL,
                (offer.participant,),
                cast("msgspec.Raw", ledger.notes[offer.participant].proposal) if wins else reason(why),
                in_reply_to=ledger.notes[offer.participant].bidding,
            )
        )
    return words


def _close(ledger: Ledger, why: str) -> list[OutgoingMessage]:
    """Tell everybody that it is over; a bid in hand is answered first."""
    words = [
        OutgoingMessage(
            Performative.REJECT_PROPOSAL,
            (offer.participant,),
            reason(why),
            in_reply_to=ledger.notes[offer.participant].bidding,
        )
        for offer in ledger.offers()
    ]
    if words:
        return words
    said = msgspec.Raw(exact_numbers.encode({"over": True, "reason": why, "price": last_price(ledger)}))
    names = tuple(name for name, branch, _ in ledger.open() if ledger.may(branch, Performative.INFORM))
    return [OutgoingMessage(Performative.INFORM, names, said)]


def _sale(ledger: Ledger) -> list[OutgoingMessage]:
    """Ask the last leader for the sale, once, if the price is high enough."""
    conversation = ledger.conversation
    price = last_price(ledger)
    if conversation is None or price is None or _below_limit(ledger, price):
        return []
    leader = conversation.rounds.leader
    branch = ledger.branch(leader) if leader is not None else None
    if leader is None or branch is None or not ledger.may(branch, Performative.REQUEST):
        return []
    return [
        OutgoingMessage(
            Performative.REQUEST, (leader,), _priced(ledger, price), reply_by_us=ledger.order.deadline_us
        )
    ]


def _below_limit(ledger: Ledger, price: int | float) -> bool:
    return exact_numbers.value(price) < exact_numbers.value(ledger.order.limit or 0)


def _priced(ledger: Ledger, price: int | float) -> msgspec.Raw:
    content: Any = exact_numbers.decode(ledger.order.content)
    return msgspec.Raw(exact_numbers.encode({**cast("dict[str, Any]", content), "price": price}))
