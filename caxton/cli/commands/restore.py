"""`caxton restore`: a project from a backup."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caxton.cli import connection
from caxton.cli.commands.backup import telling
from caxton.cli.lazy import lazy
from caxton.cli.options import command_app
from caxton.cli.output.printing import talk

if TYPE_CHECKING:
    from caxton.journal import backup as backups
else:
    (backups,) = lazy("caxton.journal.backup")

app = command_app()


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that caxton backup wrote.")],
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="Where the project goes; this folder otherwise.")
    ] = Path(),
) -> None:
    """Make a project again from a backup. There must be no journal in that folder; nothing is written over.

    The file is checked first. A caxton.toml that is there already stays. Two projects from one backup have the
    same messages and go on apart.

    \b
    Examples:
      caxton restore market.caxton
      caxton restore /mnt/backup/market.caxton ~/market
    """
    last = backups.restore(file, folder, folder / connection.STATE, telling("restored"))
    talk(f"{folder.resolve()}: everything up to {last:,}; start it: caxton -p {folder} up")
