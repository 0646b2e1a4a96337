"""Every effect of a project: made as caxton.toml says, brought onto the bus, and taken down with the daemon.

In: the configuration, the names that agents have. Out: platform agents with running processes. An effect whose name an
agent has is not offered.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Collection, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Final

import structlog

from caxton.bus.bus import Bus
from caxton.clock import Clock
from caxton.config import EffectTable, Project
from caxton.effects.agent import EffectAgent, Spawn, Terms, World
from caxton.effects.calls import Calls
from caxton.effects.process import EffectProcess
from caxton.effects.rights import Rights
from caxton.effects.worker import Command, StartWorker, Worker
from caxton.journal import Reader

LINE_ROOM: Final = 65_536
"""What a line may have beside a message's content."""

log = structlog.get_logger("caxton.effects")


@dataclass(frozen=True, slots=True)
class EffectView:
    """An effect as it is now."""

    name: str
    kind: str
    command: list[str]
    running: bool
    pid: int | None
    reason: str | None
    """Why it does not run."""
    starts: int
    open: int
    """Calls that are not answered."""
    informed: int
    refused: int
    failed: int
    interrupted: int
    cancelled: int


class Effects:
    """Those of one runtime. `reserve` gives a name's number, `start` starts processes."""

    def __init__(
        self,
        project: Project,
        bus: Bus,
        clock: Clock,
        *,
        start: StartWorker,
        reserve: Callable[[str], int],
        spawn: Spawn,
    ) -> None:
        self.agents: dict[str, EffectAgent] = {}
        """By local name."""
        self._project = project
        self._start = start
        self._reserve = reserve
        self._calls = Calls(bus, clock)
        message_bytes = project.config.default_limits().message_bytes
        self._world = World(
            bus, clock, self._calls, Rights(project.config.agents), self._spawned, message_bytes
        )
        self._spawn = spawn
        self._tasks: set[asyncio.Task[None]] = set()

    async def load(self, reader: Reader, taken: Collection[str]) -> None:
        """Bring them onto the bus, but for names that agents have; they ask nothing before `begin`."""
        await self._calls.load(reader)
        for name, table in self._project.config.effects.items():
            if name in taken:
                log.warning("an agent has the name of an effect, which is not offered", name=name)
            else:
                self._host(self._own(name, table))
        self._calls.forget(frozenset(agent.name for agent in self.agents.values()))

    def begin(self) -> None:
        """Start the processes, and ask what waited."""
        for agent in self.agents.values():
            self._spawned(agent.process.run())
            agent.begin()

    async def close(self) -> None:
        """End the processes. A call without an answer stays open: the next start says that it was interrupted."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def views(self) -> Iterable[EffectView]:
        """What there is, as it is now."""
        for name, agent in self.agents.items():
            process, counts = agent.process, agent.counts
            yield EffectView(
                name=name,
                kind=agent.terms.key,
                command=list(process.command.words),
                running=process.pid is not None,
                pid=process.pid,
                reason=None if process.pid is not None else process.why,
                starts=process.starts,
                open=agent.open,
                informed=counts.informed,
                refused=counts.refused,
                failed=counts.failed,
                interrupted=counts.interrupted,
                cancelled=counts.cancelled,
            )

    def _own(self, name: str, table: EffectTable) -> EffectAgent:
        """One of the project's own."""
        process = self._process(name, table.command, table.env, table.at_once)
        terms = Terms("effects", name, table.timeout, table.waiting, table.idempotent)
        return EffectAgent(name, self._reserve(name), self._world, process, terms)

    def _host(self, agent: EffectAgent) -> None:
        self.agents[agent.local] = agent
        self._world.bus.host(agent)

    def _process(self, name: str, words: list[str], env: Iterable[str], at_once: int) -> EffectProcess:
        found = {one: os.environ[one] for one in env if one in os.environ}
        missing = [one for one in env if one not in os.environ]
        command = Command(name, tuple(words), self._project.folder, found)

        async def start(command: Command) -> Worker:
            if missing:
                raise OSError(f"the environment variable {missing[0]} is not set; start the daemon with it")
            return await self._start(command)

        most = self._world.message_bytes + LINE_ROOM
        return EffectProcess(command, start, at_once=at_once, most=most)

    def _spawned(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._spawn(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
