"""What one sees on the market, in one line a step: said when the step is first seen.

In: messages of the trade in their order. Out: lines for whoever has never seen agents talk.
"""

from __future__ import annotations

from typing import Final

from caxton.schemas.messages import MessageBody

BEGIN: Final = "four agents are up, each in its own sandbox; you (operator) request the buyer to buy"
KEYS: Final = "keys: enter opens a message, 2 agents, 3 where time went, / filters, ? all keys, q leaves"

_STEPS: Final = {
    "cfp": "cfp: the buyer calls for proposals; fipa-contract-net says who may answer what, and when",
    "propose": "propose: a seller names its price",
    "refuse": "refuse: a seller does not want to; that is a legal answer, and the others go on",
    "accept-proposal": "accept-proposal: the cheapest gets it; reject-proposal tells the others",
    "inform": "inform: the seller has delivered; this conversation is Completed",
    "failure": "failure: the seller could not deliver; the protocol ends Failed, the agents live on",
    "not-understood": "not-understood from ams: the referee held back a message that broke its protocol",
}


class MarketStory:
    """Tells each step once."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def of(self, stored: MessageBody) -> str | None:
        """The line for that message, where it is the first of its kind."""
        act = stored.message.performative
        if act in self._told or stored.message.protocol == "fipa-request":
            return None
        self._told.add(act)
        return _STEPS.get(act)
