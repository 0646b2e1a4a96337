"""A builder at work: a child process with a time limit, its words captured, all that it started ended with it.

In: a command line. Out: exit code, output, time. A builder's errors are answers, never exceptions. Whatever it starts
inherits a mark in its environment: by that those are found that left its session too, such as compiler servers.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

MARK: Final = "CAXTON_BUILD"
"""The variable that a builder and all that it starts have."""
PROC: Final = Path("/proc")
REST_S: Final = 1.0
"""How long its last words may take, once everything that was found of it has been ended."""
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

    mark = secrets.token_hex(16)
    # a pipe of our own: asyncio's would make the wait for the process a wait for everybody who holds its output open
    reading, writing = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=writing,
            stderr=writing,
            env={**os.environ, **environ, MARK: mark},
            # a session of its own, so that Ctrl-C is for the loop
            start_new_session=True,
        )
    except OSError as error:
        os.close(reading)
        return outcome(None, f"error: {command[0]} cannot be run: {error.strerror}")
    finally:
        os.close(writing)
    late = False
    words = _Words()
    async with _stream(reading) as stream, asyncio.TaskGroup() as group:
        reader = group.create_task(words.read(stream))
        try:
            async with asyncio.timeout(timeout_s):
                await process.wait()
        except TimeoutError:
            late = True
        finally:
            # also where it ended by itself: what it left running holds the pipe open and is nobody's
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            _end(mark)
            await asyncio.shield(process.wait())
        await asyncio.wait([reader], timeout=REST_S)
        reader.cancel()
    said = str(words)
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


def _end(mark: str) -> None:
    """Kill whoever has that mark, until nobody has; in a second at the most."""
    for _ in range(100):
        found = [pid for pid in psutil.pids() if mark.encode() in _environment(pid)]
        if not found:
            return
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _environment(pid: int) -> bytes:
    """What a process began with; nothing where it has ended or is another user's."""
    try:
        if PROC.is_dir():
            # ten times as quick, and it is read after every build
            return (PROC / str(pid) / "environ").read_bytes()
        return psutil.Process(pid).environ().get(MARK, "").encode()
    except (OSError, psutil.Error):
        return b""


class _Words:
    """What a builder says, as far as it is kept."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._lost = 0

    async def read(self, stream: asyncio.StreamReader) -> None:
        """Read to the end."""
        while chunk := await stream.read(64 * 1024):
            room = KEPT_BYTES - len(self._kept)
            self._kept += chunk[:room]
            self._lost += max(len(chunk) - room, 0)

    def __str__(self) -> str:
        text = self._kept.decode("utf-8", "replace")
        return f"{text}\n… {self._lost:,} bytes more" if self._lost else text
