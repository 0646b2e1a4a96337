"""Modules that are imported when something of them is first used.

A command says at the top of its file what it needs to run; `caxton --help` and the help of a command import none of it:

    if TYPE_CHECKING:
        from caxton.cli import connection
        from caxton.cli.output import printing
    else:
        connection, printing = lazy("caxton.cli.connection", "caxton.cli.output.printing")
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


class LazyModule:
    """Stands for a module; each use of a name imports it, which costs nothing after the first time."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self._name), name)


def lazy(*names: str) -> tuple[LazyModule, ...]:
    """A stand-in for each of these modules."""
    return tuple(map(LazyModule, names))
