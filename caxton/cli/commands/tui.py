"""`caxton tui`: the terminal interface, attached to the project's daemon."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caxton.cli import connection
from caxton.cli.lazy import lazy
from caxton.cli.options import Project, command_app
from caxton.errors import ConfigurationError

if TYPE_CHECKING:
    import caxton_tui
    from caxton.sandbox import processes
else:
    caxton_tui, processes = lazy("caxton_tui", "caxton.sandbox.processes")

app = command_app()


@app.command()
def tui(
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Only show: nothing is done to the daemon.")
    ] = False,
    project: Project = None,
) -> None:
    """Open the terminal interface: conversations, agents, traces, changes, log, meters; q leaves, the daemon goes on.

    When the daemon goes away the picture stays, and goes on when it comes back. Each thing that is done shows the
    command that does the same. Press ? for the keys.

    \b
    Examples:
      caxton tui
      caxton tui --read-only
      caxton -p ~/market tui
    """
    daemon = connection.place(project)
    folder = connection.folder(project) if isinstance(daemon, Path) else Path.cwd()
    with connection.client(project) as caxton:
        caxton.status()
    if not in_terminal():
        raise no_terminal("caxton msg tail")
    if os.environ.get("TEXTUAL_DRIVER"):
        # a screen that is somewhere else is shown by who started this; without it nobody sees it, nor ends it
        processes.die_with_parent()
    raise typer.Exit(caxton_tui.run(folder, daemon=daemon, read_only=read_only))


def no_terminal(instead: str) -> ConfigurationError:
    """There is no terminal for the terminal interface; the command to use `instead`."""
    return ConfigurationError("the terminal interface needs a terminal", hint=f"without one: {instead}")


def in_terminal() -> bool:
    """Whether there is a terminal that can show a screen; Textual's drivers for others say so by a variable."""
    if os.environ.get("TEXTUAL_DRIVER"):
        return True
    # Textual paints on stderr
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return all(one.isatty() for one in streams) and os.environ.get("TERM", "dumb") != "dumb"
