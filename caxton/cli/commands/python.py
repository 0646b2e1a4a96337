"""`caxton python`: the runtime that Python agents share on this machine."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caxton.cli.lazy import lazy
from caxton.cli.options import Format, Output, command_app
from caxton.cli.output.printing import safe, shown, talk

if TYPE_CHECKING:
    from caxton.cli import python_runtime
else:
    (python_runtime,) = lazy("caxton.cli.python_runtime")

app = command_app("Build and show the runtime that Python agents share.")


@app.command()
def build(
    anew: Annotated[bool, typer.Option("--anew", help="Build it again, even if it exists.")] = False,
) -> None:
    """Build the Python runtime for this machine; it needs the extra python, takes a minute, and is done once.

    `caxton dev` and `caxton agent deploy agent.py` do this by themselves when it is needed. Where the extra is missing,
    the error has the command that adds it to the environment at hand.

    \b
    Examples:
      caxton python build
      caxton python build --anew
    """
    began = time.monotonic()
    path = python_runtime.build(anew=anew)
    talk(f"the Python runtime is there, after {time.monotonic() - began:.1f} s: {path}")


@app.command()
def show(output: Output = Format.TEXT) -> None:
    """Show whether the Python runtime is built, its name, where it is, and how large.

    \b
    Examples:
      caxton python show
      caxton python show -o json | jq .built
    """
    found = python_runtime.described()
    shown(
        found,
        output,
        (
            f"{key.replace('_', ' '):<14} {safe('-' if value is None else value)}"
            for key, value in found.items()
        ),
    )


@app.command()
def install(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The project's folder.")] = Path(),
) -> None:
    """Choose the packages of python.requirements, write them down in python.lock with their hashes, and unpack them.

    What is written down stays until python.requirements changes. `caxton dev`, `caxton up` and `caxton agent deploy` do
    this by themselves.

    \b
    Example:
      caxton python install
    """
    for name in python_runtime.install(folder):
        typer.echo(name)


@app.command()
def pack(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="The agent's source.")],
    module: Annotated[Path, typer.Argument(metavar="MODULE", help="Where its module goes.")],
) -> None:
    """Write a Python agent as a module: for the API, which takes modules, and for a file to be handed on.

    It holds the source and the name of the runtime; nothing is compiled, and the runtime need not be built.

    \b
    Example:
      caxton python pack agent.py agent.wasm
    """
    talk(f"{module}: {python_runtime.pack(source, module):,} bytes")
