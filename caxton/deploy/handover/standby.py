"""How the new one of two live revisions comes to stand beside the old one, with which memory, and comes back when it
breaks down.

    carried    the old one's `caxton_snapshot`, the new one's `caxton_restore`: it has the state that the old one has
    rebuilt    its past is run on it: what the agent did before, less what it broke down over itself
    fresh      it begins with nothing, and when it comes back it is told what came since

In: an agent that runs, a new instance. Out: a `DualRun` in which both handle every message, and rows of what only one
of the two remembers (docs/decisions/0010-side-by-side.md).
"""

from __future__ import annotations

import asyncio
from typing import Final

from caxton.agents import RecoveryPlan
from caxton.cells import CellLost
from caxton.deploy.context import DeployContext
from caxton.deploy.handover.dual_run import DualRun, Observer
from caxton.deploy.handover.new_instance import NewInstance
from caxton.deploy.handover.rebuild import Rebuild, decided_upto
from caxton.deploy.handover.swap import not_taken_over
from caxton.deploy.record import DeploymentRecord
from caxton.deploy.saved import Kept, SavedProgress
from caxton.deploy.strategies.revision_metrics import ComparedMetrics
from caxton.errors import DeploymentError
from caxton.journal import KEPT, SnapshotsGone
from caxton.turn_status import Status

DIED: Final = "its cell died"
TRIES: Final = 5
"""How often a new instance tries to join an old one that breaks down meanwhile."""


class OldRevisionLost(Exception):
    """Raised when the old instance is lost while the new one joins it again."""


class Standby:
    """The new revision's place beside the old one."""

    def __init__(
        self,
        context: DeployContext,
        deployment: DeploymentRecord,
        instance: NewInstance,
        observer: Observer,
        saved: SavedProgress | None,
    ) -> None:
        assert deployment.agent.revision is not None
        self.dual_run: DualRun | None = None
        self._context = context
        self._deployment = deployment
        self._agent = deployment.agent
        self._target = deployment.target
        self._instance = instance
        self._observer = observer
        self._is_resumed = saved is not None
        self._old_no = deployment.agent.revision.no
        self._joined_seq = saved.kept.joined_seq if saved else 0
        self._since = saved.kept.since if saved else None
        """The message after which the new revision began with nothing; None where it has what went before."""
        self._memory_reason = deployment.memory_reason
        self._joining = asyncio.Lock()
        self._is_lost = False

    def gone(self) -> bool:
        """Whether the cell of both died, or the agent was given up."""
        return self._is_lost

    def lost(self) -> None:
        """The cell died; the agent comes back with it, as what it is in its record."""
        self._is_lost = True

    async def load(self) -> None:
        """Load the new revision and give it a past, where it is not to take the old one's state."""
        began = self._since
        await self._instance.load(since=began, strict=not self._is_resumed)
        if self._instance.rebuild is None:
            self._since = None
        elif began is not None:
            self._deployment.remembers("fresh", self._memory_reason)

    async def join(self) -> None:
        """The new revision takes its place beside the old one, which goes on with no more of a pause than a swap."""
        if self._instance.rebuild is not None:
            await self._join_told(self._instance.rebuild)
        else:
            await self._join()
        if not self._is_resumed:
            self._joined_seq = self._instance.swap_seq

    def mark(self) -> None:
        """Put down from where on the new revision remembers; what was kept of the old one since is not its memory."""
        self._instance.mark()
        self.forget_old()

    def forget_old(self) -> None:
        """No moment of the old revision since both live is one of the agent's memory."""
        if self._old_no != self._target.revision.no:
            gone = SnapshotsGone(self._agent.number, self._joined_seq, self._old_no)
            self._context.bus.journal.batch.records.append(gone)

    async def drop(self) -> None:
        """Take the new revision's instance away, also one that is just coming up."""
        async with self._joining:
            await self._instance.drop()

    def kept(self, metrics: ComparedMetrics) -> Kept:
        """What was measured, and from where on the new revision remembers."""
        return Kept(metrics=metrics, joined_seq=self._joined_seq, since=self._since)

    # ------------------------------------------------------------------ coming back

    async def come_up(self) -> None:
        """A new instance in place of the one that is gone."""
        async with self._joining:
            for _ in range(TRIES):
                if self.dual_run is None or self.dual_run.seated or self.dual_run.over:
                    return
                if self._agent.mending is not None:
                    # the old one broke down over the same message
                    await asyncio.shield(self._agent.mending)
                await self._instance.renew()
                try:
                    await self._come_up_once(self.dual_run)
                except OldRevisionLost:
                    continue
                return
            raise DeploymentError(f"the old revision broke down {TRIES} times meanwhile")

    async def _come_up_once(self, dual_run: DualRun) -> None:
        instance, target = self._instance, self._target
        if self._since is not None or instance.is_told():
            await self._tell_again(dual_run)
            return
        await self._context.agents.instances.load(
            self._agent, instance.cell, instance.slot, target.revision, target.config, state=None
        )
        await self._join()

    async def _tell_again(self, dual_run: DualRun) -> None:
        """Run its past on the new instance: all that the old one has handled, less what this one broke down over."""
        agent, endpoint, instance = self._agent, self._agent.endpoint, self._instance
        recovery = self._context.agents.recovery
        plan = RecoveryPlan(
            agent,
            instance.cell,
            instance.slot,
            self._target.revision,
            self._target.config,
            brought_by=self._deployment.id,
            since=self._since,
        )
        await recovery.recall([plan], decided_upto(endpoint))
        await recovery.catch_up(plan, decided_upto(endpoint))
        async with agent.changing:
            endpoint.shut()
            try:
                await dual_run.quiet()
                if not instance.lives or self.gone():
                    raise CellLost(DIED)
                await recovery.catch_up(plan, endpoint.last_seq)
                if agent.mending is not None:
                    raise OldRevisionLost
                dual_run.seat(instance.slot)
                if not plan.replays:
                    self._begins_fresh(endpoint.last_seq, plan.reason)
            finally:
                if instance.lives and agent.mending is None:
                    self._context.bus.open(endpoint)

    def _begins_fresh(self, seq: int, why: str | None) -> None:
        """After that message the new revision begins with nothing."""
        self._instance.begins_after(seq)
        self._since = seq if self._target.config.recover == "replay" else None
        self._deployment.remembers("fresh", why)

    # ------------------------------------------------------------------ joining

    async def _join_told(self, rebuild: Rebuild) -> None:
        """Tell the new instance what is left between two messages; it handles all that come after."""
        agent, endpoint, instance = self._agent, self._agent.endpoint, self._instance
        async with agent.changing:
            endpoint.shut()
            try:
                if not instance.lives:
                    raise DeploymentError("the agent broke down while it was changed", hint="try again")
                await rebuild.finish()
                self._stand_beside().seat(instance.slot)
                instance.begins_after(endpoint.last_seq if self._since is None else self._since)
            finally:
                rebuild.end()
                if instance.lives and agent.mending is None:
                    self._context.bus.open(endpoint)
        if self._since is None:
            instance.say_rebuilt()

    def _stand_beside(self) -> DualRun:
        if self.dual_run is None:
            old, new, draws = (
                self._agent.revision,
                self._target.revision,
                self._context.agents.instances.draws,
            )
            assert old is not None
            self.dual_run = DualRun(
                self._context.bus,
                self._instance.link,
                self._agent.endpoint,
                (self._old_no, new.no),
                (draws(old), draws(new)),
                self._observer,
            )
        return self.dual_run

    async def _join(self) -> None:
        """Give the new instance the old one's state between two messages; it handles all that come after."""
        agent, endpoint, instance = self._agent, self._agent.endpoint, self._instance
        async with agent.changing:
            if not instance.lives:
                raise DeploymentError("the agent broke down while it was changed", hint="try again")
            again = self.dual_run is not None
            dual_run = self._stand_beside()
            instance.begins_after(endpoint.given)
            asked = instance.ask_state()
            # frames keep their order: whatever is pushed from here on stands behind the state
            dual_run.seat(instance.slot)
            instance.link.settle()
            answer = await asked
            fault = instance.take_state(answer)
            if fault is None:
                if instance.carry:
                    assert agent.revision is not None
                    instance.keep_state(KEPT, agent.revision.no)
                else:
                    self._begins_fresh(instance.swap_seq, self._deployment.memory_reason)
                return
            dual_run.unseat()
            if answer.status == Status.UNHANDLED and again:
                raise OldRevisionLost
            if endpoint.slot in fault.lost:
                instance.lost_old("snapshot", fault)
        raise not_taken_over(fault.reason, fault.hint)
