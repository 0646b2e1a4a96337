"""A real daemon as a child process, for tests that talk to it over its socket."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import prefork
import pytest

from caxton.client import Client
from caxton.daemon_socket import socket_path

pytestmark = pytest.mark.system

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "agents-examples"
CONFIGURATION = """
cells = 1
[limits]
wall_ms = 2000
[agents.echo]
wasm = "echo.wasm"
[agents.counter]
wasm = "counter.wasm"
"""


class Daemon:
    """One daemon on one project; `start` returns when it says that it is ready."""

    def __init__(self, folder: Path, configuration: str = CONFIGURATION) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        (folder / "caxton.toml").write_text(configuration)
        for name in ("echo", "counter", "relay"):
            shutil.copy(EXAMPLES / name / f"{name}.wasm", folder)
        self.process: prefork.Process | None = None

    @property
    def socket(self) -> Path:
        return socket_path(self.folder / ".caxton")

    def start(self) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = prefork.Process(["--project", str(self.folder)], environment)
        said: list[str] = []
        for line in self.process.stderr:
            said.append(line)
            if " ready  socket=" in line:
                return
        raise AssertionError("".join(said))

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self._gone()

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self._gone()

    def _gone(self) -> int:
        assert self.process is not None
        self.process.stderr.read()
        code = self.process.wait(30)
        self.process.stderr.close()
        self.process = None
        return code

    def client(self, timeout: float = 10.0) -> Client:
        return Client(self.socket, timeout)


@contextmanager
def running(folder: Path, configuration: str = CONFIGURATION) -> Generator[Daemon]:
    daemon = Daemon(folder, configuration)
    daemon.start()
    try:
        yield daemon
    finally:
        if daemon.process is not None:
            assert daemon.stop() == 0
