"""Which conversations there are and who takes part, as far as the journal has to be told.

In: each admitted message. Out: rows for conversations and participants that are new. The memory is bounded: the
oldest are forgotten first, and one that comes back only writes rows that the journal has already and ignores.
"""

from __future__ import annotations

from typing import Final

from caxton.ids import conversation_key
from caxton.journal import Batch

KEPT: Final = 100_000


class Talk:
    """One conversation in memory."""

    __slots__ = ("key", "members")

    def __init__(self, key: int) -> None:
        self.key = key
        self.members: set[str] = set()


class Conversations:
    """The conversations that the bus has seen lately."""

    __slots__ = ("begun", "talks")

    def __init__(self) -> None:
        self.talks: dict[str, Talk] = {}
        self.begun = 0

    def open(
        self, batch: Batch, conversation_id: str, seq: int, at_us: int, initiator: str, protocol: str | None
    ) -> Talk:
        """Begin a conversation, or take up one that was forgotten."""
        if len(self.talks) >= KEPT:
            for old in list(self.talks)[: KEPT // 10]:
                del self.talks[old]
        talk = self.talks[conversation_id] = Talk(conversation_key(conversation_id))
        self.begun += 1
        batch.conversations.append((talk.key, conversation_id, seq, at_us, initiator, protocol))
        return talk

    @staticmethod
    def join(batch: Batch, talk: Talk, names: list[str]) -> None:
        """Write down who takes part from now on."""
        for name in names:
            if name not in talk.members:
                talk.members.add(name)
                batch.participants.append((name, talk.key))
