"""`caxton health`: whether the daemon lives, has started, is ready; for probes of containers and services."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from caxton.cli import connection
from caxton.cli.options import Format, Output, Project, command_app
from caxton.cli.output.printing import shown
from caxton.errors import Unreachable

app = command_app()

PATIENCE_S: Final = 5.0
"""So long a daemon may take to answer."""


@app.command()
def health(
    ready: Annotated[
        bool, typer.Option("--ready", help="Whether messages are taken and handled, too.")
    ] = False,
    startup: Annotated[
        bool, typer.Option("--startup", help="Whether its agents were started, or are recovering.")
    ] = False,
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Ask the daemon whether it answers; exit code 0 when it does, 4 when not.

    It asks over the project's socket, so a container needs no open port for its probes.

    \b
    Examples:
      caxton health
      caxton health --ready
      caxton health --startup
    """
    with connection.client(project, timeout_s=PATIENCE_S) as caxton:
        answer = caxton.ready()
    wanted = {
        name for name, asked in (("agents", startup), *((part, ready) for part in answer.parts)) if asked
    }
    missing = sorted(name for name in wanted if not answer.parts.get(name, False))
    shown(
        answer,
        output,
        ["alive", *(f"{name}: {'ok' if ok else 'not yet'}" for name, ok in answer.parts.items())],
    )
    if missing:
        raise Unreachable(
            f"not ready: {', '.join(missing)}", hint="; ".join(answer.why) or "ask again", missing=missing
        )
