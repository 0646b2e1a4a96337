"""uvicorn with the connections of `caxton.api.connection`, on sockets that are bound already.

In: a configuration and listening sockets. Out: an open server; signals are left to whoever runs it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Generator
from socket import socket

import uvicorn

from caxton.api.connection import Connection, TcpConnection
from caxton.api.tcp_listener import HANDSHAKE_S, TcpListener


class HttpServer(uvicorn.Server):
    """Serves on given Unix sockets and on one of TCP, `most_of_one` connections of one address there."""

    def __init__(self, config: uvicorn.Config, tcp: TcpListener | None, most_of_one: int) -> None:
        super().__init__(config)
        self._tcp = tcp
        self._most_of_one = most_of_one

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        # whoever runs it decides what a signal means; uvicorn would install handlers of its own here
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
