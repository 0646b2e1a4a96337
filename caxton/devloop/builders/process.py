"""A builder at work: a child process with a time limit, its words captured, its own children ended with it.

In: a command line. Out: exit code, output, time. A builder's errors are answers, never exceptions.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

KEPT_BYTES: Final = 256 * 1024
"""How much of what a builder says is kept; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a child ended. `code` is None where it was not found or took too long; then `output` says so."""

    code: int | None
    output: str
    took_ms: float

    @property
    def ok(self) -> bool:
        """Whether it did what it was for."""
        return self.code == 0


async def run(command: Sequence[str], folder: Path, timeout_s: float, environ: Mapping[str, str]) -> Outcome:
    """Run it in that folder and wait for its end; after `timeout_s` seconds it is killed."""
    began = time.monotonic()

    def outcome(code: int | None, output: str) -> Outcome:
        return Outcome(code, output, round((time.monotonic() - began) * 1000, 1))

    # a pipe of our own: asyncio's would make the wait for the process a wait for everybody who holds its output open
    reading, writing = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=writing,
            stderr=writing,
            env={**os.environ, **environ},
            # a session of its own, so that Ctrl-C is for the loop and a kill reaches what it started
            start_new_session=True,
        )
    except OSError as error:
        os.close(reading)
        return outcome(None, f"error: {command[0]} cannot be run: {error.strerror}")
    finally:
        os.close(writing)
    late = False
    async with _stream(reading) as stream, asyncio.TaskGroup() as group:
        words = group.create_task(_read(stream))
        try:
            async with asyncio.timeout(timeout_s):
                await process.wait()
        except TimeoutError:
            late = True
        finally:
            # also where it ended by itself: what it left running holds the pipe open and is nobody's
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await asyncio.shield(process.wait())
    said = words.result()
    if late:
        return outcome(None, f"error: it took longer than {timeout_s:g} s and was killed\n{said}")
    return outcome(process.returncode, said)


@asynccontextmanager
async def _stream(descriptor: int) -> AsyncGenerator[asyncio.StreamReader]:
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb")
    )
    try:
        yield reader
    finally:
        transport.close()


async def _read(stream: asyncio.StreamReader) -> str:
    kept = bytearray()
    lost = 0
    while chunk := await stream.read(64 * 1024):
        room = KEPT_BYTES - len(kept)
        kept += chunk[:room]
        lost += max(len(chunk) - room, 0)
    text = kept.decode("utf-8", "replace")
    return f"{text}\n… {lost:,} bytes more" if lost else text
