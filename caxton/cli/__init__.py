"""The command line: one file per noun, and nothing in it that the HTTP API does not offer.

In: what a person or a script types. Out: data on stdout, talk on stderr, an exit code (DESIGN.md 6). A
command's file is imported when the command runs, so `caxton --help` costs little more than typer itself.
"""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, cast

from caxton.cli.lazy import lazy

if TYPE_CHECKING:
    from caxton.cli import app as root
else:
    (root,) = lazy("caxton.cli.app")


def main() -> None:
    """Run the command that `sys.argv` names and end the process with its exit code."""
    # what a command imports makes many objects and no cycles: a tenth of its start went into looking for them
    gc.set_threshold(50_000, 20, 50)
    # httpx has a command line of its own and imports rich and pygments for it: 200 ms that nobody needs here
    cast("dict[str, object]", sys.modules).setdefault("httpx._main", None)
    try:
        root.run()
    except KeyboardInterrupt:
        # before there was anybody who could take it: while the command was being loaded
        sys.exit(130)


__all__ = ["main"]
