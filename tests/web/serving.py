"""A web server of a test, on a free port of loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from caxton.client import Remote
from caxton.config import ListenTable
from caxton.web.server import WebServer, WebSettings


@dataclass
class Web:
    """The server, a browser of sorts that has come in by its link, and what the server has told."""

    server: WebServer
    http: httpx.AsyncClient
    url: str
    told: list[str] = field(default_factory=list[str])

    async def enter(self) -> None:
        assert (await self.http.get(self.server.link())).status_code == 200


@asynccontextmanager
async def web(
    folder: Path, where: Path | Remote, elsewhere: Remote | None = None, **more: Any
) -> AsyncGenerator[Web]:
    settings: dict[str, Any] = {"read_only": False, "sessions": 3, "idle_s": 600.0, **more}
    listen = ListenTable(tcp="127.0.0.1:0")
    told: list[str] = []
    now_s = more.pop("now_s", asyncio.get_running_loop().time)
    settings.pop("now_s", None)
    server = WebServer(WebSettings(listen, where, elsewhere, **settings), folder, now_s, told.append)
    url = server.link().partition("/enter")[0]
    async with asyncio.TaskGroup() as group:
        group.create_task(server.run())
        try:
            async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as http:
                yield Web(server, http, url, told)
        finally:
            server.stop()
