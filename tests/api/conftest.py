"""One daemon for all tests that leave it as it was, and one for each test that does not."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from api.process import Daemon, running
from caxton.client import Client


@pytest.fixture(scope="session")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Generator[Daemon]:
    with running(tmp_path_factory.mktemp("api") / "shop") as daemon:
        yield daemon


@pytest.fixture
def caxton(daemon: Daemon) -> Generator[Client]:
    with daemon.client() as client:
        yield client


@pytest.fixture
def own_daemon(tmp_path: Path) -> Generator[Daemon]:
    with running(tmp_path / "own") as daemon:
        yield daemon
