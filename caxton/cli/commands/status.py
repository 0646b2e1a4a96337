"""`caxton status`: the daemon at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caxton.cli import connection
from caxton.cli.lazy import lazy
from caxton.cli.options import Format, Output, Project, command_app
from caxton.cli.output.printing import shown

if TYPE_CHECKING:
    from caxton.cli.output import status_lines
else:
    (status_lines,) = lazy("caxton.cli.output.status_lines")

app = command_app()


@app.command()
def status(project: Project = None, output: Output = Format.TEXT) -> None:
    """Show the daemon, its cells, its agents and its journal at a glance.

    Exit code 4 when no daemon answers.

    \b
    Examples:
      caxton status
      caxton status -o json
    """
    with connection.client(project) as caxton:
        answer = caxton.status()
    shown(answer, output, status_lines.status_lines(answer))
