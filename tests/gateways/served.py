"""A daemon with a TCP listener and a token for whoever wants one."""

from __future__ import annotations

import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from api.process import CONFIGURATION, Daemon, running

pytestmark = pytest.mark.system


class Served:
    """One daemon, by its URL."""

    def __init__(self, daemon: Daemon, url: str) -> None:
        self.daemon = daemon
        self.url = url
        self._tokens: dict[tuple[str, ...], str] = {}

    def token(self, role: str, *agents: str) -> str:
        """A token's secret, made once."""
        key = (role, *agents)
        if key not in self._tokens:
            with self.daemon.client() as caxton:
                name = "-".join(key).replace("*", "x")
                self._tokens[key] = caxton.create_token(name, role, agents=agents or ("*",)).secret
        return self._tokens[key]

    def headers(self, role: str, *agents: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(role, *agents)}"}


@contextmanager
def served(folder: Path, more: str = "") -> Generator[Served]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    listen = f'[listen]\ntcp = "127.0.0.1:{port}"\n'
    with running(folder, CONFIGURATION + listen + more) as daemon:
        yield Served(daemon, f"http://127.0.0.1:{port}")
