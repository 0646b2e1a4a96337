"""Daemons, cells and compile children of the tests, forked from processes that have loaded their code already.

In: arguments of `python -m caxton.daemon`, an environment. Out: a process of its own, with its own number, descriptors
and end, as `subprocess.Popen` would make it. A daemon loads for three quarters of the processor time that it takes to
be ready, and the suite starts some hundred; the command itself is started where a test says so. Systems in the process
of a test share one fork server, where each daemon has its own.

    python tests/prefork.py DESCRIPTOR

is the process that forks daemons.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import msgspec
import pytest

from caxton.sandbox.forks.client import Forked, ForkServer
from caxton.sandbox.forks.server import Fork, serve
from caxton.sandbox.processes import command, environment

pytestmark = pytest.mark.system


class Process:
    """A daemon that was forked; `stderr` is what it says, line by line, unless that goes into the file `log`."""

    def __init__(
        self, arguments: Sequence[str], environment: dict[str, str], log: Path | None = None
    ) -> None:
        if log is None:
            reader, writer = os.pipe()
        else:
            reader = os.open(os.devnull, os.O_RDONLY)
            writer = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._end, theirs = socket.socketpair()
        with theirs, open(os.devnull, "rb") as nothing:
            wish = json.dumps([os.getcwd(), environment, [*arguments]])
            request = Fork("daemon", [wish], streams=True)
            self.pid = _daemons().fork(request, [theirs.fileno(), nothing.fileno(), 1, writer])
        os.close(writer)
        self.stderr = open(reader, encoding="utf-8")  # noqa: SIM115 - whoever reads it closes it
        if log is not None:
            self.stderr.close()
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code as `subprocess` has it (negative: the signal), None while it runs."""
        if self.returncode is None and select.select([self._end], [], [], 0)[0]:
            return self.wait()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; the exit code."""
        if self.returncode is None:
            if not select.select([self._end], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("caxton.daemon", timeout or 0)
            self.returncode = int(self._end.recv(16))
            self._end.close()
        return self.returncode

    def terminate(self) -> None:
        """Ask it to end, unless it has."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End it, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


class _Server:
    """A process that forks, from outside; its command ends with the descriptor that it is asked on."""

    def __init__(self, *command: str, environment: dict[str, str] | None = None) -> None:
        self._one_at_a_time = threading.Lock()
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=environment,
            )
        self._said = self._socket.makefile("rb")
        assert self._said.readline()
        atexit.register(self.close)

    def fork(self, wish: Fork, descriptors: list[int]) -> int:
        """One process more; its number."""
        # for whoever counts what starts a process: this one is started elsewhere
        sys.audit("os.fork")
        with self._one_at_a_time:
            socket.send_fds(self._socket, [msgspec.json.encode(wish) + b"\n"], descriptors)
            return int(self._said.readline())

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._said.close()
        self._socket.close()
        self._process.wait()


@cache
def _daemons() -> _Server:
    return _Server(sys.executable, __file__)


@cache
def _sandbox() -> _Server:
    return _Server(*command("caxton.sandbox", "--fd"), environment=environment())


class SharedForks(ForkServer):
    """The fork server of every system in this process, whatever loop it runs on; `close` leaves it to the next."""

    async def warm(self) -> None:
        _sandbox()

    async def ready(self) -> None:
        _sandbox()

    async def fork(
        self,
        program: str,
        arguments: Sequence[str],
        descriptors: Sequence[int],
        *,
        streams: bool = False,
        session: bool = False,
    ) -> Forked:
        end, theirs = socket.socketpair()
        with theirs:
            wish = Fork(program, [*arguments], streams, session)
            pid = _sandbox().fork(wish, [theirs.fileno(), *descriptors])
        end.setblocking(False)
        return Forked(pid, end, session=session)

    async def close(self) -> None: ...


def main(descriptor: int) -> None:
    """Load what a daemon needs, and fork one for each request until the other end closes."""
    from caxton.daemon import main as daemon

    def run(arguments: Sequence[str]) -> None:
        folder, environment, words = json.loads(arguments[0])
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.exit(daemon(words))

    serve(socket.socket(fileno=descriptor), {"daemon": run})


if __name__ == "__main__":
    main(int(sys.argv[1]))
