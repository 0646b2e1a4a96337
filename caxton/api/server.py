"""The HTTP server of one daemon: uvicorn on the project's socket, the daemon's own signals left alone.

In: the services and a listening socket. Out: answers until `stop()`. A peer that is another user is cut off
before it says anything, where the system tells who it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Generator
from socket import socket

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from caxton.api import meter_sources
from caxton.api.app import build
from caxton.api.services import Services
from caxton.daemon_socket import Listener, peer_uid
from caxton.telemetry.metrics import Reading

__all__ = ["Server", "Services"]

GRACE_S = 2
"""How long requests in progress, and viewers that do not read, may hold up the end."""
HEAD_S = 5.0
"""How long a client may take from its connection, or a request's first byte, to the end of the request's head."""


class Server:
    """Serves the API on a listener; `run` returns after `stop`, with every connection closed."""

    def __init__(self, services: Services, listener: Listener) -> None:
        self.app = build(services)
        self._services = services
        self._hub = self.app.state.hub
        self._server = _Uvicorn(
            uvicorn.Config(
                self.app,
                http=_OwnUserOnly,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=GRACE_S,
                limit_concurrency=512,
            )
        )
        self._listener = listener

    async def run(self) -> None:
        """Serve until `stop()`; closes the listener and takes its file away."""
        try:
            await self._server.serve([self._listener.socket])
        finally:
            self._hub.close()
            self._listener.close()

    def stop(self) -> None:
        """Take no more connections, end the event streams, let requests in progress finish."""
        self._hub.close()
        self._server.should_exit = True

    def readings(self) -> dict[str, Reading]:
        """What every meter reads now."""
        return meter_sources.readings(self._services, self._hub)

    @property
    def started(self) -> bool:
        """Whether connections are taken."""
        return self._server.started


class _Uvicorn(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        # the daemon decides what a signal means; uvicorn would install handlers of its own here
        yield

    async def startup(self, sockets: list[socket] | None = None) -> None:
        # uvicorn opens given sockets as TCP, which loses the peer's name on a Unix socket under uvloop
        assert sockets is not None
        loop = asyncio.get_running_loop()

        def protocol() -> asyncio.Protocol:
            return _OwnUserOnly(self.config, self.server_state, {}, loop)

        self.servers = [await loop.create_unix_server(protocol, sock=each) for each in sockets]
        self.started = True


class _OwnUserOnly(H11Protocol):
    """One connection: another user is cut off, and so is who begins a request and does not go on with it."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        uid = peer_uid(transport.get_extra_info("socket"))
        if uid is not None and uid not in (os.geteuid(), 0):
            # uvicorn's `connection_lost` looks for it
            self.transport = transport
            transport.abort()
            return
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._forget()

    def _watch(self) -> None:
        # uvicorn itself watches only the time between two requests
        if self.conn.our_state is not h11.IDLE:
            self._forget()
        elif self._deadline is None and self.timeout_keep_alive_task is None:
            self._deadline = self.loop.call_later(HEAD_S, self.timeout_keep_alive_handler)

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
