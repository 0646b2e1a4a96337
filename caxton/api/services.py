"""What the API needs from the services of a daemon, in one value.

The daemon fills `Services` once; every route gets it from `services_of`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection

from caxton.access import Tokens
from caxton.agents import Supervisor
from caxton.agents.loops import Loops
from caxton.agents.waits import Waits
from caxton.api.gateways.gateway import Gateway
from caxton.bus import Bus
from caxton.cells import CellPool
from caxton.clock import Clock
from caxton.config import Project
from caxton.deploy import Engine
from caxton.effects.effects import Effects
from caxton.hold.hold import Hold
from caxton.journal import Journal, Reader
from caxton.platform_agents.df import Df
from caxton.platform_agents.timer import Timer
from caxton.platform_agents.topics import Topics
from caxton.replay import Replayer
from caxton.runtime import Runtime
from caxton.tasks import Tasks
from caxton.transfer import Transfer


@dataclass(frozen=True, slots=True)
class Services:
    """The services of one running daemon. `stop` begins its end and returns at once; `started` says whether its agents
    were started, but for those that recover; `started_us`: wall time."""

    bus: Bus
    agents: Supervisor
    engine: Engine
    replayer: Replayer
    tasks: Tasks
    df: Df
    timer: Timer
    topics: Topics | None
    effects: Effects
    hold: Hold
    transfer: Transfer
    waits: Waits
    loops: Loops
    cells: CellPool
    journal: Journal
    reader: Reader
    config: Project
    tokens: Tokens
    clock: Clock
    stop: Callable[[], None]
    started: Callable[[], bool]
    started_us: int
    gateways: Mapping[str, Gateway] = field(default_factory=dict[str, Gateway])
    """By the extra that each needs."""
    redriving: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while dead letters are ended, so that each is ended once."""

    @classmethod
    def of(
        cls,
        runtime: Runtime,
        *,
        stop: Callable[[], None],
        started_us: int,
        started: Callable[[], bool] = lambda: True,
        gateways: Mapping[str, Gateway] | None = None,
    ) -> Services:
        """The services of a runtime that has been opened."""
        return cls(
            bus=runtime.bus,
            agents=runtime.agents,
            engine=runtime.engine,
            replayer=runtime.replayer,
            tasks=runtime.tasks,
            df=runtime.df,
            timer=runtime.timer,
            topics=runtime.topics,
            effects=runtime.effects,
            hold=runtime.hold,
            transfer=runtime.transfer,
            waits=runtime.standstills.waits,
            loops=runtime.standstills.loops,
            cells=runtime.cells,
            journal=runtime.journal,
            reader=runtime.journal.reader,
            config=runtime.project,
            tokens=Tokens(runtime.project.state, runtime.clock.now_us),
            clock=runtime.clock,
            stop=stop,
            started=started,
            started_us=started_us,
            gateways=gateways or {},
        )


@asynccontextmanager
async def durable(services: Services) -> AsyncGenerator[None]:
    """Leave only when what was done inside, or was tried and failed, is on disk: output waits (DESIGN.md 1)."""
    try:
        yield
    finally:
        services.bus.settle()
        # not only up to a number: some rows have none
        await services.journal.written()


def services_of(connection: HTTPConnection) -> Services:
    """The services behind the app that serves this request."""
    services: Services = connection.app.state.services
    return services


def full_name(services: Services, agent: str | None) -> str | None:
    """An agent's name with the platform, as messages and rows have it."""
    return agent if agent is None else services.bus.full_name(agent)
