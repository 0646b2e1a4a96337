"""How the new one of two live revisions comes to stand beside the old one, with which memory, and comes back when it
breaks down.

    carried    the old one's `caxton_snapshot`, the new one's `caxton_restore`: it has the state that the old one has
    rebuilt    its past is run on it: what the agent did before, less what it broke down over itself
    fresh      it begins with nothing, and when it comes back it is told what came since

In: an agent that runs, a revision. Out: a `DualRun` in which both handle every message, and rows of what only one
of the two remembers (docs/decisions/0010-side-by-side.md).
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from typing import Any, Final

import msgspec

from caxton.agents import RecoveryPlan
from caxton.bus import Envelope
from caxton.cells import CellLost
from caxton.deploy.context import DeployContext
from caxton.deploy.handover.dual_run import DualRun, PendingTurn
from caxton.deploy.handover.rebuild import Rebuild, decided_upto
from caxton.deploy.handover.swap import Handover
from caxton.deploy.record import DeploymentRecord
from caxton.deploy.states import Happening
from caxton.deploy.strategies.revision_metrics import ComparedMetrics
from caxton.errors import DeploymentError
from caxton.journal import KEPT, OwnTurn, SnapshotsGone
from caxton.sandbox.frames import Fault, Kind, Swapped, split_payload
from caxton.turn_status import Status

DIED: Final = "its cell died"
TRIES: Final = 5
"""How often a new instance tries to join an old one that breaks down meanwhile."""


class SavedProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a deployment was when the daemon ended."""

    progress: dict[str, Any]
    metrics: ComparedMetrics
    old_keys: list[int]
    """Conversations in which the old revision spoke last, by the journal's keys; and the new one's."""
    new_keys: list[int]
    joined_seq: int = 0
    """The message after which both lived."""
    since: int | None = None
    """The message after which the new revision began with nothing, where it did."""


class OldRevisionLost(Exception):
    """Raised when the old instance is lost while the new one joins it again."""


class Standby(Handover):
    """A new revision beside the old one. What decides between them is said by who inherits from this."""

    def __init__(
        self,
        context: DeployContext,
        deployment: DeploymentRecord,
        saved: SavedProgress | None,
    ) -> None:
        super().__init__(context, deployment)
        record = self.record
        assert record.revision is not None
        self.saved = saved
        self.dual_run: DualRun | None = None
        self._old_no = record.revision.no
        self._joined_seq = saved.joined_seq if saved else 0
        self._since = saved.since if saved else None
        """The message after which the new revision began with nothing; None where it has what went before."""
        self._memory_reason = deployment.memory_reason
        self._joining = asyncio.Lock()
        self._lost_why: str | None = None

    async def check(self) -> Happening:
        """Load the new revision and give it a past, where it is not to take the old one's state."""
        began = self._since
        checked = await super().check()
        if self.rebuild is None:
            self._since = None
        elif began is not None:
            self.deployment.remembers("fresh", self._memory_reason)
        return checked

    async def join(self) -> None:
        """The new revision takes its place beside the old one, which goes on with no more of a pause than a swap."""
        if self.rebuild is not None:
            await self._join_told(self.rebuild)
        else:
            await self._join()
        if self.saved is None:
            self._joined_seq = self.swap_seq

    def mark(self) -> None:
        """Put down from where on the new revision remembers; what was kept of the old one since is not its memory."""
        super().mark()
        self.forget_old()

    def forget_old(self) -> None:
        """No moment of the old revision since both live is one of the agent's memory."""
        if self._old_no != self.target.revision.no:
            gone = SnapshotsGone(self.record.number, self._joined_seq, self._old_no)
            self.context.bus.journal.batch.records.append(gone)

    async def drop_new(self) -> None:
        """Take the new revision's instance away, also one that is just coming up."""
        async with self._joining:
            await super().drop_new()

    def kept(self) -> dict[str, Any]:
        """From where on the new revision remembers, as it goes on after a restart."""
        return {"joined_seq": self._joined_seq, "since": self._since}

    # ------------------------------------------------------------------ as the dual run's observer

    @abstractmethod
    def speaks(self, envelope: Envelope) -> bool:
        """Whether this message's conversation is the new revision's."""

    @abstractmethod
    def heard(self, turn: PendingTurn) -> None:
        """Both have handled a message."""

    @abstractmethod
    def fell(self, reason: str) -> None:
        """The new instance is gone."""

    def apart(self, seq: int, *, new: bool, held: bool) -> None:
        """Put down what only one of the two remembers."""
        brought_by = self.deployment.id if new else self.record.brought_by
        self.context.bus.journal.batch.records.append(OwnTurn(self.record.number, brought_by, seq, held))

    def lost(self, why: str) -> None:
        """The cell died; the agent comes back with it, as what it is in its record."""
        self._lost_why = why

    def gone(self) -> bool:
        """Whether the cell of both died, or the agent was given up."""
        return self._lost_why is not None

    # ------------------------------------------------------------------ coming back

    async def come_up(self) -> None:
        """A new instance in place of the one that is gone."""
        async with self._joining:
            for _ in range(TRIES):
                if self.dual_run is None or self.dual_run.seated or self.dual_run.over:
                    return
                if self.record.mending is not None:
                    # the old one broke down over the same message
                    await asyncio.shield(self.record.mending)
                gone, self.slot = self.slot, self.cell.slot()
                await self.context.agents.instances.drop(self.cell, gone)
                try:
                    await self._come_up_once(self.dual_run)
                except OldRevisionLost:
                    continue
                return
            raise DeploymentError(f"the old revision broke down {TRIES} times meanwhile")

    async def _come_up_once(self, dual_run: DualRun) -> None:
        if self._is_told() or self._since is not None:
            await self._tell_again(dual_run)
            return
        await self.context.agents.instances.load(
            self.record, self.cell, self.slot, self.target.revision, self.target.config, state=None
        )
        await self._join()

    async def _tell_again(self, dual_run: DualRun) -> None:
        """Run its past on the new instance: all that the old one has handled, less what this one broke down over."""
        record, endpoint = self.record, self.record.endpoint
        recovery = self.context.agents.recovery
        way = RecoveryPlan(
            record,
            self.cell,
            self.slot,
            self.target.revision,
            self.target.config,
            brought_by=self.deployment.id,
            since=self._since,
        )
        await recovery.recall([way], decided_upto(endpoint))
        await recovery.catch_up(way, decided_upto(endpoint))
        async with record.changing:
            endpoint.open = False
            try:
                await dual_run.quiet()
                if not self._lives() or self.gone():
                    raise CellLost(DIED)
                await recovery.catch_up(way, endpoint.last_seq)
                if record.mending is not None:
                    raise OldRevisionLost
                dual_run.seat(self.slot)
                if not way.replays:
                    self._begins_fresh(endpoint.last_seq, way.reason)
            finally:
                if self._lives() and record.mending is None:
                    self.context.bus.open(endpoint)

    def _begins_fresh(self, seq: int, why: str | None) -> None:
        """After that message the new revision begins with nothing."""
        self.swap_seq = seq
        self._since = seq if self.target.config.recover == "replay" else None
        self.deployment.remembers("fresh", why)

    def _is_told(self) -> bool:
        # after a restart, what began with nothing is told what came since
        again = self._since is not None and self.target.config.recover == "replay"
        return super()._is_told() or again

    async def _start(self, rebuild: Rebuild) -> str | None:
        return await rebuild.start(
            self.target, self.deployment.id, since=self._since, strict=self.saved is None
        )

    # ------------------------------------------------------------------ joining

    async def _join_told(self, rebuild: Rebuild) -> None:
        """Tell the new instance what is left between two messages; it handles all that come after."""
        record, endpoint = self.record, self.record.endpoint
        async with record.changing:
            endpoint.open = False
            try:
                if not self._lives():
                    raise DeploymentError("the agent broke down while it was changed", hint="try again")
                await rebuild.finish()
                dual_run = self._stand_beside()
                dual_run.seat(self.slot)
                self.swap_seq = endpoint.last_seq if self._since is None else self._since
            finally:
                rebuild.end()
                if self._lives() and record.mending is None:
                    self.context.bus.open(endpoint)
        if self._since is None:
            self._say_rebuilt(rebuild.turns)

    def _stand_beside(self) -> DualRun:
        if self.dual_run is None:
            revisions = (self._old_no, self.target.revision.no)
            self.dual_run = DualRun(self.context.bus, self.link, self.record.endpoint, revisions, self)
        return self.dual_run

    async def _join(self) -> None:
        """Give the new instance the old one's state between two messages; it handles all that come after."""
        record, endpoint = self.record, self.record.endpoint
        async with record.changing:
            if not self._lives():
                raise DeploymentError("the agent broke down while it was changed", hint="try again")
            first = self.dual_run is None
            dual_run = self._stand_beside()
            self.swap_seq = endpoint.in_flight[-1].seq if endpoint.in_flight else endpoint.last_seq
            swap = {"from": endpoint.slot, "carry": self.carry, "keep": True, "tell": True}
            asked = self.link.ask(Kind.SWAP, self.slot, msgspec.json.encode(swap))
            # frames keep their order: whatever is pushed from here on stands behind the state
            dual_run.seat(self.slot)
            self.link.settle()
            answer = await asked
            if answer.status == Status.OK:
                if self.carry:
                    _, self.state = split_payload(answer.payload, Swapped)
                    assert record.revision is not None
                    instances = self.context.agents.instances
                    instances.keep(record, self.state, self.swap_seq, KEPT, record.revision.no)
                else:
                    self._begins_fresh(self.swap_seq, self.deployment.memory_reason)
                return
            fault = msgspec.json.decode(answer.payload, type=Fault)
            dual_run.unseat()
            if answer.status == Status.UNHANDLED and not first:
                raise OldRevisionLost
            if endpoint.slot in fault.lost:
                self.lost_old("snapshot", fault)
        if first:
            await self.bring_back()
        raise DeploymentError(
            f"the new revision did not take over the state: {fault.reason}",
            hint=fault.hint or "the old revision goes on; --fresh-state begins without its state",
        )
