"""How it stands with the daemon."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Link(StrEnum):
    """How it stands with the daemon."""

    CONNECTING = "connecting"
    LIVE = "live"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Connection:
    """The link to the daemon. Moments are seconds of the clock's `monotonic`."""

    link: Link = Link.CONNECTING
    since: float = 0.0
    again_at: float = 0.0
    """When a lost daemon is tried again."""
    why: str = ""
