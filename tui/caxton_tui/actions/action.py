"""Something that the operator wants done, as a value: a screen asks, performs it and says what came of it.

In: a title, the command that does the same, and what is asked of the daemon. Out: an `Action`.
"""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from caxton import exact_numbers
from caxton.client import AsyncClient
from caxton.errors import CaxtonError

T = TypeVar("T")

TOLD: Final = 300
"""Characters of a command in a note."""
ASKED: Final = 5
"""Questions of several actions that are shown."""


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


def several(title: str, actions: Sequence[Action]) -> Action:
    """All of them as one, in their order: what is refused does not keep the others from being done."""
    if len(actions) == 1:
        return actions[0]

    async def run(client: AsyncClient) -> str:
        refused: list[tuple[str, CaxtonError]] = []
        for one in actions:
            try:
                await one.run(client)
            except CaxtonError as error:
                refused.append((one.title, error))
        done = len(actions) - len(refused)
        if not done:
            raise refused[0][1]
        return "\n".join([f"{done} done", *(f"not: {what}: {error.message}" for what, error in refused)])

    questions = [one.question for one in actions if one.question]
    left = len(questions) - ASKED
    shown = [*questions[:ASKED], *([f"… and {left} more"] if left > 0 else [])]
    return Action(title, "\n".join(one.command for one in actions), run, "\n".join(shown))


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
