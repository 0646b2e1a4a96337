"""The terminal interface over a WebSocket: who gets one, what it is, and when it ends."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest
from access.test_tcp import project, served
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from caxton.access import Role
from caxton.client import Remote
from caxton.daemon_socket import socket_path

from .serving import Web, web


def terminal(
    caxton: Web, http: httpx.AsyncClient, origin: str | None = None, secret: str | None = None
) -> connect:
    (cookie,) = (f"{name}={secret or value}" for name, value in http.cookies.items())
    return connect(
        f"{caxton.url.replace('http', 'ws')}/terminal?width=100&height=30",
        origin=origin or caxton.url,  # type: ignore[arg-type]
        additional_headers={"Cookie": cookie},
        max_size=None,
    )


async def until(socket: ClientConnection, word: str) -> None:
    shown = b""
    async with asyncio.timeout(60):
        while word.encode() not in shown:
            piece = await socket.recv()
            shown += piece if isinstance(piece, bytes) else b""


async def ending(socket: ClientConnection) -> tuple[int | None, str | None]:
    async with asyncio.timeout(60):
        with suppress(ConnectionClosed):
            while True:
                await socket.recv()
    return socket.close_code, socket.close_reason


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
async def test_a_page_of_another_origin_gets_no_terminal(tmp_path: Path, origin: str) -> None:
    async with web(tmp_path, Path("/nowhere/daemon.sock")) as caxton:
        await caxton.enter()
        before = psutil.Process().children()
        with pytest.raises(InvalidStatus, match="403"):
            await terminal(caxton, caxton.http, origin)
        with pytest.raises(InvalidStatus, match="403"):
            await terminal(caxton, caxton.http, secret="x" * 43)
        assert psutil.Process().children() == before


async def test_keys_are_typed_and_a_role_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_KEY", "sk-hush")
    folder = project(tmp_path / "shop", 'tcp = "127.0.0.1:0"\n')
    tokens = tmp_path / "tokens"
    tokens.mkdir()
    async with (
        served(folder) as (services, url),
        web(tokens, socket_path(folder / ".caxton"), Remote(url), sessions=2, project=folder) as caxton,
    ):
        before = {one.pid for one in psutil.Process().children()}
        page = (await caxton.http.get("/")).text
        assert "terminal" not in page
        await caxton.enter()
        page = (await caxton.http.get("/")).text
        assert caxton.url.replace("http", "ws") in page
        for name in ("textual.js", "xterm.css", "terminal.js", "RobotoMono-VariableFont_wght.ttf"):
            assert (await caxton.http.get(f"/static/{name}")).status_code == 200
        async with terminal(caxton, caxton.http) as socket:
            await socket.send(json.dumps(["resize", {"width": 10**9, "height": -1}]))
            await socket.send(json.dumps(["resize", {"width": 100, "height": 30}]))
            await socket.send(json.dumps(["ping", "1"]))
            await until(socket, "live")
            (child,) = (one for one in psutil.Process().children() if one.pid not in before)
            assert not [name for name, value in child.environ().items() if "hush" in name + value]
            assert child.cmdline()[-3:] == ["--project", str(folder), "tui"]
            await socket.send(json.dumps(["stdin", "2"]))
            await until(socket, "Agents")
            await socket.send(json.dumps(["stdin", "q"]))
            assert await ending(socket) == (4000, "the terminal interface has ended")
        assert not child.is_running()

        secret = services.tokens.create("vera", Role.VIEWER, ["*"], None, "owner")[1]
        async with httpx.AsyncClient(base_url=caxton.url, trust_env=False, timeout=60) as other:
            await other.post("/enter", data={"token": secret}, headers={"origin": caxton.url})
            async with terminal(caxton, other) as socket:
                await until(socket, "live")
                (child,) = (one for one in psutil.Process().children() if one.pid not in before)
                said = child.environ()
                assert (said["CAXTON_URL"], child.cmdline()[-2:]) == (url, ["tui", "--read-only"])
                assert secret not in "".join([*said.values(), *child.cmdline()])
                async with terminal(caxton, other), terminal(caxton, other) as third:
                    assert await ending(third) == (4429, "there are 2 terminals already")
                await other.post("/leave", headers={"origin": caxton.url})
                assert await ending(socket) == (4000, "the session has ended")


async def test_what_the_interface_says_is_wrong_is_said_in_the_browser(tmp_path: Path) -> None:
    (tmp_path / "caxton.toml").touch()
    async with web(tmp_path, socket_path(tmp_path / ".caxton"), project=tmp_path) as caxton:
        await caxton.enter()
        async with terminal(caxton, caxton.http) as socket:
            code, reason = await ending(socket)
            assert (code, "error: " in (reason or "")) == (4000, True)
        async with terminal(caxton, caxton.http) as socket:
            await socket.send("no json")
            assert (await ending(socket))[0] == 4000
