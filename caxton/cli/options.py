"""Options and arguments that several commands share, so that they are spelled and explained the same."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from caxton import duration
from caxton.cli.connection import client
from caxton.errors import CaxtonError

if TYPE_CHECKING:
    from collections.abc import Callable

    from caxton.client import Client

T = TypeVar("T")


def command_app(help: str = "") -> typer.Typer:
    """The app of a file of commands; a noun whose commands are words of their own has a `help`."""
    return typer.Typer(
        rich_markup_mode=None, add_completion=False, no_args_is_help=bool(help), help=help or None
    )


class Format(StrEnum):
    """How a listing is printed."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"


class ListFormat(StrEnum):
    """How a list of things with columns is printed."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


def _project(ctx: typer.Context, value: Path | None) -> Path | None:
    """The folder given here, else the one given before the command."""
    return value if value is not None else ctx.find_root().params.get("project")


def _agents(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of the running daemon's agents, also after a comma."""
    done, comma, last = incomplete.rpartition(",")
    agents = live(ctx, lambda caxton: caxton.agents())
    return [f"{done}{comma}{agent.name}" for agent in agents if agent.name.startswith(last)]


def live(ctx: typer.Context, ask: Callable[[Client], list[T]]) -> list[T]:
    """What the running daemon answers, for completion; nothing where none does."""
    project = ctx.params.get("project") or ctx.find_root().params.get("project")
    try:
        with client(project, timeout_s=1.0) as caxton:
            return ask(caxton)
    except CaxtonError:
        return []


def one_of(*names: str) -> Callable[[str], list[str]]:
    """Completes one of these names."""
    return lambda incomplete: [name for name in names if name.startswith(incomplete)]


def seconds(text: str | float) -> float:
    """A duration in seconds. A default comes as a number."""
    try:
        return duration.seconds(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def duration_text(text: str) -> str:
    """A duration as it was written, for the daemon to read."""
    seconds(text)
    return text.strip()


def duration_option(name: str, help: str, parser: Callable[[str], object] = seconds) -> Any:
    """An option that takes a duration: seconds, or with `duration_text` as it was written."""
    return typer.Option(name, metavar="DURATION", parser=parser, help=help)


Project = Annotated[
    Path | None,
    typer.Option(
        "--project",
        "-p",
        callback=_project,
        help="Folder of the project.  [default: nearest caxton.toml]",
    ),
]
Output = Annotated[
    Format, typer.Option("--output", "-o", help="text for people, json one document, jsonl one line an item.")
]
ListOutput = Annotated[
    ListFormat,
    typer.Option(
        "--output", "-o", help="text for people, json one document, jsonl one line an item, csv the columns."
    ),
]
AgentName = Annotated[str, typer.Argument(metavar="AGENT", help="Name of the agent.", autocompletion=_agents)]
SomeAgent = Annotated[
    str | None, typer.Option("--agent", help="Only what concerns this agent.", autocompletion=_agents)
]
Find = Annotated[
    str,
    typer.Option(
        "--filter", "-f", metavar="TERMS", help="Only what matches, such as 'from:buyer act:refuse !timer'."
    ),
]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="Not before it: 5m ago, 12:30 of today, 2026-01-31T12:30."),
]
Until = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help="Only before it, written like --since.")
]
Receivers = Annotated[
    str | None, typer.Option("--to", metavar="NAME[,NAME]", help="Its receivers.", autocompletion=_agents)
]
Timeout = Annotated[float, duration_option("--timeout", "How long to wait, such as 500ms or 5s.")]
SentBy = Annotated[str | None, typer.Option("--sender", help="Send as operator.NAME instead of operator.")]
Ontology = Annotated[str | None, typer.Option("--ontology", help="What the content's words mean.")]
Language = Annotated[str | None, typer.Option("--language", help="What the content is written in.")]
ConversationId = Annotated[str, typer.Argument(metavar="ID", help="Id of the conversation.")]
OfConversation = Annotated[str | None, typer.Option("--conversation", help="Only this conversation.")]
MessageLimit = Annotated[int, typer.Option("--limit", "-n", min=1, help="Maximum number of messages.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="Maximum number.")]
