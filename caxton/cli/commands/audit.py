"""`caxton audit`: who did what over the network, when, from where, and what was refused."""

from __future__ import annotations

from typing import Annotated

import typer

from caxton.cli import connection, list_view
from caxton.cli.list_view import ListView
from caxton.cli.options import Limit, Project, command_app
from caxton.cli.output.columns import Column

app = command_app()


@app.command()
@list_view.options
def audit(
    view: ListView,
    who: Annotated[
        str | None, typer.Option("--who", metavar="NAME", help="Only acts of this token or certificate.")
    ] = None,
    limit: Limit = 50,
    project: Project = None,
) -> None:
    """Show who did what over the network, when, from where, and how it was answered, the newest first.

    Requests that change something are there, and those that were refused. What comes by the project's socket is not:
    that is the user of the daemon.

    \b
    Examples:
      caxton audit
      caxton audit --who ci -o jsonl | jq -r 'select(.status >= 400) | .path'
    """
    with connection.client(project) as caxton:
        view.show(
            lambda: caxton.audit(who=who, limit=limit),
            [
                ("AT", lambda a: a.at),
                Column("WHO", lambda a: a.who or "nobody", rank=0),
                ("ROLE", lambda a: a.role or "-"),
                ("FROM", lambda a: a.address),
                ("METHOD", lambda a: a.method),
                ("PATH", lambda a: a.path),
                ("STATUS", lambda a: a.status),
                ("REQUEST", lambda a: a.request_id),
            ],
            "nothing was done over the network",
            limit,
        )
