"""Every effect of a project: made as caxton.toml says, brought onto the bus, and taken down with the daemon.

In: the configuration, the names that agents have. Out: platform agents with running processes. An effect whose name an
agent has is not offered.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog

import caxton
from caxton.bus.bus import Bus
from caxton.clock import Clock
from caxton.config import Allowance, EffectTable, HttpTable, Project, RemoteTable, ToolTable
from caxton.effects.a2a.agent import RemoteAgent
from caxton.effects.agent import EffectAgent, Spawn, Terms, World
from caxton.effects.calls import Calls
from caxton.effects.http.agent import HttpAgent
from caxton.effects.live import REPLAYS, LiveAnswer, ask_live
from caxton.effects.models.agent import MODEL_AGENT, ModelAgent
from caxton.effects.models.budgets import Budgets, Spent
from caxton.effects.process import EffectProcess
from caxton.effects.rights import Rights
from caxton.effects.tools.agent import Publish, ToolAgent
from caxton.effects.worker import Command, StartWorker, Worker
from caxton.journal import Reader
from caxton.schemas.daemon import EffectBody, UsageBody

WAITING: Final = 1_000
MODELS_AT_ONCE: Final = 64
OUTWARD: Final = (
    "ALL_PROXY",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)
"""What says how the world is reached."""
LINE_ROOM: Final = 65_536
"""What a line may have beside a message's content."""

log = structlog.get_logger("caxton.effects")


class Effects:
    """Those of one runtime. `reserve` gives a name's number, `start` starts processes, `publish` is the directory of
    services, `is_looping` says of a trace that it repeats without anything new."""

    def __init__(
        self,
        project: Project,
        bus: Bus,
        clock: Clock,
        *,
        start: StartWorker,
        reserve: Callable[[str], int],
        spawn: Spawn,
        publish: Publish,
        is_looping: Callable[[str], bool],
    ) -> None:
        self.agents: dict[str, EffectAgent] = {}
        """By local name."""
        self._project = project
        self._start = start
        self._reserve = reserve
        self._calls = Calls(bus, clock)
        message_bytes = project.config.default_limits().message_bytes
        rights = Rights(project.config.agents)
        self._world = World(bus, clock, self._calls, rights, self._spawned, message_bytes, is_looping)
        self._spawn = spawn
        self._publish = publish
        self._tasks: set[asyncio.Task[None]] = set()

    async def load(self, reader: Reader, taken: Collection[str]) -> None:
        """Bring them onto the bus, but for names that agents have; they ask nothing before `begin`."""
        await self._calls.load(reader)
        config = self._project.config
        https = {f"http.{name}": name for name in config.http}
        tools = {f"tool.{name}": name for name in config.tools}
        remotes = {f"a2a.{name}": name for name in config.a2a}
        wanted = [*config.effects, *https, *tools, *remotes, *([MODEL_AGENT] if config.models else [])]
        for name in wanted:
            if name in taken:
                log.warning("an agent has the name of an effect, which is not offered", name=name)
            elif name in config.effects:
                self._host(self._own(name, config.effects[name]))
            elif name in https:
                self._host(self._http(https[name], config.http[https[name]]))
            elif name in tools:
                self._host(self._tool(tools[name], config.tools[tools[name]]))
            elif name in remotes:
                self._host(self._remote(remotes[name], config.a2a[remotes[name]]))
            else:
                self._host(await self._model(reader))
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

    def views(self) -> Iterable[EffectBody]:
        """What there is, as it is now."""
        for name, agent in self.agents.items():
            process, counts = agent.process, agent.counts
            yield EffectBody(
                name=name,
                kind=agent.terms.key,
                command=list(process.command.words),
                running=agent.down is None,
                pid=process.pid,
                reason=agent.down,
                starts=process.starts,
                open=agent.open,
                informed=counts.informed,
                refused=counts.refused,
                failed=counts.failed,
                interrupted=counts.interrupted,
                cancelled=counts.cancelled,
            )

    def cost(self, name: str, content: bytes) -> tuple[int, float] | None:
        """The most that a question to an agent (full name) costs, in tokens and money; None where it is no effect."""
        agent = next((one for one in self.agents.values() if one.name == name), None)
        return None if agent is None else agent.cost(content)

    async def ask(self, agent: str, message: dict[str, Any], to: str, talk: str) -> LiveAnswer:
        """Ask for a replay what a turn of an agent (local name) asks of another (full name), in that conversation."""
        return await ask_live(self._world.bus, agent, message, to, talk)

    def usage(self, scope: str) -> list[UsageBody]:
        """What was spent on models in each place of a scope, the dearest first."""
        agent = self.agents.get(MODEL_AGENT)
        if not isinstance(agent, ModelAgent):
            return []
        budgets = agent.budgets
        found = [
            _usage(name, spent, budgets.reserved(place), budgets.limit(place))
            for place, spent in budgets.spent.items()
            if place[0] == scope
            for name in place[1:]
        ]
        return sorted(found, key=lambda one: (-one.money, -one.tokens, one.name))

    def _own(self, name: str, table: EffectTable) -> EffectAgent:
        """One of the project's own."""
        found, start = self._environment(table.env)
        command = Command(name, tuple(table.command), self._project.folder, found)
        most = self._world.message_bytes + LINE_ROOM
        process = EffectProcess(command, start, at_once=table.at_once, most=most)
        terms = Terms("effects", name, table.timeout, table.waiting, table.idempotent)
        return EffectAgent(name, self._reserve(name), self._world, process, terms)

    def _http(self, name: str, table: HttpTable) -> EffectAgent:
        """One for named hosts."""
        reach = table.model_dump(include={"hosts", "methods", "private", "response_bytes", "headers"})
        secrets = {one: os.environ[one] for one in table.headers.values() if one in os.environ}
        local = f"http.{name}"
        command = self._ours(local, "caxton.effects.http", msgspec.json.encode(reach).decode(), secrets)
        # JSON spells some bytes with six
        most = 6 * table.response_bytes + LINE_ROOM
        process = EffectProcess(command, self._start, at_once=table.at_once, most=most)
        terms = Terms("http", name, table.timeout, WAITING)
        return HttpAgent(local, self._reserve(local), self._world, process, terms, table)

    def _tool(self, name: str, table: ToolTable) -> EffectAgent:
        """The tools of one server."""
        local = f"tool.{name}"
        said = table.model_dump(include={"command", "url", "env", "headers"})
        said["offered"] = table.model_dump(include={"allow", "deny", "read_only"})
        found, start = self._environment([*table.env, *table.headers.values()])
        command = self._ours(local, "caxton.effects.tools", msgspec.json.encode(said).decode(), found)
        most = self._world.message_bytes + LINE_ROOM
        process = EffectProcess(command, start, at_once=table.at_once, most=most)
        terms = Terms("tools", name, table.timeout, WAITING)
        number = self._reserve(local)
        return ToolAgent(local, number, self._world, process, terms, table, self._publish)

    def _remote(self, name: str, table: RemoteTable) -> EffectAgent:
        """An agent of another system."""
        local = f"a2a.{name}"
        said = table.model_dump(include={"url", "headers"})
        found, start = self._environment(table.headers.values())
        command = self._ours(local, "caxton.effects.a2a", msgspec.json.encode(said).decode(), found)
        most = self._world.message_bytes + LINE_ROOM
        process = EffectProcess(command, start, at_once=table.at_once, most=most)
        terms = Terms("a2a", name, table.timeout, WAITING, table.idempotent)
        return RemoteAgent(local, self._reserve(local), self._world, process, terms, self._publish)

    async def _model(self, reader: Reader) -> EffectAgent:
        """All models, behind one agent and one process."""
        config = self._project.config
        places = {
            name: one.model_dump(include={"url", "model", "wire", "key_env"})
            for name, one in config.models.items()
        }
        names = [one.key_env for one in config.models.values() if one.key_env is not None]
        keys = {name: os.environ[name] for name in names if name in os.environ}
        command = self._ours(MODEL_AGENT, "caxton.effects.models", msgspec.json.encode(places).decode(), keys)
        most = self._world.message_bytes + LINE_ROOM
        process = EffectProcess(command, self._start, at_once=MODELS_AT_ONCE, most=most)
        terms = Terms("models", "", 0.0, WAITING)
        limits = {scope: getattr(config.budgets, scope) for scope in type(config.budgets).model_fields}
        own = {name: one.budget for name, one in config.agents.items() if one.budget != Allowance()}
        # what a replay asks has a budget of its own
        own |= {f"{REPLAYS}{name}": Allowance() for name in config.agents}
        number = self._reserve(MODEL_AGENT)
        agent = ModelAgent(number, self._world, process, terms, config.models, Budgets(limits, own))
        await agent.load(reader)
        return agent

    def _ours(self, name: str, module: str, settings: str, secrets: Mapping[str, str]) -> Command:
        """The command of a process of our own."""
        words = (sys.executable, "-P", "-m", module, settings)
        root = str(Path(caxton.__file__).resolve().parent.parent)
        plain = {one: os.environ[one] for one in OUTWARD if one in os.environ}
        return Command(name, words, self._project.folder, secrets, {**plain, "PYTHONPATH": root})

    def _host(self, agent: EffectAgent) -> None:
        self.agents[agent.local] = agent
        self._world.bus.host(agent)

    def _environment(self, names: Iterable[str]) -> tuple[Mapping[str, str], StartWorker]:
        """The variables of those names, and a start that says which of them is missing."""
        found = {one: os.environ[one] for one in names if one in os.environ}
        missing = [one for one in names if one not in os.environ]

        async def start(command: Command) -> Worker:
            if missing:
                raise OSError(f"the environment variable {missing[0]} is not set; start the daemon with it")
            return await self._start(command)

        return found, start

    def _spawned(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._spawn(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _usage(name: str, spent: Spent, reserved: tuple[int, float], limit: Allowance) -> UsageBody:
    reserved_tokens, reserved_money = reserved
    return UsageBody(
        name=name,
        calls=spent.calls,
        input=spent.input,
        output=spent.output,
        cached=spent.cached,
        tokens=spent.tokens,
        money=round(spent.money, 9),
        reserved_tokens=reserved_tokens,
        reserved_money=round(reserved_money, 9),
        limit_tokens=limit.tokens,
        limit_money=limit.money,
    )
