"""The engine: one way for every change of a revision, whoever asks for it (the API, caxton.toml, `caxton dev`).

In: a module's bytes and what the agent is to be told. Out: the deployment as it ended, or the error that kept the new
revision out; then the old one goes on.
"""

from __future__ import annotations

from typing import Any

import msgspec

from caxton.agents import AgentConfig, AgentRecord, Loaded, Revision, Running, Supervisor
from caxton.agents.registry import REMOVED
from caxton.bus import Bus
from caxton.cells import CellLost
from caxton.clock import Clock
from caxton.deploy import direct
from caxton.deploy.journey import DeploymentView, Journeys
from caxton.errors import CaxtonError, DeploymentError
from caxton.limits import Limits
from caxton.sandbox.compiler import Compiled, Compiler
from caxton.sandbox.profiles import Profile


class Engine:
    """What brings revisions to agents. `limits` are those of an agent that has none of its own."""

    def __init__(
        self, *, bus: Bus, agents: Supervisor, compiler: Compiler, clock: Clock, limits: Limits
    ) -> None:
        self._bus = bus
        self._agents = agents
        self._registry = agents.registry
        self._compiler = compiler
        self._clock = clock
        self._limits = limits
        self._journeys = Journeys(bus.journal, clock)

    async def deploy(
        self,
        name: str,
        wasm: bytes,
        *,
        wat: bool = False,
        settings: dict[str, Any] | None = None,
        limits: Limits | None = None,
        profile: str = "standard",
        strategy: str = "direct",
        recover: str = "snapshot",
    ) -> DeploymentView:
        """Bring a revision to an agent, new or running; it is journalled from its first step to its last.

        Raises DeploymentError (or InvalidModule, ResourceError) where the module does not work; then a new agent is
        not made, and an old one goes on with its old revision. The state of a running agent is carried over where
        the old revision has the snapshot hook and the new one the restore hook.
        """
        if strategy != "direct":
            raise DeploymentError(
                f"there is no strategy {strategy!r}", hint="direct is the one there is so far"
            )
        record = self._registry.agents.get(name)
        if record is not None:
            self._agents.claim(record, "deployed")
        try:
            began = self._clock.monotonic()
            compiled = await self._compiler.compile(wasm, Profile(profile), wat=wat)
            compile_ms = (self._clock.monotonic() - began) * 1000
            old = record.config if record is not None else AgentConfig(limits=self._limits)
            config = AgentConfig(
                limits=limits or old.limits,
                settings=old.settings if settings is None else settings,
                profile=profile,
                recover=recover,
            )
            if record is None:
                # another deployment of the same new name may have come first while this one compiled
                first = self._registry.agents.get(name)
                if first is not None:
                    # `record` only once it is ours: what we do not hold we must not let go
                    self._agents.claim(first, "deployed")
                record = first
            return await self._deploy(name, record, compiled, config, len(wasm), compile_ms, strategy)
        finally:
            if record is not None:
                record.busy = False

    async def is_current(
        self,
        record: AgentRecord,
        wasm: bytes,
        *,
        wat: bool,
        settings: dict[str, Any],
        limits: Limits,
        profile: str,
    ) -> bool:
        """Whether an agent is what these bytes and this configuration would make of it."""
        config = record.config
        if record.revision is None or (config.settings, config.limits, config.profile) != (
            settings,
            limits,
            profile,
        ):
            return False
        compiled = await self._compiler.compile(wasm, Profile(profile), wat=wat)
        return compiled.sha256 == record.revision.sha256

    async def _deploy(
        self,
        name: str,
        record: AgentRecord | None,
        compiled: Compiled,
        config: AgentConfig,
        size: int,
        compile_ms: float,
        strategy: str,
    ) -> DeploymentView:
        now = self._clock.now_us()
        revision = self._registry.revision(
            compiled.sha256, config.profile, size, compiled.module_path.name, now
        )
        fresh = record is None
        if record is None:
            record = self._registry.add(name, config, now)
            record.busy = True
        journey = self._journeys.begin(record, revision, strategy, compile_ms, cached=compiled.cached)
        self._registry.save(record, now)
        try:
            began = self._clock.monotonic()
            journey.move("deploying")
            if isinstance(record.life, Running):
                journey.memory, journey.pause_us = await direct.change(
                    self._agents, self._bus, self._clock, record, revision, config
                )
            else:
                await self._begin(record, revision, config)
            journey.load_ms = (self._clock.monotonic() - began) * 1000
        except (CaxtonError, CellLost) as error:
            reason = (
                error.message
                if isinstance(error, CaxtonError)
                else "the cell died while it loaded the module"
            )
            journey.move("failed", reason)
            if fresh:
                self._bus.endpoints.pop(record.endpoint.name, None)
                self._registry.drop(record)
                self._registry.save(record, self._clock.now_us(), state=REMOVED)
            self._bus.event(
                "deployment", agent=record.endpoint.name, body=msgspec.to_builtins(journey.view())
            )
            self._bus.settle()
            if isinstance(error, CaxtonError):
                raise
            raise DeploymentError(reason, hint="try again") from None
        journey.move("running")
        self._bus.event("deployment", agent=record.endpoint.name, body=msgspec.to_builtins(journey.view()))
        self._agents.changed(record, "deployed")
        record.busy = False
        return journey.view()

    async def _begin(self, record: AgentRecord, revision: Revision, config: AgentConfig) -> None:
        """The first revision of an agent, or one for an agent that does not run."""
        old = (record.revision, record.config, record.life)
        record.revision, record.config = revision, config
        record.life = Loaded(revision.sha256)
        record.endpoint.limits = config.limits
        try:
            await self._agents.instances.bring(
                record, self._agents.instances.place(), restore=record.snapshot is not None
            )
        except (CaxtonError, CellLost):
            record.revision, record.config, record.life = old
            record.endpoint.limits = old[1].limits
            raise
        record.endpoint.refusal = None
        self._bus.endpoints[record.endpoint.name] = record.endpoint
