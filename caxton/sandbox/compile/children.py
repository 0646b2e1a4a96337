"""The children that compile: a process for each module, which cannot outlive its limits.

In: jobs. Out: what the child answered, or the error that says what became of it. Children are forked (`forks`), so that
a build costs no start of Python.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import signal
import socket
import tempfile
from typing import Final, Protocol

import msgspec

from caxton.errors import CaxtonError, InvalidModule, ResourceError
from caxton.limits import MIB
from caxton.sandbox.compile.jobs import Done, Job
from caxton.sandbox.forks.client import Forked, ForkServer

STANDSTILL: Final = 10
"""A child that has not used its processor time in so many times as long has no processor, or waits for something."""


class Workers(Protocol):
    """Whoever does the compiler's jobs."""

    async def warm(self) -> None:
        """Begin to get ready for a job, without waiting for it."""
        ...

    async def ready(self) -> None:
        """Wait until a job would begin at once."""
        ...

    async def run(self, job: Job) -> Done:
        """Do one job; a module that is refused is an answer. Raises ResourceError for what takes too much,
        InvalidModule where the worker died of it."""
        ...

    async def close(self) -> None:
        """End everything; jobs that still run fail."""
        ...


class Children:
    """Compile processes; `close` ends every one that was started.

    `forks` starts them, and is ended here where none is given. `wall_s` is how many seconds of processor time one
    module may take, whatever else the machine does, `memory_bytes` how much address space its child may use (Linux
    only).
    """

    def __init__(
        self, forks: ForkServer | None = None, *, wall_s: float = 10.0, memory_bytes: int = 2048 * MIB
    ) -> None:
        self._forks = forks or ForkServer()
        self._own_forks = forks is None
        self._wall_s = wall_s
        self._memory_bytes = memory_bytes
        self._alive: set[Forked] = set()
        self._closed = False

    async def warm(self) -> None:
        """Load now what a child needs, so that the first module does not wait for it."""
        await self._forks.warm()

    async def ready(self) -> None:
        """Wait until a module that comes waits for no loading."""
        await self._forks.ready()

    async def close(self) -> None:
        """End every child. Jobs that still run fail."""
        self._closed = True
        for child in list(self._alive):
            child.kill()
            await child.wait()
        if self._own_forks:
            await self._forks.close()

    async def run(self, job: Job) -> Done:
        """One job in one child, which is gone afterwards, whatever happens."""
        if self._closed:
            raise ResourceError("the daemon stops, so the module was not compiled")
        ours, theirs = socket.socketpair()
        limits = ["--cpu", str(math.ceil(self._wall_s)), "--memory", str(self._memory_bytes)]
        with ours, tempfile.TemporaryFile() as errors:
            with theirs:
                standard = [theirs.fileno(), theirs.fileno(), errors.fileno()]
                child = await self._forks.fork("compile", limits, standard, streams=True, session=True)
            self._alive.add(child)
            try:
                async with asyncio.timeout(self._wall_s * STANDSTILL):
                    answer = await _answer(ours, msgspec.json.encode(job))
                    await child.wait()
            except TimeoutError:
                raise ResourceError(
                    f"the module took longer than {self._wall_s * STANDSTILL:g} s to compile, mostly waiting",
                    hint="the machine has no time for it; try again, or give it more with compile.wall_s",
                ) from None
            finally:
                child.kill()
                await asyncio.shield(child.wait())
                self._alive.discard(child)
            if child.returncode == 0 and answer:
                return msgspec.json.decode(answer, type=Done)
            errors.seek(0)
            raise self._died(child.returncode or 0, errors.read().decode("utf-8", "replace"))

    def _died(self, code: int, talk: str) -> CaxtonError:
        if self._closed:
            return ResourceError("the daemon stops, so the module was not compiled")
        if code in (-signal.SIGXCPU, -signal.SIGKILL):
            return ResourceError(
                f"the module took more than {self._wall_s:g} s of processor time to compile",
                hint="look for very large functions or tables, or give it more time with compile.wall_s",
            )
        if code in (-signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS) or "MemoryError" in talk:
            return ResourceError(
                f"compiling the module needed more than {self._memory_bytes // MIB} MiB of memory",
                hint="look for very large functions, tables or element segments",
            )
        last = talk.strip().rpartition("\n")[2][:200]
        hint = "`caxton doctor` checks the compiler"
        return InvalidModule(f"the compile process ended with code {code}", hint=hint, said=last)


async def _answer(child: socket.socket, job: bytes) -> bytes:
    """Give a child its job and read all that it answers; nothing where it died first."""
    loop = asyncio.get_running_loop()
    child.setblocking(False)
    parts: list[bytes] = []
    with contextlib.suppress(ConnectionError):
        await loop.sock_sendall(child, job)
        child.shutdown(socket.SHUT_WR)
        while part := await loop.sock_recv(child, 65_536):
            parts.append(part)
    return b"".join(parts)
