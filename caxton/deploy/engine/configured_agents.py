"""The agents of caxton.toml when the daemon starts: each is offered what stands at its `wasm`.

In: a project, and the agents that came back. Out: every agent of the project, running or failed with its reason. One
that still recovers gets its build when it is back, and keeps no other waiting; one whose cell died meanwhile is offered
it again, after a wait that grows.
"""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from caxton.agents import AgentConfig, Supervisor
from caxton.config import Project
from caxton.deploy.engine.configured_builds import ConfiguredBuilds
from caxton.deploy.engine.run import CellDied
from caxton.deploy.request import DeploymentRequest
from caxton.errors import CaxtonError, ConfigurationError, InvalidModule
from caxton.sandbox.python.runtime import packed

AT_ONCE: Final = 16
"""Agents that are brought what they are to be at the same time: their rows share commits."""

log = structlog.get_logger("caxton")


class ConfiguredAgents:
    """Brings them what `builds` lets in."""

    def __init__(self, project: Project, agents: Supervisor, builds: ConfiguredBuilds) -> None:
        self._project = project
        self._agents = agents
        self._builds = builds
        self._at_once = asyncio.Semaphore(AT_ONCE)

    async def deploy(self, *, await_builds: bool = False) -> None:
        """Offer every agent what caxton.toml says of it; what is so already stays as it is, and what was refused before
        stays outside. With `await_builds` nothing is offered: whoever started the daemon builds the modules, and brings
        each agent its own when it is ready.
        """
        known = dict(self._agents.registry.agents)
        for name in self._project.config.agents:
            if name not in known:
                # they may write to each other as soon as the first is there
                with contextlib.suppress(ConfigurationError):
                    self._agents.expect(name, self._told(name), unbuilt=await_builds)
        if await_builds:
            return
        async with asyncio.TaskGroup() as offers:
            for name in self._project.config.agents:
                record = known.get(name)
                if record is not None and record.recovery is not None:
                    self._agents.spawn(self._offer(name))
                else:
                    offers.create_task(self._one_of_some(name))

    async def _one_of_some(self, name: str) -> None:
        async with self._at_once:
            await self._offer(name)

    def _told(self, name: str) -> AgentConfig:
        table, limits = self._project.config.agents[name], self._project.config.limits_of(name)
        return AgentConfig(
            limits=limits, settings=table.settings, profile=table.profile, recover=table.recover
        )

    async def _offer(self, name: str) -> None:
        table = self._project.config.agents[name]
        path = self._project.module(name)
        try:
            wasm = await asyncio.to_thread(_read, path)
            request = DeploymentRequest(
                name,
                packed(path, wasm) if path.suffix == ".py" else wasm,
                wat=path.suffix == ".wat",
                settings=table.settings,
                limits=self._project.config.limits_of(name),
                profile=table.profile,
                recover=table.recover,
                configured=True,
            )
            brought = await self._builds.apply(request, file=table.wasm)
            if brought and not table.start:
                await self._agents.stop(name)
        except CaxtonError as error:
            log.error("agent could not be deployed", agent=name, reason=error.message, hint=error.hint)
            again = partial(self._offer, name) if isinstance(error, CellDied) else None
            self._agents.did_not_start(name, self._told(name), error.message, again)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        why = f"{path} cannot be read: {error.strerror}"
        raise InvalidModule(why, hint="build it, or correct its path") from None
