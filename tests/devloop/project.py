"""A project in a folder of its own, and the loop on it: real files, real builders, a real daemon.

In: a `caxton.toml` and sources. Out: the loop's events, waited for one by one.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import prefork
import pytest

from caxton.cli import daemon_process
from caxton.cli.connection import STATE
from caxton.devloop import DevLoop, Event, GateOptions, ensure_project

pytestmark = pytest.mark.system

EXAMPLES = Path(__file__).resolve().parents[2] / "agents-examples"
PATIENCE_S = 30.0
E = TypeVar("E", bound=Event)


class Project:
    """The loop on a folder. Events wait in order until somebody asks for them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen: list[Event] = []
        self.loop: DevLoop
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._daemon: prefork.Process | None = None

    def hear(self, event: Event) -> None:
        """The sink."""
        self.seen.append(event)
        self._events.put_nowait(event)

    async def next(self, *kinds: type[E]) -> E:
        """The next event of those kinds; what comes before it is passed over. Fails after a while without any."""
        while True:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    event = await self._events.get()
            except TimeoutError:
                raise AssertionError(f"no {kinds} came after {self.seen[-8:]}") from None
            if isinstance(event, kinds):
                return event

    def save(self, name: str, text: str) -> None:
        """Save a file in one step, as editors do."""
        fresh = self.folder / f".{name.replace('/', '_')}.tmp"
        fresh.write_text(text, "utf-8")
        os.replace(fresh, self.folder / name)

    def bring_up(self) -> bool:
        """Start the daemon where none runs."""
        if daemon_process.running(self.folder) is not None:
            return False
        state = self.folder / STATE
        state.mkdir(mode=0o700, exist_ok=True)
        words = ["--project", str(self.folder), "--await-builds"]
        self._daemon = prefork.Process(words, daemon_process.environment(), state / daemon_process.LOG)
        daemon_process.wait_ready(self.folder, self._daemon, PATIENCE_S, lambda why: None)
        return True

    def kill(self) -> None:
        """`kill -9` the daemon, and wait for its end."""
        assert self._daemon is not None
        self._daemon.kill()
        self._daemon.wait(PATIENCE_S)
        self._daemon = None

    def take_down(self) -> None:
        """End the daemon, and wait for its end."""
        if self._daemon is not None:
            self._daemon.terminate()
            assert self._daemon.wait(PATIENCE_S) == 0
            self._daemon = None


def variant(name: str) -> bytes:
    """The echo example as another build: the same code and a custom section with that name in it."""
    section = bytes([len(name) + 1, len(name)]) + name.encode()
    return (EXAMPLES / "echo" / "echo.wasm").read_bytes() + b"\0" + section


@asynccontextmanager
async def looping(
    folder: Path, debounce_ms: int = 30, strategy: str = "direct", gate: GateOptions | None = None
) -> AsyncGenerator[Project]:
    """The loop on that folder, watching, with its daemon, for as long as this lasts."""
    project = Project(folder)
    implied = ensure_project(folder)
    loop = DevLoop(
        folder,
        project.hear,
        lambda: asyncio.to_thread(project.bring_up),
        implied=implied,
        strategy=strategy,
        gate=gate,
        debounce_ms=debounce_ms,
    )
    project.loop = loop
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(loop.run())
            yield project
            task.cancel()
    finally:
        project.take_down()
