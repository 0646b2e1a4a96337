"""Something that the operator wants done, as a value: a screen asks, performs it and says what came of it.

In: a title, the command that does the same, and what is asked of the daemon. Out: an `Action`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from caxton.client import AsyncClient

TOLD: Final = 300
"""Characters of a command in a note."""


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

    @property
    def told(self) -> str:
        """The command as a note shows it: a content may be long, and a note lies over the screen."""
        return self.command if len(self.command) <= TOLD else f"{self.command[:TOLD]}…"
