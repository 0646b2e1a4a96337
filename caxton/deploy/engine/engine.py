"""The engine: one way for every change of a revision, whoever asks for it (the API, caxton.toml, `caxton dev`).

In: a module's bytes and what the agent is to be told. Out: the deployment as it ended, or the error that kept the new
revision out; then the old one goes on. What happens next is said by the pure machine in `states`; here it is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import msgspec
import structlog

from caxton.agents import AgentConfig, AgentRecord, Running, Supervisor, Suspended
from caxton.agents.life import state_name
from caxton.agents.registry import RUNNING, SUSPENDED
from caxton.bus import Bus
from caxton.clock import Clock
from caxton.deploy.engine.resume import InterruptedDeployments
from caxton.deploy.engine.rollback import rollback_target
from caxton.deploy.engine.run import DeploymentRun, RunPlan
from caxton.deploy.handover.swap import DeployContext
from caxton.deploy.options import DeploymentOptions, Probation
from caxton.deploy.plan import Plan, plan_of
from caxton.deploy.record import LASTING, DeploymentRecord, DeploymentRecords, DeploymentView, Origin
from caxton.deploy.replay_gate import ReplayGate
from caxton.deploy.target import Target
from caxton.errors import CaxtonError, DeploymentError, InvalidState
from caxton.journal import DeploymentRow
from caxton.limits import Limits
from caxton.replay import Replayer
from caxton.sandbox.compiler import Compiled, Compiler
from caxton.sandbox.profiles import Profile

STRATEGIES: Final = ("direct", "blue-green", "canary", "shadow")

log = structlog.get_logger("caxton.deploy")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for, as `Engine.deploy` takes it."""

    name: str
    wasm: bytes
    wat: bool
    settings: dict[str, Any] | None
    limits: Limits | None
    profile: str
    strategy: str
    recover: str
    fresh_state: bool
    options: DeploymentOptions
    wait: bool
    gate: ReplayGate | None
    configured: bool = False
    takes_back: str | None = None


class Engine:
    """What brings revisions to agents. `limits` are those of an agent that has none of its own."""

    def __init__(
        self,
        *,
        bus: Bus,
        agents: Supervisor,
        compiler: Compiler,
        replayer: Replayer,
        clock: Clock,
        limits: Limits,
        options: DeploymentOptions | None = None,
    ) -> None:
        self._context = DeployContext(bus, agents, clock, replayer)
        self._bus = bus
        self._agents = agents
        self._registry = agents.registry
        self._compiler = compiler
        self._clock = clock
        self._limits = limits
        self.options = options or DeploymentOptions()
        """How a deployment goes of which nothing else was said."""
        self._deployments = DeploymentRecords(bus.journal, clock)
        self.interrupted = InterruptedDeployments(self._deployments, agents, self._run)
        """Takes up, after a start, what the daemon's last end interrupted."""
        self._under_way: dict[str, DeploymentRun] = {}
        """Deployments by id."""
        self._idle = asyncio.Event()
        self._idle.set()
        self._closing = False

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
        recover: str = "replay",
        fresh_state: bool = False,
        probation: Probation | None = None,
        options: DeploymentOptions | None = None,
        wait: bool = True,
        gate: ReplayGate | None = None,
        configured: bool = False,
        takes_back: str | None = None,
    ) -> DeploymentView:
        """Bring a revision to an agent, new or running; it is journalled from its first step to its last.

        Returns the deployment when it has ended: running, or rolled_back where the new revision was not good enough;
        without `wait`, one in which both revisions live for long as soon as they do. Raises DeploymentError (or
        InvalidModule, ResourceError) where the module does not work; then a new agent is not made, and an old one goes
        on with its old revision. The state of a running agent is carried over where the old revision has the snapshot
        hook and the new one the restore hook, unless `fresh_state`. Settings and limits that are None stay as they
        are. An agent that runs exactly this already is left alone. With a `gate` a build that it stops is returned as
        it waits, validating; the next deployment to that agent ends the waiting. `configured`: it is what caxton.toml
        says, which a start of the daemon does not say twice; `takes_back`: the deployment that it undoes.
        """
        if strategy not in STRATEGIES:
            raise DeploymentError(
                f"there is no strategy {strategy!r}", hint=f"there are: {', '.join(STRATEGIES)}"
            )
        if self._closing:
            raise _stops()
        self._can_compare(name, strategy)
        options = options or self.options
        if probation is not None:
            options = msgspec.structs.replace(options, probation=probation)
        wanted = Wanted(
            name,
            wasm,
            wat,
            settings,
            limits,
            profile,
            strategy,
            recover,
            fresh_state,
            options,
            wait,
            gate,
            configured,
            takes_back,
        )
        await self._make_way(name)
        claimed = self._claimed(name)
        told: asyncio.Future[DeploymentView] = asyncio.get_running_loop().create_future()
        # beside whoever asked: a change is not left half way because its asker went away
        self._agents.spawn(_tell(self._work(wanted, claimed, told), told))
        try:
            return await told
        finally:
            # else a refusal would hold itself by this frame, and the module with it
            del told

    async def plan(
        self,
        name: str,
        wasm: bytes,
        *,
        wat: bool = False,
        settings: dict[str, Any] | None = None,
        limits: Limits | None = None,
        profile: str = "standard",
        strategy: str = "direct",
        recover: str = "replay",
        options: DeploymentOptions | None = None,
    ) -> Plan:
        """What `deploy` with the same arguments would change. The module is compiled, and nothing else is done.

        Raises InvalidModule where it does not pass the static check.
        """
        record = self._registry.agents.get(name)
        compiled = await self._compiler.compile(wasm, Profile(profile), wat=wat)
        old = record.config if record is not None else None
        config = self._config(old, settings, limits, profile, recover)
        return plan_of(name, record, config, compiled.sha256, strategy, options or self.options)

    async def promote(self, id: str) -> DeploymentView:
        """The operator says that the new revision is to take over now; the deployment when it has ended.

        Raises InvalidState where nothing is to be decided."""
        run = self._found(id)
        run.promote()
        return await run.ended()

    async def abort(self, id: str) -> DeploymentView:
        """The operator says that the old revision is to go on alone; the deployment when it has ended.

        Raises InvalidState where nothing is to be decided."""
        run = self._found(id)
        run.abort()
        return await run.ended()

    def live(self, id: str) -> DeploymentView | None:
        """A deployment under way as it is at this moment; None for one that has ended."""
        run = self._under_way.get(id)
        return run.deployment.view() if run is not None else None

    async def _make_way(self, name: str) -> None:
        """What waits for that agent waits no longer."""
        for run in list(self._under_way.values()):
            if run.held and run.change.record.name == name:
                run.supersede()
                await run.over.wait()

    def _can_compare(self, name: str, strategy: str) -> None:
        """InvalidState for a strategy that puts the new revision beside the old one, where that does not run."""
        record = self._registry.agents.get(name)
        if record is None or record.revision is None or strategy not in LASTING:
            return
        if not isinstance(record.life, Running | Suspended):
            raise InvalidState(
                f"{name} is {state_name(record.life)}: a {strategy} needs the old revision at work, to compare with it",
                hint=f"start it first: caxton agent start {name}; or deploy with --strategy direct",
            )

    def _found(self, id: str) -> DeploymentRun:
        run = self._under_way.get(id)
        if run is None:
            raise InvalidState(f"{id} is not under way", hint=f"see: caxton deploy status {id}")
        return run

    async def rollback(self, row: DeploymentRow) -> DeploymentView:
        """Undo a deployment: the revision before it, with the settings and limits of then, by the same engine.

        Raises InvalidState where the agent has moved on since, or where there was nothing before.
        """
        record, before, config = rollback_target(row, self._registry)
        return await self.deploy(
            record.name,
            await self._compiler.wasm(before.sha256),
            settings=config.settings,
            limits=config.limits,
            profile=config.profile,
            recover=config.recover,
            takes_back=row.id,
        )

    async def close(self) -> None:
        """Take no more, and bring every deployment under way to its end or to where it goes on after the next start."""
        self._closing = True
        for run in list(self._under_way.values()):
            run.stop()
        await self._idle.wait()

    # ------------------------------------------------------------------ one deployment

    def _claimed(self, name: str) -> AgentRecord | None:
        record = self._registry.agents.get(name)
        if record is not None:
            self._agents.claim(record, "deployed")
        return record

    async def _work(
        self, wanted: Wanted, claimed: AgentRecord | None, told: asyncio.Future[DeploymentView]
    ) -> DeploymentView:
        deployment: DeploymentRecord | None = None
        try:
            began = self._clock.monotonic()
            try:
                compiled = await self._compiler.compile(wanted.wasm, Profile(wanted.profile), wat=wanted.wat)
            except CaxtonError as error:
                if claimed is not None:
                    self._deployments.refused(claimed, wanted.wasm, wanted.strategy, error)
                raise
            compile_ms = (self._clock.monotonic() - began) * 1000
            if self._closing:
                raise _stops()
            # another deployment of the same new name may have come first while this one compiled
            claimed = record = claimed or self._claimed(wanted.name)
            config = self._config(
                record.config if record is not None else None,
                wanted.settings,
                wanted.limits,
                wanted.profile,
                wanted.recover,
            )
            target = self._target(compiled, config, len(wanted.wasm), fresh_state=wanted.fresh_state)
            if record is None:
                claimed = record = self._registry.add(wanted.name, config, self._clock.now_us())
                record.busy = True
            deployment = self._deployments.begin(
                record,
                target.revision,
                wanted.strategy,
                compile_ms,
                cached=compiled.cached,
                origin=Origin(
                    offered=config if wanted.configured else None,
                    takes_back=wanted.takes_back,
                    gated=wanted.gate is not None,
                ),
            )
            self._registry.save(record, self._clock.now_us())
            static = f"{len(wanted.wasm):,} bytes, profile {wanted.profile}"
            plan = RunPlan(record, target, deployment, wanted.options, static, compile_ms, wanted.gate)
            answer = partial(_answer, told)
            return await self._run(plan, None if wanted.wait else answer, on_held=answer)
        finally:
            if claimed is not None and not (deployment is not None and deployment.released):
                claimed.busy = False

    def _config(
        self,
        old: AgentConfig | None,
        settings: dict[str, Any] | None,
        limits: Limits | None,
        profile: str,
        recover: str,
    ) -> AgentConfig:
        """What the agent is to be told; what was not said stays as it is."""
        old = old or AgentConfig(limits=self._limits)
        return AgentConfig(
            limits=limits or old.limits,
            settings=old.settings if settings is None else settings,
            profile=profile,
            recover=recover,
            # a suspended agent gets its revision and goes on waiting; a stopped one is started by it
            desired=SUSPENDED if old.desired == SUSPENDED else RUNNING,
        )

    def _target(self, compiled: Compiled, config: AgentConfig, size: int, *, fresh_state: bool) -> Target:
        revision = self._registry.revision(
            compiled.sha256, config.profile, size, compiled.module_path.name, self._clock.now_us()
        )
        return Target(revision, config, fresh_state)

    async def _run(
        self,
        plan: RunPlan,
        on_live: Callable[[DeploymentView], None] | None,
        *,
        on_held: Callable[[DeploymentView], None] | None = None,
        again: bool = False,
    ) -> DeploymentView:
        plan.deployment.goes_on_with = {
            "terms": msgspec.to_builtins(plan.options),
            "config": msgspec.to_builtins(plan.target.config),
            "fresh_state": plan.target.fresh_state,
        }
        run = self._under_way[plan.deployment.id] = DeploymentRun(self._context, plan, on_live, on_held)
        self._idle.clear()
        try:
            return await (run.resume() if again else run.go())
        finally:
            run.over.set()
            plan.record.deployment = None
            del self._under_way[plan.deployment.id]
            if not self._under_way:
                self._idle.set()


def _answer(told: asyncio.Future[DeploymentView], view: DeploymentView) -> None:
    if not told.done():
        told.set_result(view)


def _stops() -> InvalidState:
    return InvalidState("nothing is deployed any more: the daemon stops")


async def _tell(work: Coroutine[Any, Any, DeploymentView], told: asyncio.Future[DeploymentView]) -> None:
    """Do the work, and tell whoever still waits for it how it ended."""
    try:
        view = await work
    except CaxtonError as error:
        if not told.done():
            # without the frames that it came through: they hold the future, and it would hold itself
            told.set_exception(error.with_traceback(None))
    else:
        if not told.done():
            told.set_result(view)
    finally:
        if not told.done():
            told.set_exception(DeploymentError("the deployment met a defect", hint="the daemon's log has it"))
