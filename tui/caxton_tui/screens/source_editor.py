"""An agent's source in the user's editor, on the same terminal, while everything behind the screen goes on.

In: the project's folder and an agent's name. Out: the editor's end. Beside `caxton dev` a save is taken in as always.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

from textual.app import App, SuspendNotSupported

from caxton.errors import CaxtonError, ConfigurationError


def editor(environ: Mapping[str, str]) -> list[str]:
    """The words of the user's editor: `$VISUAL`, else `$EDITOR`, else vi; raises ConfigurationError without one."""
    said = environ.get("VISUAL") or environ.get("EDITOR") or "vi"
    try:
        words = shlex.split(said)
    except ValueError as error:
        raise ConfigurationError(
            f"EDITOR cannot be read: {error}", hint="name a program: EDITOR='code --wait'"
        ) from error
    if not words or shutil.which(words[0]) is None:
        raise ConfigurationError(
            f"there is no editor {words[0] if words else said!r}", hint="name yours: EDITOR=nano"
        )
    return words


def source(folder: Path, agent: str) -> Path:
    """The source of that agent of the project there; raises CaxtonError where it is not known."""
    # building knows where sources are; it is not loaded before somebody wants to know
    from caxton.config import load
    from caxton.devloop.builders.source_location import source_place

    return source_place(load(folder), agent)


async def edit(app: App[int], folder: Path, agent: str) -> str:
    """Open its source and wait for the editor's end; where it was. Raises CaxtonError where it cannot be opened."""
    words = editor(os.environ)
    place = await asyncio.to_thread(source, folder, agent)
    try:
        # the event loop goes on under the editor: the daemon is read, builds are made; nothing is painted meanwhile
        with app.suspend(), app.batch_update():
            process = await asyncio.create_subprocess_exec(*words, str(place))
            code = await process.wait()
    except SuspendNotSupported:
        raise ConfigurationError("there is no terminal for an editor", hint=f"open {place}") from None
    except OSError as error:
        raise CaxtonError(
            f"{words[0]} cannot be started: {error.strerror}", hint="name another editor: EDITOR=nano"
        ) from error
    if code:
        raise CaxtonError(f"{words[0]} ended with exit code {code}", hint=f"the source is {place}")
    return str(place)
