"""The cells of a daemon: started, watched, replaced.

In: how many. Out: links for the agents to live in. The supervision is this module's: a cell that dies is started
again at once, and after more than five deaths in 30 s with a growing pause, so that a crash loop cannot eat the
machine. What its agents lose, and how they come back, is told to `on_lost` and `on_ready`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections import deque
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Final

import msgspec
import structlog

from caxton.bus import Bus, Endpoint
from caxton.cells.link import CellLink, CellLost
from caxton.sandbox.crash_record import CrashRecord, shared
from caxton.sandbox.frames import Hello, Kind, Meters
from caxton.sandbox.processes import command, environment

SOCKET_BUFFER: Final = 1 << 20
HELLO_S: Final = 30.0
"""How long a new cell may take to say hello."""
DEATHS: Final = 5
WITHIN_S: Final = 30.0
GOODBYE_S: Final = 3.0
"""How long a cell may take to end once it was hung up on."""
PAUSE_MAX_S: Final = 5.0
METERS_S: Final = 2.0

log = structlog.get_logger("caxton.cells")


class CellState(StrEnum):
    """A cell's life."""

    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    STOPPED = "stopped"


class CellView(msgspec.Struct, frozen=True):
    """A cell as `caxton status` shows it."""

    no: int
    pid: int | None
    state: CellState
    agents: int
    in_flight: int
    restarts: int
    rss_kib: int
    cpu_s: float
    handoffs: int
    calls: str
    calls_reason: str


class Cell:
    """One place for a cell process; the process may change, the place stays."""

    def __init__(self, no: int) -> None:
        self.no = no
        self.state = CellState.STARTING
        self.link: CellLink | None = None
        self.process: asyncio.subprocess.Process | None = None
        self.hello: Hello | None = None
        self.meters: Meters | None = None
        self.restarts = 0
        self.endpoints: dict[Endpoint, None] = {}
        """Its agents in the order in which they came here, which is the order of their recovery."""
        self.ready = asyncio.Event()
        self.in_hand: frozenset[int] = frozenset()
        """The messages whose turns were running when the last process died."""
        self._next_slot = 0

    def slot(self) -> int:
        """A slot number that this cell has not used."""
        self._next_slot += 1
        return self._next_slot


class CellPool:
    """Every cell of the daemon: `run` supervises them until `close`."""

    def __init__(self, bus: Bus, count: int) -> None:
        self._bus = bus
        self.cells = [Cell(no) for no in range(1, count + 1)]
        self.on_lost: Callable[[Cell], None] = _nothing
        """Told at once when a cell died, before another is started."""
        self.on_ready: Callable[[Cell], Awaitable[None]] | None = None
        """Asked to bring the cell's agents back, each time that it is ready, the first time too."""
        self._closing = asyncio.Event()

    async def run(self) -> None:
        """Keep every cell alive until `close`."""
        async with asyncio.TaskGroup() as group:
            for cell in self.cells:
                group.create_task(self._supervise(cell), name=f"cell {cell.no}")
            group.create_task(self._watch_meters(), name="cell meters")

    async def ready(self) -> None:
        """Wait until every cell runs. Raises CellLost when one does not start in time."""
        try:
            async with asyncio.timeout(HELLO_S):
                for cell in self.cells:
                    await cell.ready.wait()
        except TimeoutError:
            late = [cell.no for cell in self.cells if not cell.ready.is_set()]
            raise CellLost(f"cells {late} did not start within {HELLO_S:.0f} s") from None

    def close(self) -> None:
        """Hang up on every cell; `run` returns when their processes have ended."""
        self._closing.set()
        for cell in self.cells:
            if cell.link is not None:
                cell.link.close()

    def place(self) -> Cell:
        """The cell with the fewest agents."""
        return min(self.cells, key=lambda cell: len(cell.endpoints))

    def views(self) -> list[CellView]:
        """Every cell, for people."""
        return [_view(cell) for cell in self.cells]

    # ------------------------------------------------------------------ one cell

    async def _supervise(self, cell: Cell) -> None:
        deaths: deque[float] = deque(maxlen=DEATHS)
        loop = asyncio.get_running_loop()
        while not self._closing.is_set():
            try:
                code = await self._live(cell)
            except Exception:
                log.exception("the cell could not be brought up", cell=cell.no)
                self._kill(cell)
                code = None
            if self._closing.is_set():
                cell.state = CellState.STOPPED
                return
            cell.restarts += 1
            cell.state = CellState.RESTARTING
            pid = cell.hello.pid if cell.hello else None
            log.warning("cell died", cell=cell.no, pid=pid, exit_code=code, restarts=cell.restarts)
            cell.ready.clear()
            self.on_lost(cell)
            self._bus.event(
                "cell",
                body={
                    "cell": cell.no,
                    "pid": pid,
                    "state": "died",
                    "exit_code": code,
                    "agents": len(cell.endpoints),
                },
            )
            self._bus.settle()
            now = loop.time()
            if len(deaths) == DEATHS and now - deaths[0] < WITHIN_S:
                await self._pause(min(PAUSE_MAX_S, 0.1 * 2 ** min(cell.restarts - DEATHS, 6)))
            deaths.append(now)

    async def _live(self, cell: Cell) -> int:
        """From the start of a process to its end."""
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        greeted: asyncio.Future[Hello] = loop.create_future()
        gone = asyncio.Event()

        def hello(payload: bytes) -> None:
            if greeted.done():
                return
            try:
                greeted.set_result(msgspec.json.decode(payload, type=Hello))
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                greeted.set_exception(CellLost(f"the cell's hello cannot be read: {error}"))

        box_fd = shared()
        box = CrashRecord(box_fd)
        with theirs:
            for end in (ours, theirs):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
                end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER)
            try:
                cell.process = await asyncio.create_subprocess_exec(
                    *command("caxton.sandbox.cell", "--fd", str(theirs.fileno()), "--box", str(box_fd)),
                    pass_fds=(theirs.fileno(), box_fd),
                    stdin=asyncio.subprocess.DEVNULL,
                    env=environment(),
                )
            finally:
                os.close(box_fd)
        ours.setblocking(False)

        def lost() -> None:
            gone.set()
            if not greeted.done():
                greeted.set_exception(CellLost("the cell ended before it said hello"))

        link = CellLink(self._bus, hello, lost)
        await loop.create_connection(lambda: link, sock=ours)
        exit_task = asyncio.create_task(cell.process.wait())
        try:
            try:
                async with asyncio.timeout(HELLO_S):
                    await greeted
            except (TimeoutError, CellLost):
                self._kill(cell)
            if greeted.done() and greeted.exception() is None:
                cell.hello = greeted.result()
                cell.link = link
                self._bus.ports.append(link)
                cell.state = CellState.READY
                if self.on_ready is not None:
                    await self.on_ready(cell)
                self._bus.event(
                    "cell",
                    body={
                        "cell": cell.no,
                        "pid": cell.hello.pid,
                        "state": "ready",
                        "restarts": cell.restarts,
                    },
                )
                self._bus.settle()
                cell.ready.set()
                log.info("cell ready", cell=cell.no, pid=cell.hello.pid, fast=cell.hello.fast)
            if self._closing.is_set():
                link.close()
            await gone.wait()
            try:
                # a cell that was hung up on, or crashed, is gone in a moment
                async with asyncio.timeout(GOODBYE_S if self._closing.is_set() else 0):
                    await asyncio.shield(exit_task)
            except TimeoutError:
                self._kill(cell)
            return await exit_task
        finally:
            cell.in_hand = box.in_hand()
            box.close()
            if link in self._bus.ports:
                self._bus.ports.remove(link)
            cell.link = None
            if not exit_task.done():
                exit_task.cancel()

    @staticmethod
    def _kill(cell: Cell) -> None:
        """End the process if it is still there; its socket is closed, so it has nothing left to do."""
        process = cell.process
        if process is not None and process.returncode is None:
            try:
                os.kill(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    async def _pause(self, seconds: float) -> bool:
        """Wait that long, or until the pool closes; whether it closes."""
        try:
            async with asyncio.timeout(seconds):
                return await self._closing.wait()
        except TimeoutError:
            return False

    async def _watch_meters(self) -> None:
        while not await self._pause(METERS_S):
            for cell in self.cells:
                if cell.link is not None and cell.state is CellState.READY:
                    try:
                        answer = await cell.link.request(Kind.METERS, 0)
                        cell.meters = msgspec.json.decode(answer.payload, type=Meters)
                    except (CellLost, msgspec.MsgspecError):
                        continue


def _nothing(cell: Cell) -> None:
    """Nobody wants to know."""


def _view(cell: Cell) -> CellView:
    meters, hello = cell.meters, cell.hello
    return CellView(
        no=cell.no,
        pid=hello.pid if hello and cell.state is CellState.READY else None,
        state=cell.state,
        agents=len(cell.endpoints),
        in_flight=sum(len(endpoint.in_flight) for endpoint in cell.endpoints),
        restarts=cell.restarts,
        rss_kib=meters.rss_kib if meters else 0,
        cpu_s=meters.cpu_s if meters else 0.0,
        handoffs=meters.handoffs if meters else 0,
        calls="fast" if hello and hello.fast else "public",
        calls_reason=hello.fast_reason if hello else "",
    )
