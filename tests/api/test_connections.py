"""More connections than there may be: idle ones go, busy ones stay, and one too many is told so in the API's shape."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from caxton.api.connection import Connection
from caxton.api.responses import answer

MOST = 3
GET = b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n"


class Served:
    """A server of three connections; `/wait` is answered when `go` is set."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.go = asyncio.Event()
        self.writers: list[asyncio.StreamWriter] = []

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/wait":
            await self.go.wait()
        while scope["method"] == "POST" and (await receive()).get("more_body"):
            pass
        await answer({"path": scope["path"]})(scope, receive, send)

    async def client(self, said: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_unix_connection(str(self.path))
        writer.write(said)
        self.writers.append(writer)
        return reader, writer


@pytest.fixture
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Served]:
    monkeypatch.setattr(Connection, "most", MOST)
    async with serving(tmp_path / "s") as served:
        yield served


@asynccontextmanager
async def serving(path: Path) -> AsyncGenerator[Served]:
    served, state = Served(path), ServerState()
    config = uvicorn.Config(
        served.app, interface="asgi3", lifespan="off", log_config=None, ws="none", http=Connection
    )
    config.load()
    loop = asyncio.get_running_loop()
    server = await loop.create_unix_server(lambda: Connection(config, state, {}, loop), str(path))
    try:
        yield served
    finally:
        served.go.set()
        server.close()
        for writer in served.writers:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        await asyncio.gather(*state.tasks)
        await asyncio.sleep(0)


async def status(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    return int(head[0].split()[1]), headers, await reader.readexactly(int(headers["content-length"]))


@pytest.mark.parametrize(
    "half", [b"", b"GET / HT", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{"]
)
async def test_who_says_nothing_makes_room(served: Served, half: bytes) -> None:
    idle = [await served.client(half) for _ in range(MOST)]
    await asyncio.sleep(0)
    for _ in range(3):
        reader, _writer = await served.client(GET % b"now")
        assert (await status(reader))[0] == 200
    # the oldest went first
    assert await asyncio.wait_for(idle[0][0].read(), 5) == b""


async def test_busy_ones_stay_and_one_too_many_is_told(served: Served) -> None:
    busy = [await served.client(GET % b"wait") for _ in range(MOST)]
    reader, _writer = await served.client(GET % b"now")
    code, headers, body = await status(reader)
    assert code == 503
    assert (headers["retry-after"], headers["connection"]) == ("1", "close")
    assert json.loads(body)["error"]["code"] == "busy"
    served.go.set()
    for each, _ in busy:
        assert (await status(each))[0] == 200
    reader, _writer = await served.client(GET % b"now")
    assert (await status(reader))[0] == 200


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who the peer is")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
async def test_another_user_is_cut_off_even_where_the_folder_is_open() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "s")
        async with serving(path) as served:
            Path(folder).chmod(0o755)
            path.chmod(0o666)
            theirs = socket.socket(socket.AF_UNIX)
            os.seteuid(65534)
            try:
                theirs.connect(str(path))
            finally:
                os.seteuid(0)
            theirs.setblocking(False)
            reader, writer = await asyncio.open_unix_connection(sock=theirs)
            served.writers.append(writer)
            with contextlib.suppress(OSError):
                writer.write(GET % b"now")
            try:
                assert await asyncio.wait_for(reader.read(), 5) == b""
            except ConnectionError:
                pass  # it was cut off with the request unread
            reader, _writer = await served.client(GET % b"now")
            assert (await status(reader))[0] == 200
