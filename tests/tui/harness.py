"""The app on a real daemon: runtime, API server and socket in this process, on a clock that stands still.

In: a folder. Out: agents in real cells, and an app that follows them. Nothing here waits for time: who waits, waits
for what the store hears.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from prefork import SharedForks
from textual.pilot import Pilot

from caxton.api.server import Server
from caxton.api.services import Services
from caxton.cells import pool
from caxton.client import AsyncClient
from caxton.clock import VirtualClock
from caxton.config import load
from caxton.daemon_socket import Listener, listen
from caxton.deploy.engine import configured_agents
from caxton.machine import RealMachine
from caxton.runtime import Runtime, deploy_configured, open_runtime
from caxton_tui import CaxtonApp
from caxton_tui.model.store import Store
from caxton_tui.widgets.status_bars import COMPANY

pytestmark = pytest.mark.system

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 30.0
"""A wait that takes longer fails the test."""

ORDER: dict[str, Any] = {
    "performative": "request",
    "receiver": ["buyer"],
    "protocol": "fipa-request",
    "conversation_id": "order-1",
    "content": {"action": "buy", "item": "book", "rounds": 1, "pause_ms": 0},
}


@dataclass(frozen=True)
class Daemon:
    """A running daemon and a client of it."""

    runtime: Runtime
    client: AsyncClient

    async def trade(self, rounds: int = 1, **more: Any) -> None:
        """One order, done when the buyer has reported."""
        content = {**ORDER["content"], "rounds": rounds}
        said = await self.client.send({**ORDER, "content": content, **more}, wait_s=PATIENCE_S, replies=2)
        assert [reply.message.performative for reply in said.replies] == ["agree", "inform"]


def market(folder: Path) -> Path:
    """The market's project with one cell, so that its rows always come in the same order."""
    folder.mkdir(exist_ok=True)
    source = ROOT / "agents-examples" / "market"
    for name in ("buyer.wasm", "seller.wasm"):
        shutil.copy(source / name, folder)
    text = (source / "caxton.toml").read_text()
    (folder / "caxton.toml").write_text(text.replace('name = "market"', 'name = "market"\ncells = 1', 1))
    return folder


def empty(folder: Path) -> Path:
    """A project without agents."""
    folder.mkdir(exist_ok=True)
    (folder / "caxton.toml").write_text('name = "empty"\ncells = 1\n')
    return folder


@asynccontextmanager
async def daemon(folder: Path) -> AsyncGenerator[Daemon]:
    """The daemon of that project, ended at the end; a second one over the same folder is a restart."""
    project, clock = load(folder, environ={}), VirtualClock()
    with pytest.MonkeyPatch.context() as patch:
        # agents start side by side; pictures need their rows in the same order each time
        patch.setattr(configured_agents, "AT_ONCE", 1)
        # what waits for an agent's memory would look at the daemon for two seconds, again and again
        patch.setattr(pool, "METERS_S", 0.1)
        async with open_runtime(project, machine=RealMachine(clock, SharedForks()), seed=7) as runtime:
            await deploy_configured(runtime)
            async with _served(runtime, listen(project.state), clock) as one:
                yield one


@asynccontextmanager
async def _served(runtime: Runtime, listener: Listener, clock: VirtualClock) -> AsyncGenerator[Daemon]:
    services = Services.of(runtime, stop=lambda: None, started_us=clock.now_us())
    server = Server(services, listener)
    async with asyncio.TaskGroup() as group:
        group.create_task(server.run())
        try:
            async with AsyncClient(listener.path, timeout=PATIENCE_S) as client:
                yield Daemon(runtime, client)
        finally:
            server.stop()


@dataclass(frozen=True)
class Stage:
    """The app under test."""

    app: CaxtonApp
    pilot: Pilot[int]
    clock: VirtualClock

    @property
    def store(self) -> Store:
        return self.app.store

    async def until(self, holds: Callable[[Store], object], *, look: bool = False) -> None:
        """Wait until the store is so and is on screen: a frame may open another conversation, which is read before it
        is painted.

        `look`: let the reader look at the daemon again and again until then.
        """
        changed = asyncio.Event()

        def check() -> None:
            if holds(self.store):
                changed.set()
            elif look:
                self.app.reader.hurry()

        with _told(self.store, check):
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    changed.clear()
                    check()
                    await changed.wait()
                    await self.paint()
                    painted = self.app.main_screen._painted
                    self.app.main_screen.flush()
                    if self.app.main_screen._painted == painted and holds(self.store):
                        return

    async def shown(self, holds: Callable[[], object]) -> None:
        """Wait until the screen is so, a frame after the other."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                await self.paint()

    async def paint(self) -> None:
        """Bring what the store has on screen."""
        self.app.main_screen.flush()
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        """Press keys, and see what they did."""
        await self.pilot.press(*keys)
        await self.paint()


@contextmanager
def _told(store: Store, tell: Callable[[], None]) -> Generator[None]:
    store.on_change.append(tell)
    try:
        yield
    finally:
        store.on_change.remove(tell)


@asynccontextmanager
async def stage(folder: Path, size: tuple[int, int] = (120, 40), **more: Any) -> AsyncGenerator[Stage]:
    """The app over that project's daemon, whether there is one or not; its clock stands still too."""
    clock = VirtualClock()
    app = CaxtonApp(folder, clock=clock, zone=UTC, **more)
    async with app.run_test(size=size) as pilot:
        yield Stage(app, pilot, clock)


def read(caxton: Daemon) -> Callable[[Store], bool]:
    """Whether the list has every conversation, and the one that is open has every message with its turns."""

    def holds(store: Store) -> bool:
        total = sum(one.messages for one in store.conversations)
        if not settled(caxton)(store) or total != caxton.runtime.bus.counts.messages:
            return False
        timeline = store.conversation.timeline(store.platform) if store.conversation else None
        if timeline is None or store.conversation is None or store.conversation.head is None:
            return False
        known = {agent.name for agent in store.agents}
        return store.conversation.head.messages == len(timeline.spoken) and all(
            {turn.agent for turn in spoken.turns} >= known & set(spoken.receivers)
            for spoken in timeline.spoken
        )

    return holds


def heard(caxton: Daemon) -> Callable[[Store], bool]:
    """Whether the tape has every row that there is."""
    return lambda store: store.live and store.last_seq == caxton.runtime.bus.last_seq


def settled(caxton: Daemon) -> Callable[[Store], bool]:
    """Whether the tape has every row, and the last look saw them and every agent at rest, with its memory."""

    def holds(store: Store) -> bool:
        return (
            heard(caxton)(store)
            and store.status is not None
            and store.status.journal.committed_seq == store.last_seq
            and store.status.journal.waiting_rows <= COMPANY
            and all(agent.memory_kib and not agent.mailbox for agent in store.agents)
        )

    return holds


def opened(conversation: str) -> Callable[[Store], bool]:
    """Whether that conversation is open and read."""

    def holds(store: Store) -> bool:
        found = store.conversation
        return found is not None and found.id == conversation and found.head is not None

    return holds
