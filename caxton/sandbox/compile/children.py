"""The children that compile: a process for each module, which cannot outlive its limits.

In: jobs. Out: what the child answered, or the error that says what became of it. One child is kept warm, so that a
build costs no start of Python.
"""

from __future__ import annotations

import asyncio
import math
import os
import signal
from asyncio.subprocess import PIPE, Process
from typing import Protocol

import msgspec

from caxton.errors import CaxtonError, InvalidModule, ResourceError
from caxton.limits import MIB
from caxton.sandbox.compile.jobs import Done, Job
from caxton.sandbox.processes import command, environment


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

    `wall_s` is how long one module may take in seconds, `memory_bytes` how much address space its child may use (Linux
    only).
    """

    def __init__(self, *, wall_s: float = 10.0, memory_bytes: int = 2048 * MIB) -> None:
        self._wall_s = wall_s
        self._memory_bytes = memory_bytes
        self._spare: Process | None = None
        self._loaded: Process | None = None
        self._alive: set[Process] = set()
        self._closed = False

    async def warm(self) -> None:
        """Start the spare child now, so that the first module does not wait for it."""
        if self._spare is None and not self._closed:
            self._spare = await self._start()

    async def ready(self) -> None:
        """Wait until the spare child has loaded what it needs: a module that comes then waits for no start."""
        await self.warm()
        spare = self._spare
        if spare is not None and spare is not self._loaded:
            assert spare.stdout is not None
            # what `run` reads of it later may begin with this line or not
            await spare.stdout.readline()
            self._loaded = spare

    async def close(self) -> None:
        """End every child. Jobs that still run fail."""
        self._closed = True
        for child in list(self._alive):
            await self._end(child)
        self._spare = None

    async def run(self, job: Job) -> Done:
        """One job in one child, which is gone afterwards, whatever happens."""
        spare, self._spare = self._spare, None
        child = spare if spare is not None and spare.returncode is None else await self._start()
        try:
            async with asyncio.timeout(self._wall_s):
                answer, talk = await child.communicate(msgspec.json.encode(job))
        except TimeoutError:
            raise ResourceError(
                f"the module took longer than {self._wall_s:g} s to compile",
                hint="look for very large functions or tables, or give it more time with compile.wall_s",
            ) from None
        finally:
            await self._end(child)
            if not self._closed:
                await self.warm()
        line = answer.removeprefix(b"ready\n")
        if child.returncode == 0 and line:
            return msgspec.json.decode(line, type=Done)
        raise self._died(child.returncode or 0, talk.decode("utf-8", "replace"))

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

    async def _start(self) -> Process:
        limits = ("--cpu", str(math.ceil(self._wall_s)), "--memory", str(self._memory_bytes))
        arguments = command("caxton.sandbox.compile", *limits)
        child = await asyncio.create_subprocess_exec(
            *arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment(), start_new_session=True
        )
        self._alive.add(child)
        return child

    async def _end(self, child: Process) -> None:
        """Kill the child's whole process group and reap it."""
        try:
            if child.returncode is None:
                os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        await asyncio.shield(child.wait())
        self._alive.discard(child)
