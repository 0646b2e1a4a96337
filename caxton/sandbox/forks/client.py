"""The daemon's side of the fork server. Imports no wasmtime.

In: what is to run, with which descriptors. Out: its number and its end. The server keeps a process that has ended until
its end was taken here, so a number never means another process.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Sequence

import msgspec

from caxton.errors import ResourceError
from caxton.sandbox.forks.server import READY, Fork
from caxton.sandbox.processes import command, environment


class Forked:
    """A process that was forked. `returncode` is as in `asyncio.subprocess`: negative for a signal, None before the
    end.
    """

    def __init__(self, pid: int, end: socket.socket, *, session: bool) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._session = session
        self._ended = asyncio.create_task(self._end(end))

    async def wait(self) -> int:
        """Wait for its end; the exit code."""
        return await asyncio.shield(self._ended)

    def kill(self) -> None:
        """End it, and what it started in its session, if it is still there."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                (os.killpg if self._session else os.kill)(self.pid, signal.SIGKILL)

    async def _end(self, end: socket.socket) -> int:
        with end:
            try:
                told = await asyncio.get_running_loop().sock_recv(end, 16)
            except ConnectionResetError:
                told = b""
            # without a word the server died, and with it all that it had forked
            self.returncode = int(told or -signal.SIGKILL)
            return self.returncode


class ForkServer:
    """Starts processes that have loaded their code already. `close` ends the server and every process that it forked,
    and so does the end of this process.
    """

    def __init__(self) -> None:
        self._one_at_a_time = asyncio.Lock()
        self._process: Process | None = None
        self._socket: socket.socket | None = None
        self._loaded = False
        self._heard = b""
        self._owed = 0
        """Answers to come for requests whose askers were cancelled meanwhile."""

    async def warm(self) -> None:
        """Start the server, without waiting until it has loaded."""
        async with self._one_at_a_time:
            await self._started()

    async def ready(self) -> None:
        """Wait until a fork would begin at once."""
        async with self._one_at_a_time:
            with contextlib.suppress(ConnectionError):
                await self._load(await self._started())

    async def fork(
        self,
        program: str,
        arguments: Sequence[str],
        descriptors: Sequence[int],
        *,
        streams: bool = False,
        session: bool = False,
    ) -> Forked:
        """Run a program of the server's in a process of its own, or in a `session` of its own.

        In its arguments `{0}`, `{1}` … are the descriptors as the process has them; with `streams` they are its
        standard streams instead. Raises ResourceError where the machine has no room for a process.
        """
        wish = Fork(program, list(arguments), streams, session)
        async with self._one_at_a_time:
            try:
                return await self._fork(wish, descriptors)
            except ConnectionError:
                # the server died before or now: once more, with another
                await self._end()
                try:
                    return await self._fork(wish, descriptors)
                except ConnectionError:
                    raise ResourceError(
                        "no process could be started",
                        hint="`caxton doctor` tries it, and says what is missing",
                    ) from None

    async def close(self) -> None:
        """End the server, after what is being forked."""
        async with self._one_at_a_time:
            await self._end()

    async def _end(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        process, self._process = self._process, None
        if process is not None:
            if not self._loaded and process.returncode is None:
                # it has forked nothing yet, and would first load all that it has to
                process.kill()
            await process.wait()

    async def _fork(self, wish: Fork, descriptors: Sequence[int]) -> Forked:
        stream = await self._started()
        await self._load(stream)
        while self._owed:
            # a number without an owner: its process finds its sockets closed, and ends
            await self._said(stream)
            self._owed -= 1
        end, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(stream, [msgspec.json.encode(wish) + b"\n"], [theirs.fileno(), *descriptors])
                self._owed += 1
                pid = int(await self._said(stream))
                self._owed -= 1
            except BaseException:
                end.close()
                raise
        end.setblocking(False)
        if not pid:
            end.close()
            raise ResourceError(
                "the machine starts no more processes",
                hint="look at `ulimit -u` and at the memory that is left",
            )
        return Forked(pid, end, session=wish.session)

    async def _started(self) -> socket.socket:
        if self._socket is not None and self._process is not None and self._process.returncode is None:
            return self._socket
        await self._end()
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                *command("caxton.sandbox", "--fd", str(theirs.fileno())),
                pass_fds=(theirs.fileno(),),
                stdin=DEVNULL,
                env=environment(),
            )
        ours.setblocking(False)
        self._socket, self._loaded, self._heard, self._owed = ours, False, b"", 0
        return ours

    async def _load(self, stream: socket.socket) -> None:
        if not self._loaded:
            if await self._said(stream) != READY:
                raise ConnectionResetError
            self._loaded = True

    async def _said(self, stream: socket.socket) -> bytes:
        """The server's next line."""
        while b"\n" not in self._heard:
            more = await asyncio.get_running_loop().sock_recv(stream, 64)
            if not more:
                raise ConnectionResetError("the fork server has ended")
            self._heard += more
        line, _, self._heard = self._heard.partition(b"\n")
        return line
