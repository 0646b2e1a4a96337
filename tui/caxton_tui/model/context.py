"""What every part of the screen is given: the store, the reader, the clock, and what the operator may do.

In: nothing of its own. Out: one value that is passed around instead of seven.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from caxton.clock import Clock
from caxton_tui.model.kept_views import KeptViews
from caxton_tui.model.reader import Reader
from caxton_tui.model.store import Store


@dataclass(frozen=True, slots=True)
class ViewContext:
    """What stands behind the screen. `zone`: of the times shown; None is this machine's."""

    store: Store
    reader: Reader
    clock: Clock
    folder: Path
    """The project's."""
    zone: tzinfo | None
    read_only: bool
    key: Callable[[str], str]
    """The key to press for something, by the id of its binding."""
    kept: KeptViews
    """What the operator chose at earlier starts."""

    @property
    def now_us(self) -> int:
        """Wall time in microseconds since 1970."""
        return self.clock.now_us()

    def age_s(self, moment: datetime) -> float:
        """Seconds since that moment."""
        return self.now_us / 1e6 - moment.timestamp()

    def hour(self, moment: datetime) -> str:
        """A moment as the operator's clock shows it, `12:34:56`."""
        return moment.astimezone(self.zone or None).strftime("%H:%M:%S")

    def today(self) -> datetime:
        """Now, in the operator's zone."""
        return datetime.fromtimestamp(self.now_us / 1e6, UTC).astimezone(self.zone)
