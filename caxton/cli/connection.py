"""Where the project is and how to talk to its daemon."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from caxton.cli.lazy import lazy
from caxton.errors import ConfigurationError

if TYPE_CHECKING:
    from caxton import client as api
    from caxton import daemon_socket
    from caxton.client import contexts
else:
    api, daemon_socket, contexts = lazy("caxton.client", "caxton.daemon_socket", "caxton.client.contexts")

FILE_NAME = "caxton.toml"
IMPLIED = "implied.toml"
STATE = ".caxton"
"""The folder beside `caxton.toml` that holds journal, socket and log."""


def folder(project: Path | None) -> Path:
    """The project's folder: the one given, or the nearest one at or above the working folder.

    Raises ConfigurationError where there is no `caxton.toml`. The file's content is not read: a mistake in
    it must not keep anybody from `caxton down`.
    """
    # caxton.config would find it too, but brings pydantic along: 200 ms that only some commands need.
    here = Path.cwd() if project is None else project.resolve()
    around = (here, *here.parents) if project is None else (here,)
    found = next((folder for folder in around if configured(folder)), None)
    if found is None:
        where = f"in {here}" if project is not None else "here or in a folder above"
        raise ConfigurationError(
            f"there is no {FILE_NAME} {where}",
            hint=f"go to your project or name it with --project DIR; an empty {FILE_NAME} makes a new one",
        )
    return found


def configured(folder: Path) -> bool:
    """Whether that folder is a project: by its own `caxton.toml`, or the one that `caxton dev` implied for it."""
    if os.environ.get("CAXTON_CONFIG_PATH"):
        return folder.is_dir()
    return (folder / FILE_NAME).is_file() or (folder / STATE / IMPLIED).is_file()


def is_local(project: Path | None) -> bool:
    """Whether a project's own daemon is meant: one that is named, or no other by CAXTON_URL or a context."""
    return project is not None or contexts.in_use() is None


def place(project: Path | None) -> Path | api.Remote:
    """Where the daemon is that is meant: that project's socket where one is named, else what CAXTON_URL or the context
    in use say, else the socket of the project that one is in."""
    elsewhere = contexts.in_use() if project is None else None
    return elsewhere or daemon_socket.socket_path(folder(project) / STATE)


def client(project: Path | None, timeout_s: float = 10.0) -> api.Client:
    """A client of the daemon that is meant; nothing is sent yet."""
    return api.Client(place(project), timeout=timeout_s)


def async_client(project: Path | None, timeout_s: float = 10.0) -> api.AsyncClient:
    """The same for asyncio."""
    return api.AsyncClient(place(project), timeout=timeout_s)
