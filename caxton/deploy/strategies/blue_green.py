"""Blue-green: the new revision proves itself beside the old one, first in a rehearsal, then in its first turns.

    rehearsal   old: works on     new: loaded; another instance of it is given the old one's state, and dropped
    swap        old: stands by    new: takes the state as it is between two turns
    probation   old: stands by    new: handles messages, one at a time
    then        old: shut down    new: is the agent      or   old: runs what was answered once more, and goes on

What the new revision answered in its probation has been said and stays said. The old one, coming back, runs those
messages again with its output dropped, so that it knows of them: turns are deterministic.
"""

from __future__ import annotations

import msgspec

from caxton.bus.endpoint import NEVER
from caxton.cells import CellLost
from caxton.deploy.context import DeployContext
from caxton.deploy.handover.probation import ProbationPort
from caxton.deploy.handover.swap import Handover
from caxton.deploy.record import DeploymentRecord
from caxton.deploy.states import ABORTED, DAEMON_STOPPED, Happening, Passed, ProbationFailed
from caxton.deploy.target import Target
from caxton.errors import DeploymentError
from caxton.sandbox.frames import Fault, Kind
from caxton.turn_status import DISCARDED, Status


class BlueGreen(Handover):
    """The old instance stands by until the probation is over."""

    on_probation = True

    def __init__(self, context: DeployContext, deployment: DeploymentRecord) -> None:
        super().__init__(context, deployment)
        assert self.record.revision is not None
        self._old = Target(self.record.revision, self.record.config)
        self._old_seq = 0
        self._probation = deployment.options.probation
        self._trial: ProbationPort | None = None
        self._is_lost = False

    async def check(self) -> Happening:
        """Load the new revision, and see whether it takes the state that the old one has now."""
        checked = await super().check()
        if self.carry:
            await self._rehearse()
        return checked

    def take_over(self) -> None:
        """The next messages are the new revision's probation."""
        endpoint, bus = self.record.endpoint, self.context.bus
        self._old_seq = endpoint.last_seq
        super().take_over()
        # the kept state is the old revision's, and it is the old one that comes back from it
        endpoint.snapshot_at = NEVER
        self._trial = ProbationPort(bus, self.link, endpoint, self._probation.turns, self._lost)
        endpoint.trial = endpoint.port = self._trial
        bus.ports.append(self._trial)

    async def watch(self) -> Happening:
        """Wait for the first turns, or the end of the warm-up."""
        assert self._trial is not None
        alarm = self.context.clock.later(self._probation.warm_up_s, self._warm)
        try:
            return await self._trial.verdict
        finally:
            alarm.cancel()

    def stop(self) -> None:
        """End the probation, if it is under way, with the old revision back."""
        if self._trial is not None:
            self._trial.end(ProbationFailed(DAEMON_STOPPED))

    def promote(self) -> None:
        """The probation is over: the new revision stays."""
        self._on_trial("promoted").end(Passed())

    def abort(self) -> None:
        """The probation is over: the old revision comes back."""
        self._on_trial("aborted").end(ProbationFailed(ABORTED))

    def _on_trial(self, how: str) -> ProbationPort:
        if self._trial is None:
            raise self._undecidable(how)
        return self._trial

    def commit(self) -> None:
        """The new revision is the agent, and has as many messages in flight as any other."""
        self._end_trial()
        super().commit()
        self.context.bus.open(self.record.endpoint)

    async def bring_back(self) -> None:
        """The old instance learns what was answered meanwhile, and gets the message that failed and all later ones."""
        if self._is_lost:
            return
        assert self._trial is not None
        record, endpoint = self.record, self.record.endpoint
        handled = self._trial.handled
        async with record.changing:
            endpoint.open = False
            self._end_trial()
            self.put(self.old_slot, self._old.revision, self._old.config)
            endpoint.last_seq = handled[-1].seq if handled else self._old_seq
            try:
                learned = await self.context.agents.instances.replay(
                    self.link, self.old_slot, [envelope.body for envelope in handled]
                )
            except CellLost:
                return
            if learned.fault is not None:
                self.lost_old("taken back", learned.fault)
                return
            self.context.agents.instances.plan_snapshot(record)
            self.context.bus.open(endpoint)

    async def _rehearse(self) -> None:
        record, instances = self.record, self.context.agents.instances
        endpoint = record.endpoint
        # the frame stands behind every message that the cell has now, so the state is the one after them
        seq = endpoint.in_flight[-1].seq if endpoint.in_flight else endpoint.last_seq
        answer = await self.link.request(Kind.SNAPSHOT, endpoint.slot)
        if answer.status != Status.OK:
            fault = msgspec.json.decode(answer.payload, type=Fault)
            if answer.status in DISCARDED:
                self.lost_old("snapshot", fault)
            raise DeploymentError(
                f"the old revision did not give its state: {fault.reason}",
                hint="it goes on; a fresh state can be asked for",
                fault=fault.code,
            )
        instances.keep(record, answer.payload, seq)
        # in an instance of its own: a guest need not be able to restore twice
        slot = self.cell.slot()
        try:
            await instances.load(
                record, self.cell, slot, self.target.revision, self.target.config, state=answer.payload
            )
        except DeploymentError as error:
            raise DeploymentError(
                f"the new revision did not take over the state: {error.message}",
                hint=error.hint or "the old revision goes on; --fresh-state begins without its state",
                **error.details,
            ) from None
        await instances.drop(self.cell, slot)

    def _warm(self) -> None:
        assert self._trial is not None
        self._trial.end(Passed())

    def _lost(self) -> None:
        self._is_lost = True
        self._end_trial()
        self.put(self.old_slot, self._old.revision, self._old.config)

    def _end_trial(self) -> None:
        endpoint, trial = self.record.endpoint, self._trial
        assert trial is not None
        endpoint.trial = None
        endpoint.port = self.link
        endpoint.queued = False
        self.context.bus.ports.remove(trial)
