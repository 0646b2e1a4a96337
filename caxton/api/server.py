"""The HTTP server of one daemon: uvicorn on the project's socket and, where asked, on TCP.

In: the services and listening sockets. Out: answers until `stop()`.
"""

from __future__ import annotations

import asyncio
import contextlib

import uvicorn

from caxton.api import meter_sources
from caxton.api.app import build
from caxton.api.connection import Connection
from caxton.api.http_server import HttpServer
from caxton.api.services import Services
from caxton.api.tcp_listener import TcpListener
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
        self._server = HttpServer(
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
