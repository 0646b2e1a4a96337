"""All conversations of the journal that a filter means, and not only the newest. No Textual and no I/O in here.

In: pages of the API, the newest first, and what the list of the newest says meanwhile. Out: those that pass, how many
were looked at, and from where to go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from caxton.finding import ConversationSubject, Filter
from caxton.schemas.messages import ConversationBody, Conversations

MOST: Final = 2_000
"""Conversations that are kept; where so many pass, the search ends."""


class ConversationSearch:
    """One search; it ends at the oldest conversation, or where enough pass."""

    def __init__(self, wanted: Filter, platform: str, most: int = MOST) -> None:
        self.wanted = wanted
        self.searched = 0
        """Conversations that were looked at."""
        self.before: int | None = None
        """Where the next page begins."""
        self.done = False
        self.found: Sequence[ConversationBody] = ()
        """Those that pass, the newest first."""
        self._platform = platform
        self._most = most
        self._known: dict[str, ConversationBody] = {}

    @property
    def enough(self) -> bool:
        """Whether it ended before the oldest conversation."""
        return self.done and self.before is not None

    def take(self, page: Conversations) -> None:
        """The next page."""
        self.searched += len(page.items)
        self.before = page.next
        self._put(page.items)
        self.done = page.next is None or len(self.found) >= self._most

    def refresh(self, newest: Sequence[ConversationBody]) -> None:
        """The newest conversations as they are now."""
        self._put(newest)

    def _put(self, bodies: Sequence[ConversationBody]) -> None:
        before = dict(self._known)
        for body in bodies:
            if self.wanted.passes(ConversationSubject(body, self._platform)):
                self._known[body.id] = body
            else:
                self._known.pop(body.id, None)
        if self._known != before:
            by_age = sorted(self._known.values(), key=lambda body: body.started_at, reverse=True)
            self.found = by_age[: self._most]
