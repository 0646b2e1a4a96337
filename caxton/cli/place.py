"""Where the project is and how to talk to its daemon."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from caxton.errors import ConfigurationError

if TYPE_CHECKING:
    from caxton.api.client import Client

STATE = ".caxton"
"""The folder beside `caxton.toml` that holds journal, socket and log."""


def folder(project: Path | None) -> Path:
    """The project's folder: the one given, or the nearest one at or above the working folder.

    Raises ConfigurationError where there is no `caxton.toml`. The file's content is not read: a mistake in
    it must not keep anybody from `caxton down`.
    """
    from caxton.config import FILE_NAME, find_folder

    found = find_folder(Path.cwd()) if project is None else project.resolve()
    if found is None or not (found / FILE_NAME).is_file():
        where = f"in {found}" if found else "here or in a folder above"
        raise ConfigurationError(
            f"there is no {FILE_NAME} {where}",
            hint=f"go to your project or name it with --project DIR; an empty {FILE_NAME} makes a new one",
        )
    return found


def client(project: Path | None, timeout_s: float = 10.0) -> Client:
    """A client of the daemon of that project; nothing is sent yet."""
    from caxton.api.client import Client
    from caxton.api.socket import socket_path

    return Client(socket_path(folder(project) / STATE), timeout=timeout_s)
