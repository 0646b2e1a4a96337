"""Which conversations there are and who takes part, as far as the journal has to be told.

In: each admitted message. Out: rows for conversations and participants that are new. The memory is bounded: the
oldest are forgotten first, and one that comes back only writes rows that the journal has already and ignores. One of
which the journal has removed every message is forgotten too, so that its row is written again.
"""

from __future__ import annotations

from typing import Final

from caxton.ids import conversation_key
from caxton.journal import Batch

KEPT: Final = 100_000
SHARED_MAX: Final = 10_000
"""Sets of members that new conversations may share."""
_NOBODY: Final[frozenset[str]] = frozenset()


class ConversationEntry:
    """One conversation in memory."""

    __slots__ = ("key", "last_seq", "members")

    def __init__(self, key: int) -> None:
        self.key = key
        self.last_seq = 0
        """The number of what was said in it last."""
        self.members: frozenset[str] = _NOBODY
        """Who takes part; conversations of the same members share one set."""

    def joined_by(self, members: frozenset[str]) -> None:
        """These take part from now on."""
        self.members = members

    def goes_on(self, seq: int) -> None:
        """Something was said in it."""
        self.last_seq = seq


class Conversations:
    """The conversations that the bus has seen lately."""

    __slots__ = ("_members", "begun", "entries")

    def __init__(self) -> None:
        self.entries: dict[str, ConversationEntry] = {}
        self.begun = 0
        self._members: dict[frozenset[str], frozenset[str]] = {}

    def open(
        self, batch: Batch, conversation_id: str, seq: int, at_us: int, initiator: str, protocol: str | None
    ) -> ConversationEntry:
        """Begin a conversation, or take up one that was forgotten."""
        if len(self.entries) >= KEPT:
            for old in list(self.entries)[: KEPT // 10]:
                del self.entries[old]
        entry = self.entries[conversation_id] = ConversationEntry(conversation_key(conversation_id))
        self.begun += 1
        batch.conversations.append((entry.key, conversation_id, seq, at_us, initiator, protocol))
        return entry

    def join(self, batch: Batch, entry: ConversationEntry, names: list[str]) -> None:
        """Write down who takes part from now on."""
        new = [name for name in dict.fromkeys(names) if name not in entry.members]
        if not new:
            return
        batch.participants.extend((name, entry.key) for name in new)
        members = entry.members.union(new)
        if len(self._members) >= SHARED_MAX:
            self._members.clear()
        entry.joined_by(self._members.setdefault(members, members))
