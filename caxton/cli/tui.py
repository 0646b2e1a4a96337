"""`caxton tui`: the terminal interface, attached to the project's daemon."""

from __future__ import annotations

import os
import sys

import typer

from caxton.cli.options import Project

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def tui(project: Project = None) -> None:
    """Watch agents and messages live; q leaves, and the daemon goes on.

    It shows every agent with its state and pace, the tape of messages as they are committed, and each message
    with the turns that it made. It changes nothing. When the daemon goes away the picture stays, and goes on when it
    comes back. Press ? for the keys.

    \b
    Examples:
      caxton tui
      caxton -p ~/market tui
    """
    from caxton.cli import place
    from caxton.errors import ConfigurationError

    folder = place.folder(project)
    with place.client(folder) as caxton:
        caxton.status()
    if not in_terminal():
        raise ConfigurationError(
            "the terminal interface needs a terminal", hint="without one: caxton msg tail"
        )
    from caxton_tui import run

    raise typer.Exit(run(folder))


def in_terminal() -> bool:
    """Whether there is a terminal that can show a screen."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
