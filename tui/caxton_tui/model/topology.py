"""Who talks to whom, how much, and how it goes on: counted from the rows of the log. No Textual and no I/O in here.

In: the ring of rows, which is read on from where it was read before. Out: an `AgentLink` for each sender and
receiver. What the daemon left out for this viewer is in no count.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from caxton_tui.model.log_entry import LogEntry
from caxton_tui.model.ring_buffer import RingBuffer

RECENT_S: Final = 10.0
"""The rate is that of the last so many seconds."""
MOST_RECENT: Final = 50_000
"""Messages of one link that a rate is made of; of more it is too low."""


@dataclass(slots=True)
class AgentLink:
    """What one agent said to another. It grows."""

    sender: str
    receiver: str
    messages: int = 0
    problems: int = 0
    act: str = ""
    """What was said last."""
    at: datetime | None = None
    """And when."""
    recent: deque[float] = field(default_factory=lambda: deque[float](maxlen=MOST_RECENT))
    """When the newest were said, in seconds since 1970."""

    def per_s(self, now_s: float) -> float:
        """Messages a second, of the last seconds."""
        while self.recent and self.recent[0] <= now_s - RECENT_S:
            self.recent.popleft()
        return len(self.recent) / RECENT_S


class Topology:
    """All links of one log."""

    def __init__(self) -> None:
        self._links: dict[tuple[str, str], AgentLink] = {}
        self._ring: RingBuffer[LogEntry] | None = None
        self._upto = 0
        self.links: Sequence[AgentLink] = ()
        """By sender and receiver; another one where one came in."""

    @property
    def busiest(self) -> int:
        """The messages of the link that has most."""
        return max((link.messages for link in self.links), default=0)

    def read(self, ring: RingBuffer[LogEntry]) -> None:
        """Read on where it was read before; another ring is read from its beginning."""
        if ring is not self._ring:
            self._links, self._ring, self._upto = {}, ring, 0
        known = len(self._links)
        for number in range(max(self._upto, ring.dropped), ring.end):
            entry = ring.at(number)
            if entry is not None and entry.kind == "message":
                self._count(entry)
        self._upto = ring.end
        if len(self._links) != known or len(self._links) != len(self.links):
            self.links = [self._links[key] for key in sorted(self._links)]

    def _count(self, entry: LogEntry) -> None:
        sender, problem, at = entry.sender, entry.problem, entry.at
        for receiver in entry.to.split(", "):
            link = self._links.setdefault((sender, receiver), AgentLink(sender, receiver))
            link.messages += 1
            link.problems += problem
            link.act = entry.act
            link.at = at
            if at is not None:
                link.recent.append(at.timestamp())
