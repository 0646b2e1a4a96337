"""A daemon that stops tells whoever waits at once, and does not let them wait for its patience to end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
from tasks.market import says
from tui.harness import daemon

from caxton.config import load
from caxton.daemon_socket import socket_path


async def test_who_waits_is_told_at_once_that_the_daemon_stops(tmp_path: Path) -> None:
    (tmp_path / "caxton.toml").write_text('cells = 1\n[agents.mute]\nwasm = "mute.wat"\n', "utf-8")
    (tmp_path / "mute.wat").write_bytes(says({}))
    message = {"performative": "request", "receiver": "mute", "content": 1}
    async with daemon(tmp_path) as running:
        socket = socket_path(load(tmp_path, environ={}).state)
        clients = running.runtime.bus.clients
        transport = httpx.AsyncHTTPTransport(uds=str(socket))
        async with httpx.AsyncClient(transport=transport, base_url="http://caxton") as http:
            ask = http.post("/api/v1/messages", params={"wait": "1h"}, json=message, timeout=None)
            asked = asyncio.create_task(ask)
            while not clients.waiters and not asked.done():
                await asyncio.sleep(0)
            clients.close()
            late = await http.post("/api/v1/messages", params={"wait": "1h"}, json=message)
            for answer in (await asked, late):
                assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
                assert "what was acknowledged is kept" in answer.json()["error"]["message"]
