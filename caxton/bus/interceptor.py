"""Who may stop messages on their way, as the bus knows it.

In: every message that has come into being, while there is a gate. Out: whether it stays there. The one that there is,
is `hold`.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from caxton.acl import Message
from caxton.bus.causes import Tree
from caxton.bus.conversations import ConversationEntry
from caxton.bus.envelope import Envelope


class Interceptor(Protocol):
    """There is none as long as nothing is to be stopped."""

    def stops(
        self,
        message: Message,
        extensions: dict[str, msgspec.Raw] | None,
        seq: int,
        cause: int,
        hops: int,
        entry: ConversationEntry,
        tree: Tree,
    ) -> bool:
        """Whether a message stays here; it is written down then."""
        ...

    def discard(self, envelope: Envelope, flags: int) -> None:
        """Bring a message to nobody; `flags` are those of its row."""
        ...

    def oldest(self) -> int:
        """The lowest number among the messages that are here."""
        ...
