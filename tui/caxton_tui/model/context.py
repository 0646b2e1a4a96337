"""What every part of the screen is given: the store, the reader, the clock, and what the operator may do.

In: nothing of its own. Out: one value that is passed around instead of six.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Final

from caxton.client import AsyncClient
from caxton.clock import Clock
from caxton_tui.model.reader import Reader
from caxton_tui.model.store import Store

if TYPE_CHECKING:
    from textual.screen import ModalScreen

TOLD: Final = 300
"""Characters of a command in a note."""


@dataclass(frozen=True, slots=True)
class ViewContext:
    """The rooms behind the screen. `zone`: of the times shown; None is this machine's."""

    store: Store
    reader: Reader
    clock: Clock
    folder: Path
    """The project's."""
    zone: tzinfo | None
    read_only: bool
    key: Callable[[str], str]
    """The key to press for something, by the id of its binding."""

    @property
    def now_us(self) -> int:
        """Wall time in microseconds since 1970."""
        return self.clock.now_us()

    def age_s(self, iso: str) -> float:
        """Seconds since that moment."""
        return self.now_us / 1e6 - datetime.fromisoformat(iso).timestamp()

    def hour(self, iso: str) -> str:
        """A moment as the operator's clock shows it, `12:34:56`."""
        return datetime.fromisoformat(iso).astimezone(self.zone or None).strftime("%H:%M:%S")

    def today(self) -> datetime:
        """Now, in the operator's zone."""
        return datetime.fromtimestamp(self.now_us / 1e6, UTC).astimezone(self.zone)


@dataclass(frozen=True, slots=True)
class Action:
    """Something that the operator wants done, with the command that does the same."""

    title: str
    """What is done, in a few words: `restart seller-ann`."""
    command: str
    run: Callable[[AsyncClient], Awaitable[str]]
    """Does it; one sentence of what came of it."""
    question: str = ""
    """What is asked before; nothing for what harms nobody."""
    opens: list[str] = field(default_factory=list[str])
    """The conversation that it began, once it is done: shown then."""
    changes: bool = True
    """Whether it changes something in the daemon: refused where the operator only looks."""
    again: ModalScreen[Action | None] | None = None
    """The form that it was written in, as it was filled: laid over the screen again where the daemon refuses."""

    @property
    def told(self) -> str:
        """The command as a note shows it: a content may be long, and a note lies over the picture."""
        return self.command if len(self.command) <= TOLD else f"{self.command[:TOLD]}…"


@dataclass(frozen=True, slots=True)
class PaletteCommand:
    """A line of the palette: a noun first, what it does, and the command line's twin."""

    words: str
    text: str
    twin: str
    run: Callable[[], None]
