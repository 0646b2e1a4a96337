"""What a cell is to the pool: the port, and the worker process behind it.

In: frames by the link's socket. Out: a first word, results, and an end that the pool learns of, however it comes about.
The process and the daemon share a crash record, which says after a death in whose turns it was.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import msgspec

from caxton.bus import Bus
from caxton.cells.link import CellLink, CellLost
from caxton.sandbox.crash_record import CrashRecord, shared
from caxton.sandbox.forks.client import Forked, ForkServer
from caxton.sandbox.frames import Hello

SOCKET_BUFFER: Final = 1 << 20


class CellProcess(Protocol):
    """One life of a cell."""

    link: CellLink
    """The daemon's end of its socket."""

    async def hello(self) -> Hello:
        """Its first word; CellLost where it ends without one."""
        ...

    async def lost(self) -> None:
        """Return when the link is gone."""
        ...

    async def ended(self) -> int:
        """Return when the process has ended; its exit code, negative for a signal."""
        ...

    def kill(self) -> None:
        """End it at once, if it is still there."""
        ...

    def in_hand(self) -> frozenset[int]:
        """The messages whose turns are running, or were when it died."""
        ...

    def release(self) -> None:
        """Give back what the daemon holds of it, once it has ended."""
        ...


StartCell = Callable[[int, Bus], Awaitable[CellProcess]]
"""Start the process of the cell of that number, for that bus."""


class WorkerProcess:
    """A cell in a Python process of its own; made by `start`."""

    def __init__(self, bus: Bus, process: Forked, record: CrashRecord) -> None:
        self.link = CellLink(bus, self._greeted, self._lost)
        self._process = process
        self._record = record
        self._hello: asyncio.Future[Hello] = asyncio.get_running_loop().create_future()
        self._gone = asyncio.Event()

    @classmethod
    async def start(cls, forks: ForkServer, bus: Bus) -> WorkerProcess:
        """Start it with a socket of its own."""
        ours, theirs = socket.socketpair()
        record_fd = shared()
        record = CrashRecord(record_fd)
        with theirs:
            for end in (ours, theirs):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
                end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER)
            try:
                process = await forks.fork(
                    "cell", ["--fd", "{0}", "--box", "{1}"], [theirs.fileno(), record_fd]
                )
            finally:
                os.close(record_fd)
        ours.setblocking(False)
        made = cls(bus, process, record)
        await asyncio.get_running_loop().create_connection(lambda: made.link, sock=ours)
        return made

    async def hello(self) -> Hello:
        """Its first word."""
        return await asyncio.shield(self._hello)

    async def lost(self) -> None:
        """Return when the link is gone."""
        await self._gone.wait()

    async def ended(self) -> int:
        """The exit code, once there is one."""
        return await self._process.wait()

    def kill(self) -> None:
        """End it if it is still there; its socket is closed then, so it has nothing left to do."""
        self._process.kill()

    def in_hand(self) -> frozenset[int]:
        """What the crash record says."""
        return self._record.in_hand()

    def release(self) -> None:
        """Close the crash record."""
        self._record.close()

    def _greeted(self, payload: bytes) -> None:
        if self._hello.done():
            return
        try:
            self._hello.set_result(msgspec.json.decode(payload, type=Hello))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            self._hello.set_exception(CellLost(f"the cell's hello cannot be read: {error}"))

    def _lost(self) -> None:
        self._gone.set()
        if not self._hello.done():
            self._hello.set_exception(CellLost("the cell ended before it said hello"))
            # where nobody waits for the word any more, that is no error
            self._hello.exception()
