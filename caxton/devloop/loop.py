"""The loop: wait until something is saved, build what that concerns, bring it to the daemon, say so.

In: a project's folder, a way to get a daemon up, and a sink for events. It promises: everything is built once at the
start, while the daemon comes up, and each agent runs as soon as its own module is there; only what changed is built
again, side by side with what is built already; a build that a newer save has overtaken is ended and begun anew; what
fails leaves everything as it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from caxton.clock import Clock, SystemClock
from caxton.devloop.builders.build import Builds
from caxton.devloop.config_reload import ConfigReloader
from caxton.devloop.deployer import GateOptions
from caxton.devloop.events import AwaitingDecision, Began, ConfigurationFailed, Ended, Event, Sink, Watching
from caxton.devloop.lock import project_lock
from caxton.devloop.rollout import BringUp, Rollout
from caxton.devloop.watch.watcher import watching
from caxton.errors import ConfigurationError

DEBOUNCE_MS: Final = 60


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
        self._implied = implied
        self._debounce_ms = debounce_ms
        self._clock = clock or SystemClock()
        self._rollout = Rollout(
            self._folder,
            self._say,
            bring_up,
            strategy=strategy,
            fresh_state=fresh_state,
            gate=gate or GateOptions(),
        )
        self._builds = Builds(self._folder, self._say, self._rollout.running)
        self._starting: set[str] = set()
        """Agents whose first build has not ended, or has and was not brought to them yet."""

    async def run(self) -> None:
        """Build, bring up, watch. Raises ConfigurationError or InvalidState where it cannot begin at all."""
        with project_lock(self._folder / ".caxton"):
            configured = ConfigReloader(self._folder)
            self._rollout.configure(configured.project)
            self._say(
                Began(
                    project=configured.project.config.name,
                    folder=str(self._folder),
                    agents=list(configured.project.config.agents),
                    implied=self._implied,
                )
            )
            try:
                async with watching(self._debounce_ms) as watch, asyncio.TaskGroup() as group:
                    watch.follow(configured.folders())
                    await self._builds.begin(group, configured.targets, watch.wake)
                    await self._rollout.start_daemon()
                    group.create_task(self._rollout.listen(), name="decisions")
                    self._starting.update(configured.project.config.agents)
                    all_there = False
                    while True:
                        await self._catch_up(group, configured, watch.wake)
                        watch.follow(configured.folders())
                        if not self._starting and not all_there:
                            all_there = True
                            self._say(Watching(folders=watch.folders))
                        await watch.changed()
            finally:
                self._say(Ended())

    async def _catch_up(
        self, group: asyncio.TaskGroup, configured: ConfigReloader, wake: Callable[[], None]
    ) -> None:
        """Begin to build what is behind what is on disk, and deploy what has been built."""
        self._reload(configured)
        await self._builds.begin(group, configured.targets, wake)
        await self._deploy(configured)
        await self._rollout.retire()

    def _reload(self, configured: ConfigReloader) -> None:
        """Take in a changed configuration; one that cannot be used is reported and changes nothing."""
        try:
            event = configured.reload()
        except ConfigurationError as error:
            self._say(ConfigurationFailed(reason=error.message, hint=error.hint))
            return
        if event is not None:
            self._rollout.configure(configured.project, event.removed)
            self._say(event)

    async def _deploy(self, configured: ConfigReloader) -> None:
        first, built = self._builds.unsaved(), self._builds.take_built()
        await self._rollout.deploy_changed(
            configured.targets, self._builds.modules, built, at_start=self._starting
        )
        self._starting &= first - built

    @property
    def held(self) -> Mapping[str, AwaitingDecision]:
        """Builds that wait until somebody decides, by agent; the newest last."""
        return self._rollout.held

    async def decide(self, agent: str, step: str) -> None:
        """Somebody accepts (`promote`) or drops (`abort`) the build of an agent that waits; nothing where none does."""
        await self._rollout.decide(agent, step)

    def _say(self, event: Event) -> None:
        self._sink(msgspec.structs.replace(event, at_us=self._clock.now_us()))
