"""What coding agents want to be told of an MCP server, in each one's own form.

In: the name of a client, and the command that serves. Out: its file and the text for it; or the file with the server
in it, whatever else stands there left as it is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from caxton.errors import ConfigurationError

NAME: Final = "caxton"


@dataclass(frozen=True, slots=True)
class McpClient:
    """A coding agent: the file of a project in which it looks, and the key of servers there."""

    title: str
    file: str
    key: str
    extra: tuple[tuple[str, str], ...] = ()

    def entry(self, command: Sequence[str]) -> dict[str, Any]:
        """The server as the client wants to read it."""
        return {**dict(self.extra), "command": command[0], "args": list(command[1:])}

    def snippet(self, command: Sequence[str]) -> str:
        """The whole file, where only this server stands in it."""
        return json.dumps({self.key: {NAME: self.entry(command)}}, indent=2)

    def write(self, folder: Path, command: Sequence[str]) -> Path:
        """Put the server into the client's file of that project; returns the file.

        Raises ConfigurationError where the file is no JSON object: it is then left as it is.
        """
        path = folder / self.file
        try:
            read: Any = json.loads(path.read_text("utf-8-sig"))
        except FileNotFoundError:
            read = {}
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"{path} cannot be read as JSON: {error}", hint="add the snippet by hand: caxton mcp install"
            ) from error
        nothing: dict[str, Any] = {self.key: None}
        known = cast("dict[str, Any]", read) if isinstance(read, dict) else nothing
        servers: Any = known.setdefault(self.key, {})
        if not isinstance(servers, dict):
            raise ConfigurationError(
                f"{path} has no object at {self.key}", hint="add the snippet by hand: caxton mcp install"
            )
        cast("dict[str, Any]", servers)[NAME] = self.entry(command)
        path.parent.mkdir(parents=True, exist_ok=True)
        made = path.with_name(f".{path.name}.{os.getpid()}")
        made.write_text(json.dumps(known, indent=2, ensure_ascii=False) + "\n", "utf-8")
        made.replace(path)
        return path


CLIENTS: Final = {
    "claude": McpClient("Claude Code", ".mcp.json", "mcpServers"),
    "cursor": McpClient("Cursor", ".cursor/mcp.json", "mcpServers"),
    "vscode": McpClient("VS Code", ".vscode/mcp.json", "servers", (("type", "stdio"),)),
    "gemini": McpClient("Gemini CLI", ".gemini/settings.json", "mcpServers"),
}
