"""The way of one deployment, from its first step to its last: what happens makes effects, effects make things happen.

In: an agent, where it is to be, by which strategy. Out: the deployment as it ended, or the error that kept the new
revision out. What happens next is said by the pure machine in `states`; here it is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from caxton import exact_numbers
from caxton.agents import AgentRecord
from caxton.cells import Cell, CellLost
from caxton.deploy.checks import STATIC, validate
from caxton.deploy.context import DeployContext
from caxton.deploy.engine.handovers import handover_of
from caxton.deploy.handover.handover import Handover
from caxton.deploy.handover.start import Start
from caxton.deploy.record import DeploymentRecord, DeploymentView
from caxton.deploy.replay_gate import DROPPED, SUPERSEDED, GateVerdict, ReplayGate, judge
from caxton.deploy.saved import SavedProgress
from caxton.deploy.states import Effect, Happening, ProbationFailed, Refused, Unchanged
from caxton.deploy.target import Target
from caxton.errors import CaxtonError, DeploymentError, InvalidState
from caxton.schemas.deployments import ASK_LIVE, DAEMON_STOPPED


class DeploymentRun:
    """One deployment under way. `answer` is told when the gate has stopped it and, unless the request says to wait,
    when both revisions live for longer than anybody waits."""

    def __init__(
        self,
        context: DeployContext,
        deployment: DeploymentRecord,
        answer: Callable[[DeploymentView], None],
        saved: SavedProgress | None = None,
    ) -> None:
        self.deployment = deployment
        self.handover: Handover = Start(context, deployment)
        self.released = False
        """Whether others may change the agent meanwhile."""
        self._context = context
        self._answer = answer
        self._saved = saved
        self._decision: asyncio.Future[str | None] | None = None
        """While the gate holds it: why it is dropped, `ASK_LIVE`, or None to let it go on."""
        self._asked_live: asyncio.Future[CaxtonError | None] | None = None
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
            self.handover.promote()

    def abort(self) -> None:
        """An operator says that the old revision is to go on."""
        if not self._decide(DROPPED):
            self.handover.abort()

    async def ask_live(self) -> DeploymentView:
        """An operator says that what the build asks anew is to be asked for real: it as it waits then, or as it ended
        where what came of that is good enough. Raises InvalidState where the gate does not hold it."""
        if not self.held:
            raise InvalidState(
                f"{self.deployment.id} does not wait", hint="only a build that waits can ask live"
            )
        if self._asked_live is None:
            self._asked_live = asyncio.get_running_loop().create_future()
            self._decide(ASK_LIVE)
        error = await asyncio.shield(self._asked_live)
        if error is not None:
            raise error
        return self.deployment.view() if self.held else await self.ended()

    def supersede(self) -> None:
        """A newer build came while this one waited."""
        self._decide(SUPERSEDED)

    def stop(self) -> None:
        """The daemon stops: come to an end soon."""
        self._stopping = True
        if not self._decide(DAEMON_STOPPED):
            self.handover.stop()

    async def go(self) -> DeploymentView:
        """From the first step to the last."""
        deployment, clock = self.deployment, self._context.clock
        happening: Happening | None = Unchanged()
        try:
            began = clock.monotonic()
            runs = deployment.agent.is_hosted
            if runs and _is_so(deployment.agent, deployment.target):
                deployment.leave_unchanged()
            else:
                if runs:
                    self.handover = self._handover()
                happening = await self._checked()
            deployment.loaded((clock.monotonic() - began) * 1000)
        except CaxtonError as error:
            happening = self._refuse(error)
        return await self._follow(happening)

    async def resume(self) -> DeploymentView:
        """After a restart of the daemon: put the new revision beside the old one again, and go on."""
        happening: Happening | None
        try:
            handover = self.handover = self._handover()
            await handover.check()
            await handover.change_over()
        except CaxtonError as error:
            reason = f"it could not go on after the daemon's restart: {readable(error).message}"
            happening = ProbationFailed(reason)
        else:
            self.deployment.save()
            happening = await self._watched()
        return await self._follow(happening)

    # ------------------------------------------------------------------ steps

    async def _checked(self) -> Happening:
        """The four steps of the validation, the gate, and then the instance itself."""
        deployment = self.deployment
        request = deployment.request
        deployment.checks.passed(
            STATIC, f"{len(request.wasm):,} bytes, profile {request.profile}", deployment.compile_ms
        )
        if not request.tried:
            await validate(
                deployment.checks,
                self._context.agents.instances,
                deployment.agent,
                self._cell(),
                deployment.target,
                probe=deployment.options.probe,
            )
        await self._through_the_gate()
        return await self.handover.check()

    async def _through_the_gate(self) -> None:
        """See what the agent's conversations are answered now; wait for an operator where that is not good enough."""
        deployment, context = self.deployment, self._context
        agent, gate = deployment.agent, deployment.request.gate
        if gate is None or agent.revision is None or agent.revision == deployment.target.revision:
            return
        verdict = await judge(gate, context.replayer, context.bus.journal.reader, agent, deployment.target)
        deployment.judged(verdict)
        if not verdict.stopped:
            return
        if self._stopping:
            raise DeploymentError(DAEMON_STOPPED)
        self._decision = asyncio.get_running_loop().create_future()
        deployment.wait(waits=True)
        # nobody is kept from the agent while this one waits
        self.released = True
        agent.release()
        while verdict.stopped:
            deployment.save()
            self.tell()
            self._answer(deployment.view())
            why = await self._decision
            if why is None:
                break
            if why != ASK_LIVE:
                deployment.wait(waits=False)
                raise DeploymentError(f"{why}: {verdict.reason}")
            verdict = await self._judged_live(gate) or verdict
            if verdict.stopped:
                self._answered_live(None)
        self._decision = None
        deployment.wait(waits=False)
        self._answered_live(None)
        if context.agents.registry.agents.get(agent.name) is not agent:
            raise DeploymentError(f"{agent.name} was removed while this waited")
        agent.claim("deployed")
        self.released = False
        self.handover = (
            handover_of(self._context, self.deployment, self._saved)
            if agent.is_hosted
            else Start(context, deployment)
        )

    async def _judged_live(self, gate: ReplayGate) -> GateVerdict | None:
        """Ask what the build asks anew, and judge what comes of it; None where that is not possible, or where it was
        decided meanwhile."""
        context, deployment = self._context, self.deployment
        decision = self._decision = asyncio.get_running_loop().create_future()
        reader = context.bus.journal.reader
        judging = asyncio.ensure_future(
            judge(gate, context.replayer, reader, deployment.agent, deployment.target, live=True)
        )
        try:
            await asyncio.wait((judging, decision), return_when=asyncio.FIRST_COMPLETED)
            if decision.done():
                return None
            verdict = judging.result()
        except CaxtonError as error:
            self._answered_live(error)
            return None
        finally:
            judging.cancel()
            await asyncio.gather(judging, return_exceptions=True)
        deployment.judged(verdict)
        return verdict

    def _answered_live(self, error: CaxtonError | None) -> None:
        if self._asked_live is not None:
            self._asked_live.set_result(error)
            self._asked_live = None

    def _decide(self, why: str | None) -> bool:
        """End the waiting, if it waits."""
        decision = self._decision
        if decision is None or decision.done():
            return False
        decision.set_result(why)
        return True

    def _cell(self) -> Cell:
        agent = self.deployment.agent
        if agent.is_hosted and agent.cell is not None:
            return agent.cell
        return self._context.agents.instances.place()

    def _handover(self) -> Handover:
        return handover_of(self._context, self.deployment, self._saved)

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
        handover, bus = self.handover, self._context.bus
        match effect:
            case Effect.SAVE:
                self.deployment.save()
            case Effect.TELL:
                self.tell()
            case Effect.CHANGE_OVER:
                bus.settle()
                return await handover.change_over()
            case Effect.WATCH:
                return await self._watched()
            case Effect.COMMIT:
                handover.commit()
            case Effect.BRING_BACK:
                await handover.bring_back()
            case Effect.DROP_NEW:
                await handover.drop_new()
            case Effect.RETIRE_OLD:
                return await handover.retire_old()
        return None

    async def _watched(self) -> Happening | None:
        if self._stopping:
            self.handover.stop()
        if self.handover.lasting and not self.deployment.request.wait:
            self._answer(self.deployment.view())
        return await self.handover.watch()

    def tell(self) -> None:
        """Tell the viewers where it stands."""
        bus = self._context.bus
        bus.event(
            "deployment",
            agent=self.deployment.agent.endpoint.name,
            body=exact_numbers.builtins(self.deployment.view()),
        )
        bus.settle()

    def _refuse(self, error: CaxtonError) -> Refused:
        self._refused = readable(error)
        return Refused(self._refused.message)


def _is_so(record: AgentRecord, target: Target) -> bool:
    """Whether an agent that runs is what is asked for already."""
    wanted = msgspec.structs.replace(target.config, desired=record.config.desired)
    return record.revision == target.revision and record.config == wanted and not target.fresh_state


class CellDied(DeploymentError):
    """Raised when the cell died while a revision was brought to it: that says nothing of the revision."""


def readable(error: CaxtonError) -> CaxtonError:
    """The error in words that say what to do."""
    if isinstance(error, CellLost):
        return CellDied("the cell died while the revision was brought to it", hint="try again")
    return error
