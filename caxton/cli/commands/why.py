"""`caxton why`: what led to a message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from caxton.cli.lazy import lazy
from caxton.cli.options import Format, Output, Project, command_app

if TYPE_CHECKING:
    from caxton.cli import history_views
else:
    (history_views,) = lazy("caxton.cli.history_views")

app = command_app()


@app.command()
def why(
    message: Annotated[
        str, typer.Argument(metavar="MESSAGE", help="Its number, as in caxton conv show, or its id.")
    ],
    run: Annotated[
        str | None,
        typer.Option(
            "--run", metavar="RUN", help="In a run that caxton run --keep left, or another journal."
        ),
    ] = None,
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Show the messages that led to a message, one from the other, the one from outside first.

    Under each stands the turn in which the next one was said: the agent, its build, how long the message had waited and
    the turn took, the state of its conversation before it, and what else was in the agent's mailbox. Reads the journal,
    so no daemon is needed.

    \b
    Examples:
      caxton why 42
      caxton why 42 -o jsonl
      caxton why 17 --run two-books-7
    """
    history_views.why(message, run, project, output)
