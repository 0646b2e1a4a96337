"""`caxton python`: the runtime that Python agents share on this machine."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caxton.cli.options import Format, Output

if TYPE_CHECKING:
    from caxton.config import Project

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help="Build and show the runtime that Python agents share.",
)


@app.command()
def build(
    anew: Annotated[bool, typer.Option("--anew", help="Build it again, even if it exists.")] = False,
) -> None:
    """Build the Python runtime for this machine; it needs the extra python, takes a minute, and is done once.

    `caxton dev` and `caxton agent deploy agent.py` do this by themselves when it is needed.

    \b
    Examples:
      pip install 'caxton-workbench[python]'
      caxton python build
    """
    from caxton.cli.output.printing import talk

    began = time.monotonic()
    path = _build(anew=anew)
    talk(f"the Python runtime is there, after {time.monotonic() - began:.1f} s: {path}")


@app.command()
def show(output: Output = Format.TEXT) -> None:
    """Show whether the Python runtime is built, its name, where it is, and how large.

    \b
    Examples:
      caxton python show
      caxton python show -o json | jq .built
    """
    from caxton.cli.output.printing import document, safe, say
    from caxton.sandbox.python.runtime import BUILDER, BUILDER_VERSION, RuntimeFolder, runtime_name

    runtime = RuntimeFolder()
    name = runtime_name()
    place = runtime.component(name)
    found = {
        "built": runtime.is_built(),
        "name": name,
        "path": str(place),
        "bytes": place.stat().st_size if runtime.is_built() else None,
        "built_with": f"{BUILDER} {BUILDER_VERSION}",
    }
    if output is not Format.TEXT:
        document(found, output)
        return
    for key, value in found.items():
        say(f"{key.replace('_', ' '):<14} {safe('-' if value is None else value)}")


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
    from caxton.cli.output.printing import talk
    from caxton.errors import ConfigurationError
    from caxton.sandbox.python.runtime import packed

    try:
        content = packed(source, source.read_bytes())
        module.write_bytes(content)
    except OSError as error:
        raise ConfigurationError(f"{error.filename}: {error.strerror}") from error
    talk(f"{module}: {len(content):,} bytes")


def is_wanted(project: Project) -> bool:
    """Whether an agent of this project is one in Python, as source or packed."""
    from caxton.sandbox.compile.python_source import HEAD_BYTES, is_python

    for name in project.config.agents:
        module = project.module(name)
        if module.suffix == ".py":
            return True
        try:
            with module.open("rb") as file:
                if is_python(file.read(HEAD_BYTES)):
                    return True
        except OSError:
            continue  # others say that it is missing
    return False


def as_module(file: Path, content: bytes) -> bytes:
    """What a file is to the daemon: a Python agent's source as a module, anything else as it is.

    Python's runtime is built first where this machine has none. Raises CaxtonError where it cannot be.
    """
    from caxton.sandbox.python.runtime import packed

    if file.suffix != ".py":
        return content
    module = packed(file, content)
    ensure()
    return module


def ensure() -> None:
    """Build the Python runtime where it is not there yet, and show that; raises CaxtonError where it cannot be."""
    from caxton.sandbox.python.runtime import RuntimeFolder, runtime_name

    if RuntimeFolder().there(runtime_name()) is None:
        _build(anew=False)


def _build(*, anew: bool) -> Path:
    from caxton.sandbox.python.build import PythonRuntime

    with _shown("Python runtime, once for this machine") as tell:
        return asyncio.run(PythonRuntime().build(tell, anew=anew))


@contextmanager
def _shown(title: str) -> Generator[Callable[[str], None]]:
    """A bar in a terminal, lines otherwise. How long a step takes is not known, so the bar only shows that it works."""
    from caxton.cli.output.printing import colour_wanted, talk

    if not sys.stderr.isatty():
        yield lambda what: talk(f"{title}: {what}")
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, no_color=not colour_wanted(sys.stderr))
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(title, total=None)
        yield lambda what: progress.update(task, description=f"{title}: {what}")
