"""What the API needs from the rooms of a daemon, in one value.

The daemon fills `Rooms` once; every route gets it from `rooms_of`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from caxton.agents import Supervisor
from caxton.bus import Bus
from caxton.bus.df import Df
from caxton.bus.hold import Hold
from caxton.cells import CellPool
from caxton.clock import Clock
from caxton.config import Project
from caxton.deploy import Engine
from caxton.house import House
from caxton.journal import Journal, Reader
from caxton.replay import Replayer
from caxton.tasks import Tasks


@dataclass(frozen=True, slots=True)
class Rooms:
    """The rooms of one running daemon. `stop` begins its end and returns at once; `started_us`: wall time."""

    bus: Bus
    agents: Supervisor
    engine: Engine
    replayer: Replayer
    tasks: Tasks
    df: Df
    hold: Hold
    cells: CellPool
    journal: Journal
    reader: Reader
    config: Project
    clock: Clock
    stop: Callable[[], None]
    started_us: int

    @classmethod
    def of(cls, house: House, *, stop: Callable[[], None], started_us: int) -> Rooms:
        """The rooms of a house that has been opened."""
        return cls(
            bus=house.bus,
            agents=house.agents,
            engine=house.engine,
            replayer=house.replayer,
            tasks=house.tasks,
            df=house.df,
            hold=house.hold,
            cells=house.cells,
            journal=house.journal,
            reader=house.journal.reader,
            config=house.project,
            clock=house.clock,
            stop=stop,
            started_us=started_us,
        )


@asynccontextmanager
async def durable(rooms: Rooms) -> AsyncGenerator[None]:
    """Leave only when what was done inside, or was tried and failed, is on disk: output waits (DESIGN.md 1)."""
    try:
        yield
    finally:
        rooms.bus.settle()
        await rooms.journal.committed_upto(rooms.bus.last_seq)


def rooms_of(connection: HTTPConnection) -> Rooms:
    """The rooms behind the app that serves this request."""
    rooms: Rooms = connection.app.state.rooms
    return rooms


def full_name(rooms: Rooms, agent: str | None) -> str | None:
    """An agent's name with the platform, as messages and rows have it."""
    return agent if agent is None else rooms.bus.full_name(agent)
