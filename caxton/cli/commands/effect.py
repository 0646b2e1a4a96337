"""`caxton effect`: the ways to the world, and how calls of them ended."""

from __future__ import annotations

from caxton.cli import connection, list_view
from caxton.cli.list_view import ListView
from caxton.cli.options import Project, command_app

app = command_app("Show the ways to the world and how calls of them ended.")


@app.callback()
def effect() -> None:
    """Show the ways to the world and how calls of them ended."""


@app.command("list")
@list_view.options
def list_effects(view: ListView, project: Project = None) -> None:
    """List effects: their processes, the calls that are open, and how those since the start ended.

    \b
    Example:
      caxton effect list
    """
    with connection.client(project) as caxton:
        view.show(
            caxton.effects,
            [
                ("EFFECT", lambda e: e.name),
                ("KIND", lambda e: e.kind),
                ("PID", lambda e: e.pid or "-"),
                ("OPEN", lambda e: e.open),
                ("INFORMED", lambda e: e.informed),
                ("REFUSED", lambda e: e.refused),
                ("FAILED", lambda e: e.failed),
                ("INTERRUPTED", lambda e: e.interrupted),
                ("CANCELLED", lambda e: e.cancelled),
                ("WHY IT IS DOWN", lambda e: e.reason or "-"),
            ],
            "no effects; caxton.toml names them: [effects.NAME]",
        )
