"""`caxton schema`: formats of files as JSON Schema, for editors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caxton.cli.lazy import lazy
from caxton.cli.options import Format, command_app
from caxton.cli.output.printing import document

if TYPE_CHECKING:
    from caxton.scenario import read
else:
    (read,) = lazy("caxton.scenario.read")

app = command_app("Print formats of files as JSON Schema, for editors.")


@app.callback()
def formats() -> None:
    """Print formats of files as JSON Schema, for editors."""


@app.command()
def scenario() -> None:
    """Print what a scenario file may say as JSON Schema.

    \b
    Example:
      caxton schema scenario > scenario.schema.json
    """
    document(read.schema(), Format.JSON)
