"""What a watcher of the market remembers: how many messages, who sold, what became of each round.

In: stored messages as the API gives them, in their order. Out: counts, and the lines of the demo's summary.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, cast

from caxton.cli.output.printing import plural
from caxton.presentation.names import short
from caxton.schemas.messages import MessageBody

CONTRACT_NET = "fipa-contract-net"
CLOCKWORK = frozenset({"timer", "ams"})
"""Platform agents: their conversations with the buyer keep time, and are counted but not shown."""


class MarketTally:
    """Counts what it is shown. Only messages that `add` calls worth showing are of interest to a person."""

    def __init__(self) -> None:
        self.messages = 0
        self.conversations: dict[str, str | None] = {}
        self.acts: Counter[str] = Counter()
        self.sales: Counter[str] = Counter()
        self.income: Counter[str] = Counter()
        self.first_s = 0.0
        self.last_s = 0.0
        self._accepted: dict[str, int] = {}

    def add(self, stored: MessageBody) -> bool:
        """Count one message; whether it belongs to the trade and not to the clockwork."""
        message = stored.message
        act, sender = message.performative, short(message.sender)
        conversation = message.conversation_id
        self.messages += 1
        self.last_s = stored.at.timestamp()
        self.first_s = self.first_s or self.last_s
        names = {sender, *(short(name) for name in message.receiver)}
        if names & CLOCKWORK:
            return False
        self.conversations.setdefault(conversation, message.protocol)
        if message.protocol == CONTRACT_NET:
            self._contract(conversation, act, sender, message.content)
        return True

    def _contract(self, conversation: str, act: str, sender: str, content: Any) -> None:
        self.acts[act] += 1
        price: object = cast("dict[str, object]", content).get("price") if isinstance(content, dict) else None
        if act == "accept-proposal" and isinstance(price, int):
            self._accepted[conversation] = price
        elif act == "inform":
            self.sales[sender] += 1
            self.income[sender] += self._accepted.get(conversation, 0)

    def missed(self, messages: int) -> None:
        """So many more were committed, and not shown."""
        self.messages += messages

    def outcomes(self) -> str:
        """What became of the rounds, in one line."""
        bought, spent = sum(self.sales.values()), sum(self.income.values())
        nets = sum(1 for protocol in self.conversations.values() if protocol == CONTRACT_NET)
        acts = (("propose", "proposal"), ("refuse", "refusal"), ("failure", "failure"))
        said = ", ".join(plural(self.acts[act], noun) for act, noun in acts)
        return f"{bought} of {nets} bought for {spent}; {said}"

    def sellers(self) -> str:
        """Who sold how many for how much, the best first."""
        ranked = sorted(self.sales, key=lambda name: (-self.income[name], name))
        return ", ".join(f"{name} {self.sales[name]} for {self.income[name]}" for name in ranked) or "nobody"

    def kinds(self) -> str:
        """How many conversations of which protocol."""
        counts = Counter(protocol or "no protocol" for protocol in self.conversations.values())
        each = ", ".join(f"{count} {protocol}" for protocol, count in counts.most_common())
        return f"{len(self.conversations)}: {each}"
