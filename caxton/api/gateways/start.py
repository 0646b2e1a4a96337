"""Which gateways a daemon has, and how the process of each is started.

In: the project, the daemon's socket. Out: a `Gateway` for each; none of them runs before somebody comes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

import caxton
from caxton.api.gateways.gateway import Gateway
from caxton.config import Project
from caxton.effects.worker import Command, Groups, ProcessWorker

_ROOT: Final = Path(caxton.__file__).resolve().parent.parent
_GIVEN: Final = ("CAXTON_CONFIG_PATH", "XDG_CACHE_HOME")
"""Variables of the daemon's environment that say where things are."""


@asynccontextmanager
async def gateways(project: Project, socket: Path) -> AsyncGenerator[dict[str, Gateway]]:
    """The gateways by name; at the end what watches over their processes goes."""
    groups = Groups()
    agents = [name for name, table in project.config.agents.items() if table.a2a]
    plain = {one: os.environ[one] for one in _GIVEN if one in os.environ} | {"PYTHONPATH": str(_ROOT)}

    def made(name: str, title: str, module: str, *more: str) -> Gateway:
        own = socket.with_suffix(f".{name}")
        words = (sys.executable, "-P", "-m", module, str(project.folder), str(socket), str(own), *more)
        command = Command(title, words, project.folder, {}, plain)
        return Gateway(title, name, command, partial(ProcessWorker.start, groups=groups), own)

    try:
        yield {
            "mcp": made("mcp", "MCP over HTTP", "caxton.cli.mcp.http"),
            "a2a": made("a2a", "the A2A gateway", "caxton.gateways.a2a", *agents),
        }
    finally:
        await groups.close()
