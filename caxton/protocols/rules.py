"""The rules by which a message is judged, each with a name and one sentence.

In: nothing. Out: `RULES`. A verdict names one of them; `docs/protocols.md` lists them all.
"""

from __future__ import annotations

from typing import Final

LEGAL: Final[dict[str, str]] = {
    "step": "the protocol's table has this act here",
    "late-proposal": "a proposal after the deadline of its cfp: the platform rejects it, reason late",
    "cancel": "the initiator may cancel at any point",
    "cancelled": "the participant confirms the cancel",
    "cancel-refused": "the participant cannot cancel; the branch goes on where it was",
    "not-understood": "whoever received something may say that it was not understood; the branch ends",
    "undeliverable": "the platform says that a message could not be delivered; the branch ends",
    "initiator-died": "the platform cancels in the name of an initiator that is gone; the branch ends",
    "free": "a message without protocol in no known conversation is not judged",
    "unknown-protocol": "nobody here knows that protocol; its messages pass unjudged",
}
"""Rules of what is legal."""

IGNORED: Final[dict[str, str]] = {
    "duplicate": "a message with this id was judged before",
    "late-refusal": "a refusal after the deadline changes nothing",
    "crossed": "a failed delivery, or the end of one of the two, has ended the branch before: nobody's fault",
    "nothing-to-cancel": "the branch has ended; the cancel is answered by failure",
    "cancel-answer": "the answer to a cancel that a result or the end has overtaken",
    "expired-offer": "the offer's reply_by has passed; an accept is answered by failure, reason expired",
    "not-understood-answered": "a not-understood is never answered by another",
    "platform": "the platform's own notice changes no state",
}
"""Rules of what is neither a step nor a violation."""

VIOLATIONS: Final[dict[str, str]] = {
    "out-of-sequence": "out of sequence: the table has no such act of this role in this state",
    "ended": "out of sequence: the branch has ended, and an end is not left",
    "already-in-use": "a conversation id is used once; a new conversation needs a new one",
    "in-reply-to": "out of sequence: in_reply_to must be the reply_with of the other side's last message",
    "past-deadline": "out of sequence: the round ended with the cfp's reply_by",
    "stranger": "who is neither initiator nor participant has no say in the conversation",
    "receiver": "a participant speaks to the initiator, or to whom the initiator's reply_to names",
    "another-protocol": "a conversation keeps the protocol that it began with",
    "cancel-by-participant": "only the initiator may cancel",
    "no-cancel": "this protocol has no cancel",
    "cancel-reply-with": "a cancel needs a reply_with that was not used before",
    "cancelling": "while a cancel waits for its answer, the initiator says nothing else",
    "nothing-received": "only who has received something can say that it was not understood",
    "a-bid": "a new round needs a bid in the one before",
    "sole-award": "one bidder of a round leads, no second one",
    "no-award": "a round that accepts an offer is final: no new cfp with it",
    "this-round": "a round that asks again accepts no offer of the round before",
    "leader": "only the last leading bidder is asked for the sale",
    "proxy-too-early": "a broker begins a sub-conversation only after it has agreed and said so",
    "unknown-act": "FIPA has no such act",
}
"""Rules that were broken."""

RULES: Final[dict[str, str]] = LEGAL | IGNORED | VIOLATIONS
