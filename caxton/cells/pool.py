"""The cells of a daemon: started, watched, replaced.

In: how many. Out: links for the agents to live in. The supervision is this module's: a cell that dies is started
again at once, and after more than five deaths in 30 s with a growing pause, so that a crash loop cannot eat the
machine. What its agents lose, and how they come back, is the business of who observes it.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterable
from enum import StrEnum
from typing import Final, Protocol

import msgspec
import structlog

from caxton.bus import Bus, Endpoint
from caxton.cells.link import CellLink, CellLost
from caxton.cells.process import StartCell
from caxton.sandbox.frames import Hello, Kind, Meters

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

    def greeted(self, link: CellLink, hello: Hello) -> None:
        """A process has said hello."""
        self.link, self.hello, self.state = link, hello, CellState.READY

    def hung_up(self, in_hand: frozenset[int]) -> None:
        """The process is gone, in the middle of these messages."""
        self.link, self.in_hand = None, in_hand

    def died(self) -> None:
        """It is started again."""
        self.restarts += 1
        self.state = CellState.RESTARTING
        self.ready.clear()

    def stop(self) -> None:
        """It is not started again."""
        self.state = CellState.STOPPED

    def measured(self, meters: Meters) -> None:
        """What its process has used up."""
        self.meters = meters


class CellObserver(Protocol):
    """Who keeps the agents of the cells."""

    def cell_lost(self, cell: Cell) -> None:
        """A cell died; another process is started after this."""
        ...

    async def cell_ready(self, cell: Cell) -> None:
        """A cell is there, the first time or again: bring its agents back."""
        ...


class CellPool:
    """Every cell of the daemon: `run` supervises them until `close`."""

    def __init__(self, bus: Bus, count: int, start: StartCell) -> None:
        self._bus = bus
        self._start = start
        self.cells = [Cell(no) for no in range(1, count + 1)]
        self._observer: CellObserver | None = None
        self._closing = asyncio.Event()

    def observe(self, observer: CellObserver) -> None:
        """Tell it at once when a cell died, and when one is ready."""
        self._observer = observer

    async def run(self) -> None:
        """Keep every cell alive until `close`."""
        async with asyncio.TaskGroup() as group:
            meters = group.create_task(self._watch_meters(), name="cell meters")
            async with asyncio.TaskGroup() as lives:
                for cell in self.cells:
                    lives.create_task(self._supervise(cell), name=f"cell {cell.no}")
            meters.cancel()

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

    def place(self, coming: Iterable[Cell] = ()) -> Cell:
        """The cell with the fewest agents of those that live, or of all; `coming` are the cells of those that are on
        their way, one for each."""
        awaited = Counter(cell.no for cell in coming)
        living = [cell for cell in self.cells if cell.link is not None] or self.cells
        return min(living, key=lambda cell: len(cell.endpoints) + awaited[cell.no])

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
            except Exception:  # it is tried again, whatever it was: its agents have no other cell
                log.exception("the cell could not be brought up", cell=cell.no)
                code = None
            if self._closing.is_set():
                cell.stop()
                return
            cell.died()
            pid = cell.hello.pid if cell.hello else None
            log.warning("cell died", cell=cell.no, pid=pid, exit_code=code, restarts=cell.restarts)
            if self._observer is not None:
                self._observer.cell_lost(cell)
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
        """From the start of a process to its end; its exit code."""
        began = asyncio.get_running_loop().time()
        process = await self._start(cell.no, self._bus)
        try:
            try:
                async with asyncio.timeout(HELLO_S):
                    hello = await process.hello()
            except (TimeoutError, CellLost):
                process.kill()
            else:
                await self._greet(cell, process.link, hello, began)
            if self._closing.is_set():
                process.link.close()
            await process.lost()
            try:
                # a cell that was hung up on, or crashed, is gone in a moment
                async with asyncio.timeout(GOODBYE_S if self._closing.is_set() else 0):
                    return await process.ended()
            except TimeoutError:
                process.kill()
            return await process.ended()
        except BaseException:
            # what could not be brought up must not stay behind
            process.kill()
            raise
        finally:
            cell.hung_up(process.in_hand())
            process.release()
            if process.link in self._bus.ports:
                self._bus.ports.remove(process.link)

    async def _greet(self, cell: Cell, link: CellLink, hello: Hello, began: float) -> None:
        """A cell has said hello: give it its agents."""
        cell.greeted(link, hello)
        self._bus.ports.append(link)
        if self._observer is not None:
            await self._observer.cell_ready(cell)
        self._bus.event(
            "cell",
            body={
                "cell": cell.no,
                "pid": hello.pid,
                "state": "ready",
                "restarts": cell.restarts,
                "start_us": round((asyncio.get_running_loop().time() - began) * 1e6),
            },
        )
        self._bus.settle()
        cell.ready.set()
        log.info("cell ready", cell=cell.no, pid=hello.pid, fast=hello.fast)

    async def _pause(self, seconds: float) -> bool:
        """Wait that long, or until the pool closes; whether it closes."""
        try:
            async with asyncio.timeout(seconds):
                return await self._closing.wait()
        except TimeoutError:
            return False

    async def _watch_meters(self) -> None:
        while True:
            await asyncio.sleep(METERS_S)
            for cell in self.cells:
                if cell.link is not None and cell.state is CellState.READY:
                    try:
                        answer = await cell.link.request(Kind.METERS, 0)
                        cell.measured(msgspec.json.decode(answer.payload, type=Meters))
                    except (CellLost, msgspec.MsgspecError):
                        continue


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
