"""`caxton backup`: a project in one file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caxton.cli import connection
from caxton.cli.lazy import lazy
from caxton.cli.options import Project, command_app
from caxton.cli.output.printing import size, talk

if TYPE_CHECKING:
    from caxton.journal import backup as backups
else:
    (backups,) = lazy("caxton.journal.backup")

app = command_app()
PROGRESS_S = 1.0


@app.command()
def backup(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where it goes; a file that is there is kept.")
    ],
    project: Project = None,
) -> None:
    """Write the project to one file: its journal at this moment, its agents' modules, its caxton.toml.

    The daemon may run; it is not held up, and what it writes meanwhile is not in the file. The file is there whole
    or not at all.

    \b
    Examples:
      caxton backup ../market.caxton
      caxton -p ~/market backup /mnt/backup/market-$(date +%F).caxton
    """
    folder = connection.folder(project)
    last = backups.back_up(folder, folder / connection.STATE, file, telling("written"))
    talk(f"{file}: everything up to {last:,}, {size(file.stat().st_size)}")


def telling(what: str) -> backups.Progress:
    """Say now and then how far it is."""
    told = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told > PROGRESS_S:
            told = time.monotonic()
            talk(f"{100 * done // max(1, total)} % {what}")

    return progress
