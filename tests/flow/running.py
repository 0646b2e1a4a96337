"""A project with a real daemon on it, for tests that end it in every way there is.

In: a folder and a `caxton.toml`. Out: a daemon that was ready when `start` returned, its log as lines, its cells as
processes. Nothing here waits by the clock: the daemon's own word that it is ready, and the ends of processes, are
what is waited for.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import prefork
import psutil
import pytest

from caxton.client import Client
from caxton.daemon_socket import socket_path

pytestmark = pytest.mark.system

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "agents-examples"
SLOW_TURNS = 12_000_000
"""Rounds of the loop that makes `slow.wat` take some milliseconds a turn."""


class Daemon:
    """One daemon at a time on one project; it can be started again after it ended, however it ended."""

    def __init__(self, folder: Path, configuration: str, modules: Sequence[Path] = ()) -> None:
        self.folder = folder
        self.state = folder / ".caxton"
        folder.mkdir(exist_ok=True)
        (folder / "caxton.toml").write_text(configuration)
        for name in ("echo", "counter", "relay", "rogue"):
            shutil.copy(EXAMPLES / name / f"{name}.wasm", folder)
        for module in modules:
            shutil.copy(module, folder)
        (folder / "slow.wat").write_text(slow_echo())
        self.log: list[str] = []
        """What every daemon of this project said, oldest first."""
        self._process: subprocess.Popen[str] | prefork.Process | None = None
        self._listener: threading.Thread | None = None

    def start(self, tracer: Sequence[str] = ()) -> None:
        """Start it, below `tracer` if given, and return when it says that it is ready."""
        words = ["--project", str(self.folder)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = _traced(tracer, words, environment) if tracer else prefork.Process(words, environment)
        ready = threading.Event()
        said: list[str] = []

        def listen() -> None:
            assert process.stderr is not None
            for line in process.stderr:
                self.log.append(line)
                said.append(line)
                if " ready  socket=" in line:
                    ready.set()
            process.stderr.close()
            ready.set()

        self._process = process
        self._listener = threading.Thread(target=listen)
        self._listener.start()
        ready.wait()
        if not any(" ready  socket=" in line for line in said):
            self.wait()
            raise AssertionError("".join(said))

    @property
    def running(self) -> bool:
        """Whether it was started and not yet waited for."""
        return self._process is not None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def family(self) -> list[psutil.Process]:
        """The daemon and every process below it."""
        daemon = psutil.Process(self.pid)
        return [daemon, *daemon.children(recursive=True)]

    def kill(self) -> None:
        """`kill -9`, and wait for its end and for the end of what it started."""
        family = self.family()
        assert self._process is not None
        self._process.kill()
        self.wait()
        assert still_alive(family) == []

    def terminate(self) -> None:
        """SIGTERM, without waiting."""
        assert self._process is not None
        self._process.terminate()

    def stop(self) -> int:
        """SIGTERM, and wait for its end; the exit code."""
        self.terminate()
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; the exit code."""
        assert self._process is not None
        assert self._listener is not None
        code = self._process.wait(30)
        self._listener.join(30)
        self._process = None
        return code

    def client(self, timeout: float = 15.0) -> Client:
        return Client(socket_path(self.state), timeout)

    @property
    def socket(self) -> Path:
        return socket_path(self.state)


@contextmanager
def running(folder: Path, configuration: str, modules: Sequence[Path] = ()) -> Generator[Daemon]:
    """A daemon for as long as this lasts; it ends well, and so do its children."""
    daemon = Daemon(folder, configuration, modules)
    daemon.start()
    try:
        yield daemon
    except BaseException:
        if daemon.running:
            daemon.kill()
        raise
    if daemon.running:
        family = daemon.family()
        assert daemon.stop() == 0
        assert still_alive(family) == []
    assert not any("Traceback" in line for line in daemon.log), "".join(daemon.log)


def _traced(tracer: Sequence[str], words: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    command = [*tracer, sys.executable, "-m", "caxton.daemon", *words]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)


def still_alive(family: list[psutil.Process]) -> list[psutil.Process]:
    """Those that have not ended within 5 s; one that ended and was not yet fetched by its parent has ended."""
    _, left = psutil.wait_procs([one for one in family if not _ended(one)], timeout=5)
    return [one for one in left if not _ended(one)]


def _ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def slow_echo() -> str:
    """The text of echo with a loop before each answer, so that a kill finds turns at work."""
    text = (EXAMPLES / "echo" / "echo.wat").read_text()
    begin = (
        '(func (export "handle_message") (param $p i32) (param $n i32) (result i32)\n    (local $end i32)\n'
    )
    assert text.count(begin) == 1
    loop = (
        f"    (local $left i32)\n    (local.set $left (i32.const {SLOW_TURNS}))\n"
        "    (loop $busy\n"
        "      (local.set $left (i32.sub (local.get $left) (i32.const 1)))\n"
        "      (br_if $busy (local.get $left)))\n"
    )
    return text.replace(begin, begin + loop)
