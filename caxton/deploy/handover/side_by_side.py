"""Two live revisions of one agent, whatever for: how they are measured, and how one of the two takes over and the other
one goes. How the new one comes to stand there is said in `standby`, what decides between them by a policy.

In: what a `DualRun` hears. Out: a verdict, and an agent that is one of the two again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Final

from caxton.bus import Envelope
from caxton.cells import CellLost
from caxton.clock import Alarm
from caxton.deploy.context import DeployContext
from caxton.deploy.handover.countdown import Countdown
from caxton.deploy.handover.handover import Handover
from caxton.deploy.handover.new_instance import NewInstance
from caxton.deploy.handover.open_conversations import under_way
from caxton.deploy.handover.standby import DIED, Standby
from caxton.deploy.record import DeploymentRecord
from caxton.deploy.saved import Kept, SavedProgress
from caxton.deploy.states import ABORTED, ChangedOver, Checked, Drained, Happening, Passed, ProbationFailed
from caxton.deploy.strategies.conversation_routing import ConversationRouting
from caxton.deploy.strategies.policy import Policy, Verdict
from caxton.deploy.strategies.revision_metrics import ComparedMetrics, PendingTurn
from caxton.errors import CaxtonError, DeploymentError
from caxton.ids import call_origin
from caxton.journal import OwnTurn

BREAKDOWNS: Final = 5
WITHIN_S: Final = 30.0
"""The sixth breakdown of a new revision within so many seconds is its last."""
NOTE_S: Final = 5.0


class SideBySide(Handover):
    """Both revisions handle every message; the policy says whose words are said, and when it is over."""

    lasting = True

    def __init__(
        self,
        context: DeployContext,
        deployment: DeploymentRecord,
        policy: Policy,
        saved: SavedProgress | None = None,
    ) -> None:
        super().__init__(context, deployment)
        self.policy = policy
        self.instance = NewInstance(context, deployment)
        self.standby = Standby(context, deployment, self.instance, self, saved)
        self.metrics = saved.kept.metrics if saved else ComparedMetrics()
        self._saved = saved
        left_s = float((saved.progress if saved else {}).get("left_s", policy.countdown_s))
        self._countdown = Countdown(context.clock, self._expired, left_s)
        self._verdict: asyncio.Future[Verdict | None] = asyncio.get_running_loop().create_future()
        self._fallen: deque[float] = deque(maxlen=BREAKDOWNS)
        self._notes: Alarm | None = None
        deployment.follow(self)

    # ------------------------------------------------------------------ as a handover

    async def check(self) -> Happening:
        """Load the new revision and give it a past, where it is not to take the old one's state."""
        await self.standby.load()
        return Checked()

    async def change_over(self) -> Happening:
        """The new revision takes its place beside the old one, which goes on without a pause."""
        if self.policy.routing is not None:
            await self._keep_routing(self.policy.routing)
        try:
            await self.standby.join()
        except DeploymentError:
            await self.bring_back()
            raise
        self.agent.compared_by(self.deployment.id)
        self._note()
        self._countdown.start()
        return ChangedOver(on_probation=True)

    async def watch(self) -> Happening | None:
        """Wait until it is decided; None where the daemon stops and this is to go on after its next start."""
        verdict = await self._verdict
        self._countdown.stop()
        if self._notes is not None:
            self._notes.cancel()
        try:
            if isinstance(verdict, Passed):
                await self.passed()
            elif verdict is None:
                await self.bring_back()
                await self.drop_new()
                self.deployment.save()
        except CaxtonError as error:
            return ProbationFailed(error.message)
        return verdict

    async def passed(self) -> None:
        """The new revision is good: it is the agent from now on."""
        await self.take_alone()

    def commit(self) -> None:
        """The new revision is the agent's own from now on, also after a restart."""
        self.instance.adopt()
        self.standby.mark()
        super().commit()

    async def bring_back(self) -> None:
        """The old revision goes on alone; it has handled everything that the new one has."""
        dual_run = self.standby.dual_run
        if dual_run is None or self.standby.gone():
            return
        agent, endpoint = self.agent, self.agent.endpoint
        async with agent.changing:
            was_open, breaks = endpoint.open, dual_run.old_breaks
            endpoint.shut()
            dual_run.unseat()
            await dual_run.quiet()
            if self.standby.gone():
                return
            dual_run.end()
            self.context.agents.instances.plan_snapshot(agent)
            if was_open and dual_run.old_breaks == breaks:  # else its repair opens the mailbox
                self.context.bus.open(endpoint)

    async def drop_new(self) -> None:
        """Take the new revision's instance away, also one that is just coming up."""
        await self.standby.drop()

    async def retire_old(self) -> Happening:
        """Shut the old instance down."""
        await self.instance.drop_old()
        return Drained()

    # ------------------------------------------------------------------ what the operator may say

    def promote(self) -> None:
        """The new revision takes over now."""
        self.decide(Passed())

    def abort(self) -> None:
        """The old revision goes on alone."""
        self.decide(ProbationFailed(ABORTED))

    def stop(self) -> None:
        """The daemon stops: this goes on after its next start, with the time that is left."""
        self._countdown.stop()
        self.decide(None)

    # ------------------------------------------------------------------ as the dual run's observer

    def speaks(self, envelope: Envelope) -> bool:
        """Whether this message's conversation is the new revision's, or that of the call which it is for."""
        message = envelope.message
        origin = call_origin(self.agent.endpoint.name, message)
        return self.policy.speaks(message.conversation_id if origin is None else origin)

    def heard(self, turn: PendingTurn) -> None:
        """Both have handled a message."""
        self.metrics.count(turn)
        self.judge(turn)

    def judge(self, turn: PendingTurn) -> None:
        """See what is decided by it."""
        verdict = self.policy.judge(turn, self.metrics)
        if verdict is not None:
            self.decide(verdict)

    def apart(self, seq: int, *, new: bool, held: bool) -> None:
        """Put down what only one of the two remembers."""
        brought_by = self.deployment.id if new else self.agent.brought_by
        self.context.bus.journal.batch.records.append(OwnTurn(self.agent.number, brought_by, seq, held))

    def fell(self, reason: str) -> None:
        """The new instance is gone: bring it back, unless that says enough, or happened too often."""
        verdict = None if self.decided else self.policy.broke_down(reason)
        if verdict is not None:
            self.decide(verdict)
            return
        now = self.context.clock.monotonic()
        if len(self._fallen) == BREAKDOWNS and now - self._fallen[0] < WITHIN_S:
            last = f"broke down {BREAKDOWNS + 1} times in {WITHIN_S:.0f} s; last: {reason}"
            self.decide(ProbationFailed(last))
            return
        self._fallen.append(now)
        if self.lives_on():
            self.context.agents.spawn(self._come_back())

    def lost(self, why: str) -> None:
        """The cell died; the agent comes back with it, as what it is in its record."""
        self.standby.lost()
        self.decide(ProbationFailed(why))

    # ------------------------------------------------------------------ steps

    def decide(self, verdict: Verdict | None) -> None:
        """End it like that, unless that was said before."""
        if not self._verdict.done():
            self._verdict.set_result(verdict)

    @property
    def decided(self) -> bool:
        """Whether it is said how this ends."""
        return self._verdict.done()

    def lives_on(self) -> bool:
        """Whether a new revision that broke down is to be brought back beside the old one."""
        return not self.decided

    def progress(self) -> dict[str, Any]:
        """How far it is, for people and for the journal."""
        return {
            **self.policy.progress(self._countdown.left_s),
            "sides": self.metrics.plain(),
            "breakdowns": len(self._fallen),
        }

    def kept(self) -> Kept:
        """What it needs to go on after a restart."""
        return self.standby.kept(self.metrics)

    async def take_alone(self) -> None:
        """The new instance handles the next message, and the old one none any more."""
        agent, endpoint, standby = self.agent, self.agent.endpoint, self.standby
        dual_run = standby.dual_run
        assert dual_run is not None
        if not dual_run.seated and not standby.gone():
            await standby.come_up()
        async with agent.changing:
            began = self.context.clock.monotonic()
            was_open, breaks = endpoint.open, dual_run.old_breaks
            endpoint.shut()
            await dual_run.quiet()
            if standby.gone():
                raise DeploymentError(DIED)
            if not dual_run.seated:
                if was_open and dual_run.old_breaks == breaks:
                    self.context.bus.open(endpoint)
                raise DeploymentError("the new revision broke down while it took over")
            dual_run.end()
            self.instance.take_over()
            self.context.bus.open(endpoint)
            self.deployment.paused(self.context.clock.monotonic() - began)

    async def _keep_routing(self, routing: ConversationRouting) -> None:
        """What is under way stays with whom it was."""
        if self._saved is not None:
            routing.keep(self._saved.old_keys, new=False)
            routing.keep(self._saved.new_keys, new=True)
        else:
            routing.keep(await self.conversations(), new=False)

    async def conversations(self) -> list[int]:
        """Keys of the conversations that are under way now."""
        return [key async for _, key in under_way(self.context.bus, self.agent.endpoint.name)]

    def _expired(self) -> None:
        if self.decided:
            return
        verdict = self.policy.expired(self.metrics)
        if verdict is not None:
            self.decide(verdict)
            return
        self.metrics = ComparedMetrics()
        self._countdown.start(self.policy.countdown_s)
        self.deployment.save()
        self.context.bus.settle()

    def _note(self) -> None:
        """Write down from time to time how far it is."""
        self.deployment.save()
        self.context.bus.settle()
        self._notes = self.context.clock.later(NOTE_S, self._note)

    async def _come_back(self) -> None:
        try:
            await self.standby.come_up()
        except CellLost:
            pass  # `lost` is told
        except CaxtonError as error:
            self.decide(ProbationFailed(f"could not be started again: {error.message}"))
