"""`caxton usage`: what was spent on models."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from caxton.cli import connection, list_view
from caxton.cli.list_view import ListView
from caxton.cli.options import Project, command_app

app = command_app()

By = Annotated[
    Literal["agent", "conversation", "model", "day", "project"],
    typer.Option("--by", help="What is summed up together: agent, conversation, model, day, project."),
]


@app.command()
@list_view.options
def usage(view: ListView, by: By = "agent", project: Project = None) -> None:
    """Show what was spent on models, in tokens and money, the dearest first.

    \b
    Examples:
      caxton usage
      caxton usage --by day -o csv
    """
    with connection.client(project) as caxton:
        view.show(
            lambda: caxton.usage(by),
            [
                (by.upper(), lambda u: u.name or "-"),
                ("CALLS", lambda u: u.calls),
                ("INPUT", lambda u: u.input),
                ("CACHED", lambda u: u.cached),
                ("OUTPUT", lambda u: u.output),
                ("TOKENS", lambda u: u.tokens),
                ("OF", lambda u: "-" if u.limit_tokens is None else u.limit_tokens),
                ("MONEY", lambda u: f"{u.money:.6f}"),
                ("OF MONEY", lambda u: "-" if u.limit_money is None else f"{u.limit_money:g}"),
            ],
            "nothing was spent on models; caxton.toml names them: [models.NAME]",
        )
