"""A folder with one agent's source and nothing else is a project too: its configuration is implied.

In: a folder. Out: the same folder, with `.caxton/implied.toml` in it where it has no `caxton.toml`. Module and
state stay in `.caxton/`, so nothing that the person wrote is touched.
"""

from __future__ import annotations

import re
from pathlib import Path

from caxton.config import FILE_NAME, IMPLIED, check_agent_name
from caxton.devloop.builders.source_builders import HINT, in_folder
from caxton.devloop.builders.targets import BUILD_FOLDER
from caxton.errors import ConfigurationError


def ensure_project(folder: Path) -> bool:
    """Make sure that the folder is a project; whether its configuration is implied.

    Raises ConfigurationError where there is neither a `caxton.toml` nor exactly one source.
    """
    folder = folder.resolve()
    if (folder / FILE_NAME).is_file():
        return False
    if not folder.is_dir():
        raise ConfigurationError(
            f"there is no folder {folder}", hint="name the folder of a project or an agent"
        )
    source = in_folder(folder)
    if source is None:
        raise ConfigurationError(
            f"there is neither a {FILE_NAME} nor an agent's source in {folder}", hint=HINT
        )
    name = agent_name(folder)
    file = folder / IMPLIED
    text = (
        f"# Made by `caxton dev` for a folder with one agent; a {FILE_NAME} in the folder takes its place.\n"
        f"[agents.{quoted(name)}]\nsource = {quoted(source.name)}\nwasm = {quoted(f'{BUILD_FOLDER}/{name}.wasm')}\n"
    )
    try:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        if not file.is_file() or file.read_text("utf-8") != text:
            file.write_text(text, "utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"{file} cannot be written: {error.strerror}", hint="copy the folder to a place of yours"
        ) from error
    return True


def agent_name(folder: Path) -> str:
    """The agent of that folder: the folder's name, in the letters that an agent's name may have."""
    name = re.sub(r"[^a-z0-9._-]+", "-", folder.name.lower()).strip("-._")[:63]
    return check_agent_name(re.sub(r"\.\.+", ".", name) or "agent")


def quoted(text: str) -> str:
    """The text as a TOML string."""
    inner = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inner}"'
