"""Something that the operator wants done, as a value: a screen asks, performs it and says what came of it.

In: a title, the command that does the same, and what is asked of the daemon. Out: an `Action`.
"""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from caxton import exact_numbers
from caxton.client import AsyncClient

T = TypeVar("T")

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
    """The question to confirm; empty where nothing can be lost."""
    opens: list[str] = field(default_factory=list[str])
    """The conversation that it began, once it is done: shown then."""
    changes: bool = True
    """Whether it changes something in the daemon: refused where the operator only looks."""

    @property
    def told(self) -> str:
        """The command as a note shows it: a content may be long, and a note lies over the screen."""
        return self.command if len(self.command) <= TOLD else f"{self.command[:TOLD]}…"


def asked(
    title: str,
    command: str,
    ask: Callable[[AsyncClient], Awaitable[T]],
    say: Callable[[T], str],
    question: str = "",
) -> Action:
    """One thing that is asked of the daemon, and the sentence that its answer makes."""

    async def run(client: AsyncClient) -> str:
        return say(await ask(client))

    return Action(title, command, run, question)


def options(body: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """The options of a command for what a body says, by the names of its fields; a content is written as JSON."""
    parts = ""
    for name, option in names.items():
        value = body.get(name)
        if name == "content" and value is not None:
            parts += f" --{option} {shlex.quote(exact_numbers.text(value))}"
        elif value:
            text = value if isinstance(value, str) else ",".join(value)
            parts += f" --{option} {shlex.quote(text)}"
    return parts
