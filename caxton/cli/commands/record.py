"""`caxton record`: make a scenario of what has happened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caxton.cli import connection
from caxton.cli.lazy import lazy
from caxton.cli.options import Project, Since, command_app, live
from caxton.errors import ConfigurationError, Exit

if TYPE_CHECKING:
    from caxton.cli import recordings
else:
    (recordings,) = lazy("caxton.cli.recordings")

app = command_app()


def conversation_ids(ctx: typer.Context, incomplete: str) -> list[str]:
    """Ids of the newest conversations."""
    found = live(ctx, lambda caxton: caxton.conversations(limit=100))
    return [one.id for one in found if one.id.startswith(incomplete)]


@app.command()
def record(
    conversations: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CONVERSATION]…", help="Ids of conversations.", autocompletion=conversation_ids
        ),
    ] = None,
    since: Since = None,
    alive: Annotated[bool, typer.Option("--live", help="What is said from now on, until Ctrl-C.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="The file.  [default: scenarios/CONVERSATION.toml]"
        ),
    ] = None,
    redact: Annotated[
        list[str] | None,
        typer.Option(
            "--redact",
            metavar="WHAT",
            help="Replace values: a path into contents (customer.email), or ~REGEX; may be repeated.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there already.")] = False,
    project: Project = None,
) -> None:
    """Make a scenario of what has happened: a file that caxton run plays, with expectations, and that passes at once.

    What belongs to a conversation is recorded whole: the message from outside that set it going, and everything that
    followed, in whatever conversation it was said. Messages from outside become steps, what agents said becomes
    expectations; ids and times that differ each time are masked. What the agents remembered then is kept in a second
    file beside it, NAME.memory. Both are text: read them before you give them away. The scenario is played once when it
    is written; exit code 6 where it does not pass.

    \b
    Examples:
      caxton record market-1
      caxton record --since 5m -o scenarios/this-morning.toml
      caxton record c-9414cc516883248e -o order.toml --redact customer.email --redact '~[0-9]{16}'
      caxton record --live -o scenarios/by-hand.toml
    """
    if alive and (conversations or since):
        raise ConfigurationError(
            "--live records what is said from now on", hint="leave conversations and --since out"
        )
    if not (conversations or since or alive):
        raise ConfigurationError(
            "it is not said what to record",
            hint="caxton record CONVERSATION (see caxton conv list), --since 5m, or --live",
        )
    folder = connection.folder(project)
    wanted = recordings.wanted(folder, conversations or [], since, output, redact or [], alive=alive)
    code = recordings.record(folder, wanted, replace=force)
    if code is not Exit.OK:
        raise typer.Exit(int(code))
