"""Which conversation is whose while two revisions of an agent live.

In: conversations, by id or by the journal's key. Out: the revision that speaks in each. A conversation is asked about
once and keeps its answer, so none is split; what was under way before is the old revision's. The memory is bounded like
the bus's own: the oldest answers are forgotten first, and are given again by the same rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final
from zlib import crc32

from caxton.ids import conversation_key

KEPT: Final = 100_000


class ConversationRouting:
    """Who speaks where."""

    def __init__(self, is_new: Callable[[str], bool]) -> None:
        self._is_new = is_new
        """The rule for a conversation that begins now."""
        self._known: dict[int, bool] = {}

    def of_new(self, conversation: str | int) -> bool:
        """Whether the new revision speaks in that conversation; of one that is named by its key nothing is decided."""
        if isinstance(conversation, int):
            return self._known.get(conversation, False)
        key = conversation_key(conversation)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= KEPT:
                for old in list(islice(self._known, KEPT // 10)):
                    del self._known[old]
            known = self._known[key] = self._is_new(conversation)
        return known

    def keep(self, keys: Iterable[int], *, new: bool) -> None:
        """Those are under way, and whose they are."""
        self._known.update((one, new) for one in keys)


def within(conversation: str, percent: float) -> bool:
    """Whether a conversation is among so many of a hundred; one that is, stays so when they become more."""
    return crc32(conversation.encode()) % 10_000 < percent * 100
