"""A process outside the daemon, as an effect sees it: the port, and the process of this machine behind it.

In: a command. Out: its output, byte by byte, and its end. A process has a group of its own, which ends with the daemon
however that ends: a shell beside it knows the groups and ends them when its pipe to the daemon closes (decision 45).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

CHUNK: Final = 16_384
GIVEN: Final = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "TZ", "USER")
"""Environment variables that every effect's process gets."""
_GATE: Final = 'IFS= read -r go && exec "$@"'
_KEEPER: Final = 'while IFS= read -r line; do last=$line; done; for g in $last; do kill -KILL "-$g"; done'


@dataclass(frozen=True, slots=True)
class Command:
    """What is to be run: program and arguments, where, and with which environment beside `GIVEN`."""

    name: str
    """Whose it is."""
    words: tuple[str, ...]
    folder: Path
    env: Mapping[str, str]
    """Variables whose values are shown nowhere."""
    plain: Mapping[str, str] = field(default_factory=dict[str, str])
    """Those that are no secret."""


class Worker(Protocol):
    """One life of an effect's process."""

    pid: int

    def say(self, line: bytes) -> None:
        """Write a line with its end; what it does not read waits here."""
        ...

    async def read(self) -> bytes:
        """Some of its output, as it comes; nothing at its end."""
        ...

    async def read_errors(self) -> bytes:
        """The same of what it complains."""
        ...

    async def ended(self) -> int:
        """Return when it has ended; its exit code, negative for a signal."""
        ...

    def leave(self) -> None:
        """Nothing more is said to it: its input ends, by which it knows that it is to end."""
        ...

    def kill(self) -> None:
        """End it at once, with whatever it has started."""
        ...


StartWorker = Callable[[Command], Awaitable[Worker]]
"""Start a command; raises OSError where that is not possible."""


class Groups:
    """Process groups that must not outlive the daemon; `close` when there are none any more."""

    def __init__(self) -> None:
        self._groups: set[int] = set()
        self._keeper: Process | None = None

    async def add(self, group: int) -> None:
        """That one is to end with the daemon."""
        if self._keeper is None or self._keeper.returncode is not None:
            self._keeper = await asyncio.create_subprocess_exec(
                "/bin/sh", "-c", _KEEPER, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True
            )
        self._groups.add(group)
        self._tell()

    def drop(self, group: int) -> None:
        """That one has ended."""
        self._groups.discard(group)
        self._tell()

    async def close(self) -> None:
        """End what keeps watch."""
        if self._keeper is not None and self._keeper.stdin is not None:
            self._keeper.stdin.close()
            await self._keeper.wait()
            self._keeper = None

    def _tell(self) -> None:
        if self._keeper is not None and self._keeper.stdin is not None:
            # a line of a pipe's length at the most, so it is written whole or not at all
            self._keeper.stdin.write(" ".join(map(str, self._groups)).encode() + b"\n")


class ProcessWorker:
    """A process of this machine; made by `start`."""

    def __init__(self, process: Process, groups: Groups) -> None:
        self.pid = process.pid
        self._process = process
        self._groups = groups
        self._over = False

    @classmethod
    async def start(cls, command: Command, groups: Groups) -> ProcessWorker:
        """Start it in a session of its own."""
        given = {name: os.environ[name] for name in GIVEN if name in os.environ}
        process = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            # it begins when its group is known: before that a shell waits in its place
            _GATE,
            "sh",
            *command.words,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            cwd=command.folder,
            env={**given, **command.plain, **command.env},
            start_new_session=True,
            limit=CHUNK,
        )
        made = cls(process, groups)
        try:
            await groups.add(process.pid)
        except OSError:
            made.kill()
            raise
        made.say(b"go\n")
        return made

    def say(self, line: bytes) -> None:
        """Write a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line)

    async def read(self) -> bytes:
        """Some of its output."""
        assert self._process.stdout is not None
        return await self._process.stdout.read(CHUNK)

    async def read_errors(self) -> bytes:
        """Some of what it complains."""
        assert self._process.stderr is not None
        return await self._process.stderr.read(CHUNK)

    async def ended(self) -> int:
        """Its exit code."""
        code = await self._process.wait()
        # what it has started may still be there
        self.kill()
        self._over = True
        self._groups.drop(self.pid)
        return code

    def leave(self) -> None:
        """Close its input."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def kill(self) -> None:
        """End its group, whose number may be another's once it is over."""
        if self._over:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
