"""One connection of a client, as uvicorn's protocol with what it does not watch.

In: bytes of a client. Out: requests for the app. Another user is cut off at once, and so is who begins a request and
does not go on with it. There are at most `most` connections: one more takes the place of the one that has been idle
for longest, and is told that the daemon is busy where all others have a request in progress.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any, cast

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState

from caxton.api.guard import Peer
from caxton.api.responses import busy, refusal
from caxton.daemon_socket import peer_uid

HEAD_S = 5.0
"""How long a client may take from its connection, or a request's first byte, to the end of the request's head."""


class Connection(H11Protocol):
    """One connection; `most` of them at a time, all that share a server's state."""

    most = 512
    _deadline: asyncio.TimerHandle | None = None
    _used_s = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if not self.is_let_in(transport):
            # uvicorn's `connection_lost` looks for it
            self.transport = transport
            transport.abort()
            return
        super().connection_made(transport)
        self._used_s = self.loop.time()
        if len(self.connections) > self.most:
            self._make_room()
        self._watch()

    def data_received(self, data: bytes) -> None:
        self._used_s = self.loop.time()
        app = cast("ASGIApp", self.config.loaded_app)  # pyright: ignore[reportUnknownMemberType]
        self.app = busy if len(self.connections) > self.most else app
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._forget()

    def send_400_response(self, msg: str) -> None:
        refused = refusal(400, "bad_request", msg.rstrip("."))
        headers = [*refused.raw_headers, (b"connection", b"close")]
        for event in (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=bytes(refused.body)),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event))
        self.transport.close()

    def is_let_in(self, transport: asyncio.Transport) -> bool:
        """Whether the other end may speak at all: on the project's socket the daemon's own user, and root."""
        uid = peer_uid(transport.get_extra_info("socket"))
        allowed: list[int | None] = [None, os.geteuid(), 0]
        return uid in allowed

    def is_idle(self) -> bool:
        """Whether the daemon waits for the client: for a request, or for the rest of one."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is None or cycle.response_complete or cycle.more_body

    def _make_room(self) -> None:
        others = (cast("Connection", one) for one in self.connections if one is not self)
        idle = min((one for one in others if one.is_idle()), key=lambda one: one._used_s, default=None)
        if idle is not None:
            self.connections.discard(idle)
            idle.transport.close()

    def _watch(self) -> None:
        # uvicorn itself watches only the time between two requests; a WebSocket goes on with a protocol of its own
        if self.conn.our_state is not h11.IDLE or self.transport.get_protocol() is not self:
            self._forget()
        elif self._deadline is None and self.timeout_keep_alive_task is None:
            self._deadline = self.loop.call_later(HEAD_S, self.timeout_keep_alive_handler)

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class TcpConnection(Connection):
    """One connection of the TCP listener: its requests have a `Peer`, and one address has only so many connections."""

    _peer: Peer | None = None

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        loop: asyncio.AbstractEventLoop,
        *,
        most_of_one: int,
    ) -> None:
        super().__init__(config, server_state, app_state, loop)
        self._most_of_one = most_of_one

    def is_let_in(self, transport: asyncio.Transport) -> bool:
        """Whether this address has a connection left."""
        address = str((transport.get_extra_info("peername") or ("unknown",))[0])
        others: set[Any] = self.connections
        same = sum(isinstance(one, TcpConnection) and one.peer_address == address for one in others)
        self._peer = Peer(address, _common_name(transport.get_extra_info("peercert")))
        self.app_state = {**self.app_state, "peer": self._peer}
        return same < self._most_of_one

    @property
    def peer_address(self) -> str | None:
        """The address of the other end."""
        return None if self._peer is None else self._peer.address


def _common_name(certificate: dict[str, Any] | None) -> str | None:
    """The common name of a certificate's subject, as `ssl` shows it."""
    for part in (certificate or {}).get("subject", ()):
        for name, value in part:
            if name == "commonName":
                return str(value)
    return None
