"""The HTTP server of one daemon: uvicorn on the project's socket and, where asked, on TCP.

In: the services and listening sockets. Out: answers until `stop()`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Generator
from socket import socket

import uvicorn

from caxton.api import meter_sources
from caxton.api.app import build
from caxton.api.connection import Connection, TcpConnection
from caxton.api.services import Services
from caxton.api.tcp_listener import HANDSHAKE_S, TcpListener
from caxton.daemon_socket import Listener
from caxton.errors import DiskTrouble
from caxton.telemetry.metrics import Reading

__all__ = ["Server", "Services"]

GRACE_S = 2
"""How long requests in progress, and viewers that do not read, may hold up the end."""


class Server:
    """Serves the API on a listener; `run` returns after `stop`, with every connection closed."""

    def __init__(self, services: Services, listener: Listener, tcp: TcpListener | None = None) -> None:
        self.app = build(services)
        self._services = services
        self._hub = self.app.state.hub
        self._row_meters = self.app.state.row_meters
        self._server = _Uvicorn(
            uvicorn.Config(
                self.app,
                http=Connection,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=GRACE_S,
            ),
            tcp,
            services.config.config.listen.connections_per_client,
        )
        self._listener = listener

    async def run(self) -> None:
        """Serve until `stop()`; closes the listener and takes its file away."""
        try:
            async with asyncio.TaskGroup() as group:
                gateways = [group.create_task(one.run()) for one in self._services.gateways.values()]
                try:
                    await self._server.serve([self._listener.socket])
                finally:
                    for one in gateways:
                        one.cancel()
        finally:
            self._hub.close()
            self._listener.close()
            with contextlib.suppress(DiskTrouble):
                # only when each was last used
                self._services.tokens.save()

    def stop(self) -> None:
        """Take no more connections, end the event streams, let requests in progress finish."""
        self._hub.close()
        self._server.should_exit = True

    def readings(self) -> dict[str, Reading]:
        """What every meter reads now."""
        return meter_sources.readings(self._services, self._hub, self._row_meters)

    @property
    def started(self) -> bool:
        """Whether connections are taken."""
        return self._server.started


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, tcp: TcpListener | None, most_of_one: int) -> None:
        super().__init__(config)
        self._tcp = tcp
        self._most_of_one = most_of_one

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        # the daemon decides what a signal means; uvicorn would install handlers of its own here
        yield

    async def startup(self, sockets: list[socket] | None = None) -> None:
        # uvicorn opens given sockets as TCP, which loses the peer's name on a Unix socket under uvloop
        assert sockets is not None
        loop = asyncio.get_running_loop()

        def protocol() -> asyncio.Protocol:
            return Connection(self.config, self.server_state, {}, loop)

        def tcp_protocol() -> asyncio.Protocol:
            return TcpConnection(self.config, self.server_state, {}, loop, most_of_one=self._most_of_one)

        self.servers = [await loop.create_unix_server(protocol, sock=each) for each in sockets]
        if self._tcp is not None:
            tls = self._tcp.tls
            self.servers.append(
                await loop.create_server(
                    tcp_protocol,
                    sock=self._tcp.socket,
                    ssl=tls,
                    ssl_handshake_timeout=HANDSHAKE_S if tls else None,
                )
            )
        self.started = True
