"""The way of one deployment, from its first step to its last: what happens makes effects, effects make things happen.

In: an agent, where it is to be, by which strategy. Out: the deployment as it ended, or the error that kept the new
revision out. What happens next is said by the pure machine in `states`; here it is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from caxton.agents import AgentRecord, Running, Suspended
from caxton.cells import Cell, CellLost
from caxton.deploy.checks import STATIC, validate
from caxton.deploy.handover.standby import SavedProgress
from caxton.deploy.handover.swap import Change, DeployContext
from caxton.deploy.options import DeploymentOptions
from caxton.deploy.record import DeploymentRecord, DeploymentView
from caxton.deploy.replay_gate import DROPPED, SUPERSEDED, ReplayGate, judge
from caxton.deploy.states import DAEMON_STOPPED, Effect, Happening, ProbationFailed, Refused, Unchanged
from caxton.deploy.strategies.blue_green import BlueGreen
from caxton.deploy.strategies.canary import Canary
from caxton.deploy.strategies.direct import Direct
from caxton.deploy.strategies.drain import Drain
from caxton.deploy.strategies.shadow import Shadow
from caxton.deploy.target import Target
from caxton.errors import CaxtonError, DeploymentError


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a deployment is to do, and by which rules."""

    record: AgentRecord
    target: Target
    deployment: DeploymentRecord
    options: DeploymentOptions
    static: str
    """What the static check found."""
    compile_ms: float = 0.0
    gate: ReplayGate | None = None
    saved: SavedProgress | None = None


class DeploymentRun:
    """One deployment under way. `on_live` is told when both revisions live for longer than anybody waits, `on_held`
    when the gate has stopped it."""

    def __init__(
        self,
        context: DeployContext,
        plan: RunPlan,
        on_live: Callable[[DeploymentView], None] | None,
        on_held: Callable[[DeploymentView], None] | None = None,
    ) -> None:
        self.deployment = plan.deployment
        self.change = Change(context, plan.record, plan.target, plan.deployment)
        self._context = context
        self._plan = plan
        self._on_live = on_live
        self._on_held = on_held
        self._decision: asyncio.Future[str | None] | None = None
        """While the gate holds it: why it is dropped, or None to let it go on."""
        self._stopping = False
        self._refused: CaxtonError | None = None
        self.over = asyncio.Event()
        """Set when it has ended, or goes on after the next start."""

    async def ended(self) -> DeploymentView:
        """It as it ended."""
        await self.over.wait()
        return self.deployment.view()

    @property
    def held(self) -> bool:
        """Whether the gate has stopped it and nothing was decided yet."""
        return self._decision is not None and not self._decision.done()

    def promote(self) -> None:
        """An operator says that the new revision is to stay, or to go in."""
        if not self._decide(None):
            self.change.promote()

    def abort(self) -> None:
        """An operator says that the old revision is to go on."""
        if not self._decide(DROPPED):
            self.change.abort()

    def supersede(self) -> None:
        """A newer build came while this one waited."""
        self._decide(SUPERSEDED)

    def stop(self) -> None:
        """The daemon stops: come to an end soon."""
        self._stopping = True
        if not self._decide(DAEMON_STOPPED):
            self.change.stop()

    async def go(self) -> DeploymentView:
        """From the first step to the last."""
        plan, clock = self._plan, self._context.clock
        happening: Happening | None
        try:
            began = clock.monotonic()
            if isinstance(plan.record.life, Running | Suspended):
                if _is_so(plan.record, plan.target):
                    plan.deployment.unchanged = True
                else:
                    self.change = self._handover()
            happening = Unchanged() if plan.deployment.unchanged else await self._checked()
            plan.deployment.load_ms = (clock.monotonic() - began) * 1000
        except CaxtonError as error:
            happening = self._refuse(error)
        return await self._follow(happening)

    async def resume(self) -> DeploymentView:
        """After a restart of the daemon: put the new revision beside the old one again, and go on."""
        deployment = self.deployment
        happening: Happening | None
        try:
            change = self.change = self._handover()
            await change.check()
            await change.change_over()
        except CaxtonError as error:
            happening = ProbationFailed(
                f"it could not go on after the daemon's restart: {readable(error).message}"
            )
        else:
            deployment.save()
            happening = await self._watched()
        return await self._follow(happening)

    # ------------------------------------------------------------------ steps

    async def _checked(self) -> Happening:
        """The four steps of the validation, the gate, and then the instance itself."""
        plan = self._plan
        plan.deployment.checks.passed(STATIC, plan.static, plan.compile_ms)
        await validate(
            plan.deployment.checks,
            self._context.agents.instances,
            plan.record,
            self._cell(),
            plan.target,
            probe=plan.options.probe,
        )
        await self._through_the_gate()
        return await self.change.check()

    async def _through_the_gate(self) -> None:
        """See what the agent's conversations are answered now; wait for an operator where that is not good enough."""
        plan, context = self._plan, self._context
        record, gate = plan.record, plan.gate
        if gate is None or record.revision is None or record.revision == plan.target.revision:
            return
        verdict = self.deployment.gate = await judge(
            gate, context.replayer, context.bus.journal.reader, record, plan.target
        )
        if not verdict.stopped:
            return
        if self._stopping:
            raise DeploymentError(DAEMON_STOPPED)
        self._decision = asyncio.get_running_loop().create_future()
        self.deployment.waits = True
        self.deployment.save()
        self.tell()
        # nobody is kept from the agent while this one waits
        self.deployment.released = True
        record.busy = False
        if self._on_held is not None:
            self._on_held(self.deployment.view())
        why = await self._decision
        self.deployment.waits = False
        if why is not None:
            raise DeploymentError(f"{why}: {verdict.reason}")
        if context.agents.registry.agents.get(record.name) is not record:
            raise DeploymentError(f"{record.name} was removed while this waited")
        context.agents.claim(record, "deployed")
        self.deployment.released = False
        runs = isinstance(record.life, Running | Suspended)
        self.change = self._handover() if runs else Change(context, record, plan.target, self.deployment)

    def _decide(self, why: str | None) -> bool:
        """End the waiting, if it waits."""
        decision = self._decision
        if decision is None or decision.done():
            return False
        decision.set_result(why)
        return True

    def _cell(self) -> Cell:
        record = self._plan.record
        runs = isinstance(record.life, Running | Suspended)
        return record.cell if runs and record.cell is not None else self._context.agents.instances.place()

    def _handover(self) -> Change:
        plan, context = self._plan, self._context
        record, target, deployment, options = plan.record, plan.target, plan.deployment, plan.options
        match deployment.strategy:
            case "canary":
                return Canary(context, record, target, deployment, options, plan.saved)
            case "shadow":
                return Shadow(context, record, target, deployment, options, plan.saved)
            case "blue-green" if options.drain:
                return Drain(context, record, target, deployment, options)
            case "blue-green":
                return BlueGreen(context, record, target, deployment, options.probation)
            case _:
                return Direct(context, record, target, deployment)

    async def _follow(self, happening: Happening | None) -> DeploymentView:
        while happening is not None:
            effects, happening = self.deployment.step(happening), None
            for effect in effects:
                try:
                    happening = await self._perform(effect) or happening
                except CaxtonError as error:
                    happening = self._refuse(error)
        if self._refused is not None:
            raise self._refused
        return self.deployment.view()

    async def _perform(self, effect: Effect) -> Happening | None:
        """Do what a step asks for; what came of it, where that makes the next step."""
        change, bus = self.change, self._context.bus
        match effect:
            case Effect.SAVE:
                self.deployment.save()
            case Effect.TELL:
                self.tell()
            case Effect.CHANGE_OVER:
                bus.settle()
                return await change.change_over()
            case Effect.WATCH:
                return await self._watched()
            case Effect.COMMIT:
                change.commit()
            case Effect.BRING_BACK:
                await change.bring_back()
            case Effect.DROP_NEW:
                await change.drop_new()
            case Effect.RETIRE_OLD:
                return await change.retire_old()
        return None

    async def _watched(self) -> Happening | None:
        if self._stopping:
            self.change.stop()
        if self._on_live is not None and self.change.lasting:
            self._on_live(self.deployment.view())
        return await self.change.watch()

    def tell(self) -> None:
        """Tell the viewers where it stands."""
        bus = self._context.bus
        bus.event(
            "deployment",
            agent=self.change.record.endpoint.name,
            body=msgspec.to_builtins(self.deployment.view()),
        )
        bus.settle()

    def _refuse(self, error: CaxtonError) -> Refused:
        self._refused = readable(error)
        return Refused(self._refused.message)


def _is_so(record: AgentRecord, target: Target) -> bool:
    """Whether an agent that runs is what is asked for already."""
    wanted = msgspec.structs.replace(target.config, desired=record.config.desired)
    return record.revision == target.revision and record.config == wanted and not target.fresh_state


def readable(error: CaxtonError) -> CaxtonError:
    """The error in words that say what to do."""
    if isinstance(error, CellLost):
        return DeploymentError("the cell died while the revision was brought to it", hint="try again")
    return error
