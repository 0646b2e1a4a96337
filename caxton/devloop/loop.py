"""The loop: wait until something is saved, build what that concerns, bring it to the daemon, say so.

In: a project's folder, a way to get a daemon up, and a sink for events. It promises: everything is built once at the
start and before the daemon is asked for; only what changed is built again; a change that comes while something is
built is built after it; what fails leaves everything as it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from caxton.client import AsyncClient
from caxton.clock import Clock, SystemClock
from caxton.config import Project, load
from caxton.daemon_socket import socket_path
from caxton.devloop.builders.build import build
from caxton.devloop.builders.targets import Target, targets
from caxton.devloop.config_reload import ConfigReloader
from caxton.devloop.deployer import DesiredAgent, GateOptions, deploy, keeps
from caxton.devloop.deployment_follower import DeploymentFollower
from caxton.devloop.events import (
    AwaitingDecision,
    Began,
    BuildFailed,
    BuildStarted,
    ConfigurationFailed,
    DaemonGone,
    DaemonUp,
    Deployed,
    DeployFailed,
    Ended,
    Event,
    Running,
    Sink,
    Unchanged,
    Watching,
)
from caxton.devloop.lock import project_lock
from caxton.devloop.watch.watcher import FolderWatcher, watching
from caxton.errors import AgentNotFound, CaxtonError, ConfigurationError, TimedOut, Unreachable

DEBOUNCE_MS: Final = 60
AT_ONCE: Final = 2
"""Builds that run side by side."""
DEPLOY_S: Final = 60.0

BringUp = Callable[[], Awaitable[bool]]
"""See to it that a daemon answers; whether it had to be started. Raises CaxtonError where it cannot."""


@dataclass(slots=True)
class _Module:
    """What the last good build of a target made; `build_ms` is None for one that is not built here."""

    data: bytes
    build_ms: float | None = None


@dataclass(slots=True)
class _State:
    """What the loop knows at one moment."""

    project: Project
    targets: list[Target]
    modules: dict[Path, _Module] = field(default_factory=dict[Path, _Module])
    tried: dict[str, DesiredAgent] = field(default_factory=dict[str, DesiredAgent])
    """What was last brought to each agent, whatever became of it."""
    again: set[str] = field(default_factory=set[str])
    """Agents whose module was built anew and for whom nothing has been said yet."""
    leaving: list[str] = field(default_factory=list[str])
    """Agents that are no longer in the configuration and still run."""
    stopped: set[str] = field(default_factory=set[str])
    """Agents that this loop stopped for that reason: they start again when they are back in it."""


class DevLoop:
    """One development loop on one project. `run` goes on until it is cancelled."""

    def __init__(
        self,
        folder: Path,
        sink: Sink,
        bring_up: BringUp,
        *,
        implied: bool = False,
        strategy: str = "direct",
        fresh_state: bool = False,
        gate: GateOptions | None = None,
        debounce_ms: int = DEBOUNCE_MS,
        clock: Clock | None = None,
    ) -> None:
        self._folder = folder.resolve()
        self._sink = sink
        self._bring_up = bring_up
        self._implied = implied
        self._strategy = strategy
        self._fresh_state = fresh_state
        self._gate = gate or GateOptions()
        self._debounce_ms = debounce_ms
        self._clock = clock or SystemClock()
        self._reloader = ConfigReloader(self._folder)
        self._state: _State | None = None
        self._answers = asyncio.Event()
        """Set while a daemon answers, as far as is known."""
        self._follower = DeploymentFollower(self._client, self._say, self._agents, self._offer_again)

    async def run(self) -> None:
        """Build, bring up, watch. Raises ConfigurationError or InvalidState where it cannot begin at all."""
        with project_lock(self._folder / ".caxton"):
            self._reloader = ConfigReloader(self._folder)
            project = load(self._folder)
            state = self._state = _State(project, targets(project))
            self._say(
                Began(
                    project=project.config.name,
                    folder=str(self._folder),
                    agents=list(project.config.agents),
                    implied=self._implied,
                )
            )
            try:
                async with watching(self._debounce_ms) as watch:
                    self._follow(watch, state)
                    await self._build_stale(state)
                    self._say(DaemonUp(started=await self._bring_up()))
                    async with asyncio.TaskGroup() as group:
                        group.create_task(self._listen(), name="decisions")
                        await self._deploy_changed(state, at_start=True)
                        self._follow(watch, state)
                        self._say(Watching(folders=watch.folders))
                        while True:
                            await self._catch_up(state)
                            self._follow(watch, state)
                            await watch.changed()
            finally:
                self._say(Ended())

    async def _catch_up(self, state: _State) -> None:
        """Build and deploy until nothing is behind what is on disk."""
        self._reload(state)
        while await self._build_stale(state):
            await self._deploy_changed(state)
            self._reload(state)
        await self._deploy_changed(state)
        await self._retire(state)

    # ------------------------------------------------------------------ builds

    async def _build_stale(self, state: _State) -> bool:
        """Build every target that something has changed for; whether there was any."""
        stale = [target for target in state.targets if target.inputs.changed()]
        room = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as group:
            for target in stale:
                group.create_task(self._build(state, target, room), name=f"build {target.module.name}")
        return bool(stale)

    async def _build(self, state: _State, target: Target, room: asyncio.Semaphore) -> None:
        if target.recipe is None:
            self._take_as_it_is(state, target)
            return
        async with room:
            started = BuildStarted(
                agents=target.agents, builder=target.recipe.builder, source=target.recipe.source
            )
            event, module = await build(target, self._folder, lambda: self._say(started))
        if isinstance(event, BuildFailed):
            event = msgspec.structs.replace(event, keeps=await self._keeps(target.agents))
        else:
            state.modules[target.module] = _Module(module, event.build_ms)
            state.again.update(target.agents)
        self._say(event)

    def _take_as_it_is(self, state: _State, target: Target) -> None:
        """A module that somebody else builds: read it as it stands."""
        try:
            with target.inputs.recorded():
                data = target.module.read_bytes()
        except OSError as error:
            reason = f"[agents.{target.agents[0]}] wasm: {target.module} cannot be read: {error.strerror}"
            self._say(ConfigurationFailed(reason=reason, hint="build it, or name its source"))
            return
        state.modules[target.module] = _Module(data)
        state.again.update(target.agents)

    async def _keeps(self, agents: list[str]) -> dict[str, str | None]:
        try:
            async with self._client() as caxton:
                return await keeps(caxton, agents)
        except (Unreachable, TimedOut):
            return dict.fromkeys(agents)

    # ------------------------------------------------------------------ deployments

    async def _deploy_changed(self, state: _State, *, at_start: bool = False) -> None:
        """Bring every agent to what it shall be, if that is something else than was tried last."""
        for target in state.targets:
            made = state.modules.get(target.module)
            if made is None:
                continue
            for agent in target.agents:
                desired = DesiredAgent.of(state.project, agent, made.data)
                if state.tried.get(agent) == desired and agent not in state.again:
                    continue
                saved = agent in state.again and not at_start
                build_ms = made.build_ms if agent in state.again else None
                state.tried[agent] = desired
                state.again.discard(agent)
                await self._deploy(desired, made.data, build_ms, at_start=at_start, saved=saved)
                if agent in state.stopped and desired.start:
                    state.stopped.discard(agent)
                    await self._start_again(desired)

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
            self._say(event)
            self._answers.set()
            if isinstance(event, AwaitingDecision):
                await self._follower.look()
        except (Unreachable, TimedOut) as lost:
            # somebody stopped it, or it died: one more start is what a person would try
            try:
                self._say(DaemonUp(started=await self._bring_up()))
                self._say(await self._ask(desired, module, build_ms, at_start=at_start, saved=saved))
            except CaxtonError as error:
                self._say(DaemonGone(reason=f"{lost.message}; {error.message}", hint=error.hint))

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
                modules=self._folder / ".caxton" / "modules",
                gate=self._gate,
            )

    @property
    def held(self) -> Mapping[str, AwaitingDecision]:
        """Builds that wait until somebody decides, by agent; the newest last."""
        return self._follower.held

    async def decide(self, agent: str, step: str) -> None:
        """Somebody accepts (`promote`) or drops (`abort`) the build of an agent that waits; nothing where none does."""
        await self._follower.decide(agent, step)

    async def _listen(self) -> None:
        """Hear what others decide, as long as there is a daemon to hear it from."""
        while True:
            try:
                await self._follower.follow()
            except (Unreachable, TimedOut):
                self._answers.clear()
                await self._answers.wait()

    def _agents(self) -> Collection[str]:
        return self._state.project.config.agents if self._state is not None else ()

    def _offer_again(self, agent: str) -> None:
        """The next look brings that agent its build, though nothing was saved."""
        if self._state is not None:
            self._state.again.add(agent)

    def _client(self) -> AsyncClient:
        return AsyncClient(socket_path(self._folder / ".caxton"), timeout=DEPLOY_S)

    # ------------------------------------------------------------------ the configuration

    def _reload(self, state: _State) -> None:
        """Take in a changed configuration; one that cannot be used is reported and changes nothing."""
        try:
            reloaded = self._reloader.reload(state.project, state.targets)
        except ConfigurationError as error:
            self._say(ConfigurationFailed(reason=error.message, hint=error.hint))
            return
        if reloaded is None:
            return
        state.project, state.targets = reloaded.project, reloaded.targets
        for name in reloaded.removed:
            state.tried.pop(name, None)
        named = reloaded.project.config.agents
        state.leaving = [name for name in [*state.leaving, *reloaded.removed] if name not in named]
        self._say(reloaded.event)

    async def _start_again(self, desired: DesiredAgent) -> None:
        """Start an agent that is back in the configuration, where its deployment has not done so."""
        try:
            async with self._client() as caxton:
                if (await caxton.agent(desired.agent))["state"] != "running":
                    await caxton.change_agent(desired.agent, "start")
                    self._say(Running(agent=desired.agent, revision=desired.revision, build_ms=None))
        except CaxtonError as error:
            self._say(
                ConfigurationFailed(reason=f"{desired.agent} did not start: {error.message}", hint=error.hint)
            )

    async def _retire(self, state: _State) -> None:
        """Stop agents that the configuration names no more, once they have handled what waits for them.

        They are not forgotten: that is for `caxton agent remove`.
        """
        while state.leaving:
            name = state.leaving.pop()
            try:
                async with self._client() as caxton:
                    await caxton.change_agent(name, "drain")
                state.stopped.add(name)
            except (AgentNotFound, Unreachable):
                # somebody removed it, or there is no daemon in which it could run
                continue
            except CaxtonError as error:
                self._say(
                    ConfigurationFailed(
                        reason=f"{name} could not be stopped: {error.message}", hint=error.hint
                    )
                )

    def _follow(self, watch: FolderWatcher, state: _State) -> None:
        folders = {self._folder}
        for target in state.targets:
            folders.update(target.inputs.folders())
        watch.follow(folders)

    def _say(self, event: Event) -> None:
        if isinstance(event, AwaitingDecision | Deployed | DeployFailed | Unchanged):
            self._follower.superseded(event.agent)
        if isinstance(event, AwaitingDecision):
            self._follower.waits(event)
        self._sink(msgspec.structs.replace(event, at_us=self._clock.now_us()))
