"""`caxton diff`: the first place where two runs part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from caxton.cli.lazy import lazy
from caxton.cli.options import Format, Output, Project, command_app
from caxton.errors import Exit

if TYPE_CHECKING:
    from caxton.cli import history_views
else:
    (history_views,) = lazy("caxton.cli.history_views")

app = command_app()


def _kept(incomplete: str) -> list[str]:
    return history_views.completed(incomplete)


Run = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="A run that caxton run --keep left, by its name (two-books-7), or a journal's file.",
        autocompletion=_kept,
    ),
]


@app.command()
def diff(first: Run, second: Run, project: Project = None, output: Output = Format.TEXT) -> None:
    """Show the first place where two runs part: what is said there in each, and why.

    Messages are compared in the order in which they were said: sender, receivers, act, conversation and content. Ids
    and times that differ each time do not count. Exit code 6 where the runs part, 0 where they say the same.

    \b
    Examples:
      caxton run scenarios/two-books.toml --seed 1 --keep && caxton run scenarios/two-books.toml --seed 2 --keep
      caxton diff two-books-1 two-books-2
      caxton diff two-books-1 .caxton/journal.db -o json
    """
    if history_views.diff(first, second, project, output):
        raise typer.Exit(int(Exit.EXPECTATION))
