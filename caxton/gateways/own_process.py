"""What all gateways' processes have in common: a socket of their own, and whom they act for.

    python -m MODULE PROJECT DAEMON-SOCKET OWN-SOCKET

In: an ASGI app. Out: it is served until standard input ends, by which the daemon says that it is over. A request
without the header that says in whose name it is is refused: everything here is asked in somebody's name.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from caxton.client import AsyncClient, Client
from caxton.effects.own_process import about
from caxton.schemas.access import ACTING_FOR

_acting: ContextVar[str] = ContextVar("acting_for")
_base: ContextVar[str] = ContextVar("base")
"""Of the request in hand: in whose name it is, and the daemon's URL as the client has it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the process is: its project, the daemon that it asks, the socket that it is asked by."""

    project: Path
    daemon: Path
    own: Path

    @classmethod
    def of(cls, arguments: Sequence[str]) -> Place:
        """What the daemon said on the command line."""
        return cls(*map(Path, arguments[:3]))

    @property
    def base(self) -> str:
        """The daemon's URL, as the client of the request in hand has it."""
        return _base.get()

    def client(self, timeout_s: float = 10.0) -> Client:
        """A client that asks in the name of who made the request in hand."""
        return Client(self.daemon, timeout_s, acting_for=_acting.get())

    def async_client(self, timeout_s: float = 10.0) -> AsyncClient:
        """The same for asyncio."""
        return AsyncClient(self.daemon, timeout_s, acting_for=_acting.get())


class ActingFor:
    """ASGI middleware: each request in its principal's name."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            headers: dict[bytes, bytes] = dict(scope["headers"])
            said = headers.get(ACTING_FOR.encode())
            if said is None:
                await PlainTextResponse(f"no {ACTING_FOR}", 403)(scope, receive, send)
                return
            _acting.set(said.decode("latin-1"))
            scheme, host = headers.get(b"x-forwarded-proto", b"http"), headers.get(b"host", b"")
            _base.set(f"{scheme.decode('latin-1')}://{host.decode('latin-1')}")
        await self._app(scope, receive, send)


def run(app: ASGIApp, place: Place) -> None:
    """Serve the app until the daemon hangs up."""
    asyncio.run(_serve(app, place.own))


async def _serve(app: ASGIApp, own: Path) -> None:
    config = uvicorn.Config(
        ActingFor(app),
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    listening = _listen(own)
    async with asyncio.TaskGroup() as group:
        group.create_task(_until_hung_up(server))
        # connections wait in the socket's queue until the app is up
        about({"serving": True})
        await server.serve([listening])
    _forget(own)


def _listen(own: Path) -> socket.socket:
    _forget(own)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # from its first instant it is the user's own
    before = os.umask(0o177)
    try:
        listening.bind(os.fspath(own))
    finally:
        os.umask(before)
    listening.listen(128)
    listening.setblocking(False)
    return listening


def _forget(own: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        own.unlink()


async def _until_hung_up(server: uvicorn.Server) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while await reader.readline():
        pass
    server.should_exit = True
