"""Brings the agents of a project to what their sources and the configuration say, and reports what became of it.

In: the configuration, the newest module of each target, and which agents' modules were just built. Out: events. It
promises: an agent is deployed when its module or its configuration changed, and not again for the same; an agent that
the configuration no longer names is stopped once it has handled what waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping
from pathlib import Path
from typing import Final

from caxton.client import AsyncClient
from caxton.config import Project
from caxton.daemon_socket import socket_path
from caxton.devloop.builders.build import Module
from caxton.devloop.builders.targets import Target
from caxton.devloop.deployer import DesiredAgent, GateOptions, deploy, keeps
from caxton.devloop.deployment_follower import DeploymentFollower
from caxton.devloop.events import (
    AwaitingDecision,
    ConfigurationFailed,
    DaemonGone,
    DaemonUp,
    Deployed,
    DeployFailed,
    Event,
    Running,
    Sink,
    Unchanged,
)
from caxton.errors import AgentNotFound, CaxtonError, TimedOut, Unreachable

DEPLOY_S: Final = 60.0
AT_ONCE: Final = 16
"""Agents that are brought their first module side by side."""

BringUp = Callable[[], Awaitable[bool]]
"""See to it that a daemon answers; whether it had to be started. Raises CaxtonError where it cannot."""


class Rollout:
    """What the agents of one project run, as far as this loop has a say in it."""

    def __init__(
        self,
        folder: Path,
        sink: Sink,
        bring_up: BringUp,
        *,
        strategy: str,
        fresh_state: bool,
        gate: GateOptions,
    ) -> None:
        self._state_folder = folder / ".caxton"
        self._sink = sink
        self._bring_up = bring_up
        self._strategy = strategy
        self._fresh_state = fresh_state
        self._gate = gate
        self._room = asyncio.Semaphore(AT_ONCE)
        self._alone = asyncio.Lock()
        """Held by who looks for a daemon."""
        self._project: Project | None = None
        self._tried: dict[str, DesiredAgent] = {}
        """What was last brought to each agent, whatever became of it."""
        self._again: set[str] = set()
        """Agents whose module was built anew and for whom nothing has been said yet."""
        self._leaving: list[str] = []
        """Agents that are no longer in the configuration and still run."""
        self._stopped: set[str] = set()
        """Agents that this loop stopped for that reason: they start again when they are back in it."""
        self._answers = asyncio.Event()
        """Set while a daemon answers, as far as is known."""
        self._follower = DeploymentFollower(self._client, self.say, self._agents, self._again.add)

    def configure(self, project: Project, removed: Iterable[str] = ()) -> None:
        """From now on this configuration counts; `removed` are the agents that it names no more."""
        self._project = project
        for name in removed:
            self._tried.pop(name, None)
        self._leaving = [name for name in [*self._leaving, *removed] if name not in project.config.agents]

    async def start_daemon(self) -> None:
        """See to it that a daemon answers. Raises CaxtonError where it cannot."""
        async with self._alone:
            self.say(DaemonUp(started=await self._bring_up()))

    async def deploy_changed(
        self,
        targets: Iterable[Target],
        modules: Mapping[Path, Module],
        built: Collection[str] = (),
        *,
        at_start: Collection[str] = (),
    ) -> None:
        """Bring every agent to what it shall be, if that is something else than was tried last.

        `built` are the agents whose module was built just now, `at_start` those whom nothing was saved for since the
        loop began.
        """
        assert self._project is not None
        self._again.update(built)
        async with asyncio.TaskGroup() as group:
            for target in targets:
                made = modules.get(target.module)
                if made is None:
                    continue
                for agent in target.agents:
                    desired = DesiredAgent.of(self._project, agent, made.data)
                    if self._tried.get(agent) == desired and agent not in self._again:
                        continue
                    starts = agent in at_start
                    saved = agent in self._again and not starts
                    build_ms = made.build_ms if agent in self._again else None
                    self._tried[agent] = desired
                    self._again.discard(agent)
                    deployed = self._deploy(desired, made.data, build_ms, at_start=starts, saved=saved)
                    if starts:
                        group.create_task(self._one_of_some(deployed))
                    else:
                        await deployed

    async def _one_of_some(self, deployed: Coroutine[None, None, None]) -> None:
        async with self._room:
            await deployed

    async def _deploy(
        self, desired: DesiredAgent, module: bytes, build_ms: float | None, *, at_start: bool, saved: bool
    ) -> None:
        # what waited gives way to this one, and nothing is said of that
        waited = self._follower.superseded(desired.agent)
        try:
            event = await self._ask(desired, module, build_ms, at_start=at_start, saved=saved)
            if waited is not None and isinstance(event, Unchanged):
                # the source is what runs again: nothing was brought that the daemon would drop the other for
                await self._follower.drop(waited)
            self.say(event)
            self._answers.set()
            if isinstance(event, AwaitingDecision):
                await self._follower.look()
        except (Unreachable, TimedOut) as lost:
            # somebody stopped it, or it died: one more start is what a person would try
            try:
                await self.start_daemon()
                self.say(await self._ask(desired, module, build_ms, at_start=at_start, saved=saved))
            except CaxtonError as error:
                self.say(DaemonGone(reason=f"{lost.message}; {error.message}", hint=error.hint))
        if desired.agent in self._stopped and desired.start:
            self._stopped.discard(desired.agent)
            await self._start_again(desired)

    async def _ask(
        self, desired: DesiredAgent, module: bytes, build_ms: float | None, *, at_start: bool, saved: bool
    ) -> Event:
        async with self._client() as caxton:
            return await deploy(
                caxton,
                desired,
                module,
                strategy=self._strategy,
                fresh_state=self._fresh_state,
                build_ms=build_ms,
                at_start=at_start,
                saved=saved,
                modules=self._state_folder / "modules",
                gate=self._gate,
            )

    async def _start_again(self, desired: DesiredAgent) -> None:
        """Start an agent that is back in the configuration, where its deployment has not done so."""
        try:
            async with self._client() as caxton:
                if (await caxton.agent(desired.agent)).state != "running":
                    await caxton.change_agent(desired.agent, "start")
                    self.say(Running(agent=desired.agent, revision=desired.revision, build_ms=None))
        except CaxtonError as error:
            self.say(
                ConfigurationFailed(reason=f"{desired.agent} did not start: {error.message}", hint=error.hint)
            )

    async def retire(self) -> None:
        """Stop agents that the configuration names no more, once they have handled what waits for them.

        They are not forgotten: that is for `caxton agent remove`.
        """
        while self._leaving:
            name = self._leaving.pop()
            try:
                async with self._client() as caxton:
                    await caxton.change_agent(name, "drain")
                self._stopped.add(name)
            except (AgentNotFound, Unreachable):
                # somebody removed it, or there is no daemon in which it could run
                continue
            except CaxtonError as error:
                self.say(
                    ConfigurationFailed(
                        reason=f"{name} could not be stopped: {error.message}", hint=error.hint
                    )
                )

    async def running(self, agents: list[str]) -> dict[str, str | None]:
        """The revision that each of these agents runs; None where it does not run, or no daemon answers."""
        try:
            async with self._client() as caxton:
                return await keeps(caxton, agents)
        except (Unreachable, TimedOut):
            return dict.fromkeys(agents)

    @property
    def held(self) -> Mapping[str, AwaitingDecision]:
        """Builds that wait until somebody decides, by agent; the newest last."""
        return self._follower.held

    async def decide(self, agent: str, step: str) -> None:
        """Somebody accepts (`promote`) or drops (`abort`) the build of an agent that waits; nothing where none does."""
        await self._follower.decide(agent, step)

    async def listen(self) -> None:
        """Hear what others decide, as long as there is a daemon to hear it from."""
        while True:
            try:
                await self._follower.follow()
            except (Unreachable, TimedOut):
                self._answers.clear()
                await self._answers.wait()

    def say(self, event: Event) -> None:
        """Publish an event; what waited for that agent waits no longer."""
        if isinstance(event, AwaitingDecision | Deployed | DeployFailed | Unchanged):
            self._follower.superseded(event.agent)
        if isinstance(event, AwaitingDecision):
            self._follower.waits(event)
        self._sink(event)

    def _agents(self) -> Collection[str]:
        return self._project.config.agents if self._project is not None else ()

    def _client(self) -> AsyncClient:
        return AsyncClient(socket_path(self._state_folder), timeout=DEPLOY_S)
