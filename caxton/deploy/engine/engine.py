"""The engine: one way for every change of a revision, whoever asks for it (the API, caxton.toml, `caxton dev`).

In: a module's bytes and what the agent is to be told. Out: the deployment as it ended, or the error that kept the new
revision out; then the old one goes on. What happens next is said by the pure machine in `states`; here it is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any

import structlog

from caxton.agents import AgentConfig, AgentRecord, Supervisor
from caxton.agents.life import state_name
from caxton.bus import Bus
from caxton.clock import Clock
from caxton.deploy.context import DeployContext
from caxton.deploy.engine.records import DeploymentRecords
from caxton.deploy.engine.resume import InterruptedDeployments
from caxton.deploy.engine.rollback import rollback_target
from caxton.deploy.engine.run import DeploymentRun
from caxton.deploy.options import DeploymentOptions
from caxton.deploy.plan import Plan, plan_of
from caxton.deploy.record import DeploymentRecord, DeploymentView
from caxton.deploy.request import SIDE_BY_SIDE, DeploymentRequest
from caxton.deploy.saved import SavedProgress
from caxton.deploy.target import Target
from caxton.errors import AgentExists, CaxtonError, Changed, DeploymentError, InvalidState
from caxton.journal import DeploymentRow
from caxton.limits import Limits
from caxton.replay import Replayer
from caxton.sandbox.compile.compiler import Compiled, Compiler
from caxton.sandbox.profiles import Profile

log = structlog.get_logger("caxton.deploy")


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
        self._agents = agents
        self._registry = agents.registry
        self._compiler = compiler
        self._clock = clock
        self._limits = limits
        self.options = options or DeploymentOptions()
        """How a deployment goes of which nothing else was said."""
        self._deployments = DeploymentRecords(bus.journal, clock)
        self.interrupted = InterruptedDeployments(self._deployments, agents, self._resume)
        """Takes up, after a start, what the daemon's last end interrupted."""
        self._under_way: dict[str, DeploymentRun] = {}
        """Deployments by id."""
        self._idle = asyncio.Event()
        self._idle.set()
        self._closing = False

    async def deploy(self, request: DeploymentRequest) -> DeploymentView:
        """Bring a revision to an agent, new or running; it is journalled from its first step to its last.

        Returns the deployment when it has ended: running, or rolled_back where the new revision was not good enough;
        unless the request says to wait, one in which both revisions live for long as soon as they do. Raises
        DeploymentError (or InvalidModule, ResourceError) where the module does not work; then a new agent is not made,
        and an old one goes on with its old revision. The state of a running agent is carried over where the old
        revision has the snapshot hook and the new one the restore hook, unless a fresh state is asked for. An agent
        that runs exactly this already is left alone. A build that a gate stops is returned as it waits, validating;
        the next deployment to that agent ends the waiting.
        """
        if self._closing:
            raise _stops()
        self._can_compare(request)
        request = self._complete(request)
        await self._make_way(request.agent)
        agent = self._registry.agents.get(request.agent)
        if agent is not None:
            # its memory is what the new build is to take over
            await agent.back()
        if request.instead_of is not None:
            present = agent.revision.sha256 if agent is not None and agent.revision is not None else None
            if present not in request.instead_of:
                raise Changed(
                    f"{request.agent} has another revision by now", hint="look at it again", revision=present
                )
        claimed = self._claimed(request.agent)
        told: asyncio.Future[DeploymentView] = asyncio.get_running_loop().create_future()
        # beside whoever asked: a change is not left half way because its asker went away
        self._agents.spawn(_tell(self._work(request, claimed, told), told))
        try:
            return await told
        finally:
            # else a refusal would hold itself by this frame, and the module with it
            del told

    async def plan(self, request: DeploymentRequest) -> Plan:
        """What `deploy` with the same request would change. The module is compiled, and nothing else is done.

        Raises InvalidModule where it does not pass the static check.
        """
        agent = self._registry.agents.get(request.agent)
        compiled = await self._compiler.compile(request.wasm, Profile(request.profile), wat=request.wat)
        return plan_of(self._complete(request), agent, self._config(request, agent), compiled.sha256)

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

    async def ask_live(self, id: str) -> DeploymentView:
        """The operator says that what a build that waits asks anew is to be asked for real, and judged by what comes of
        it; the deployment as it waits then, or when it has ended. Raises InvalidState where it does not wait."""
        return await self._found(id).ask_live()

    def live(self, id: str) -> DeploymentView | None:
        """A deployment under way as it is at this moment; None for one that has ended."""
        run = self._under_way.get(id)
        return run.deployment.view() if run is not None else None

    async def _make_way(self, name: str) -> None:
        """What waits for that agent waits no longer."""
        for run in list(self._under_way.values()):
            if run.held and run.deployment.agent.name == name:
                run.supersede()
                await run.over.wait()

    def _complete(self, request: DeploymentRequest) -> DeploymentRequest:
        """The request with the project's options where it has none."""
        return replace(request, options=request.options or self.options)

    def _can_compare(self, request: DeploymentRequest) -> None:
        """InvalidState for a strategy that puts the new revision beside the old one, where that does not run."""
        agent = self._registry.agents.get(request.agent)
        if agent is None or agent.revision is None or request.strategy not in SIDE_BY_SIDE:
            return
        if not agent.is_hosted:
            raise InvalidState(
                f"{agent.name} is {state_name(agent.life)}: a {request.strategy} needs the old revision at work, "
                "to compare with it",
                hint=f"start it first: caxton agent start {agent.name}; or deploy with --strategy direct",
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
        agent, before, config = rollback_target(row, self._registry)
        return await self.deploy(
            DeploymentRequest(
                agent.name,
                await self._compiler.wasm(before.sha256),
                settings=config.settings,
                limits=config.limits,
                profile=config.profile,
                recover=config.recover,
                takes_back=row.id,
            )
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
            record.claim("deployed")
        return record

    async def _work(
        self,
        request: DeploymentRequest,
        claimed: AgentRecord | None,
        told: asyncio.Future[DeploymentView],
    ) -> DeploymentView:
        run: DeploymentRun | None = None
        try:
            began = self._clock.monotonic()
            try:
                compiled = await self._compiler.compile(
                    request.wasm, Profile(request.profile), wat=request.wat
                )
            except CaxtonError as error:
                if claimed is not None:
                    self._deployments.refused(request, claimed, error)
                raise
            compile_ms = (self._clock.monotonic() - began) * 1000
            if self._closing:
                raise _stops()
            # another deployment of the same new name may have come first while this one compiled
            claimed = agent = claimed or self._claimed(request.agent)
            if agent is not None and agent.revision is not None and request.is_new:
                raise AgentExists(f"there is an agent {agent.name} here already")
            target = self._target(request, agent, compiled)
            if agent is None:
                claimed = agent = self._registry.add(request.agent, target.config, self._clock.now_us())
                agent.claim("deployed")
            deployment = self._deployments.begin(
                request, agent, target, compile_ms=compile_ms, cached=compiled.cached
            )
            self._registry.save(agent, self._clock.now_us())
            run = DeploymentRun(self._context, deployment, partial(_answer, told))
            return await self._under(run, run.go())
        finally:
            if claimed is not None and not (run is not None and run.released):
                claimed.release()

    def _config(self, request: DeploymentRequest, agent: AgentRecord | None) -> AgentConfig:
        return request.config(agent.config if agent is not None else AgentConfig(limits=self._limits))

    def _target(self, request: DeploymentRequest, agent: AgentRecord | None, compiled: Compiled) -> Target:
        config = self._config(request, agent)
        revision = self._registry.revision(
            compiled.sha256,
            config.profile,
            len(request.wasm),
            compiled.module_path.name,
            self._clock.now_us(),
        )
        return Target(revision, config, request.fresh_state)

    async def _resume(
        self, deployment: DeploymentRecord, answer: Callable[[DeploymentView], None], saved: SavedProgress
    ) -> DeploymentView:
        run = DeploymentRun(self._context, deployment, answer, saved)
        return await self._under(run, run.resume())

    async def _under(self, run: DeploymentRun, work: Coroutine[Any, Any, DeploymentView]) -> DeploymentView:
        """Do the work of that run, and keep it among those under way meanwhile."""
        deployment = run.deployment
        self._under_way[deployment.id] = run
        self._idle.clear()
        try:
            return await work
        finally:
            run.over.set()
            deployment.agent.compared_by(None)
            del self._under_way[deployment.id]
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
