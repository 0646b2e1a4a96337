"""Two live revisions of one agent, whatever for: how they are measured, and how one of the two takes over and the other
one goes. How the new one comes to stand there is said in `standby`.

In: what a `DualRun` hears. Out: a verdict, and an agent that is one of the two again. What decides is said by the
strategies: `canary`, `shadow` and `drain`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Final

import msgspec

from caxton.cells import CellLost
from caxton.clock import Alarm
from caxton.deploy.context import DeployContext
from caxton.deploy.handover.dual_run import PendingTurn
from caxton.deploy.handover.standby import DIED, SavedProgress, Standby
from caxton.deploy.record import DeploymentRecord
from caxton.deploy.states import ABORTED, ChangedOver, Happening, Passed, ProbationFailed
from caxton.deploy.strategies.revision_metrics import ComparedMetrics
from caxton.errors import CaxtonError, DeploymentError
from caxton.turn_status import DISCARDED, Status

BREAKDOWNS: Final = 5
WITHIN_S: Final = 30.0
"""The sixth breakdown of a new revision within so many seconds is its last."""
NOTE_S: Final = 5.0


class SideBySide(Standby):
    """Both revisions handle every message; `speaks` says whose words are said."""

    on_probation = True
    lasting = True

    def __init__(
        self,
        context: DeployContext,
        deployment: DeploymentRecord,
        saved: SavedProgress | None = None,
    ) -> None:
        super().__init__(context, deployment, saved)
        self.options = deployment.options
        self.metrics = saved.metrics if saved else ComparedMetrics()
        self._verdict: asyncio.Future[Happening | None] = asyncio.get_running_loop().create_future()
        self._fallen: deque[float] = deque(maxlen=BREAKDOWNS)
        self._notes: Alarm | None = None
        deployment.follow(self)

    # ------------------------------------------------------------------ as a change

    async def change_over(self) -> Happening:
        """The new revision takes its place beside the old one, which goes on without a pause."""
        await self.join()
        self.record.deployment = self.deployment.id
        self._note()
        return ChangedOver(on_probation=True)

    async def watch(self) -> Happening | None:
        """Wait until it is decided; None where the daemon stops and this is to go on after its next start."""
        verdict = await self._verdict
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

    async def bring_back(self) -> None:
        """The old revision goes on alone; it has handled everything that the new one has."""
        if self.dual_run is None or self.gone():
            return
        record, endpoint = self.record, self.record.endpoint
        async with record.changing:
            dual_run = self.dual_run
            was_open, breaks = endpoint.open, dual_run.old_breaks
            endpoint.open = False
            dual_run.unseat()
            await dual_run.quiet()
            if self.gone():
                return
            dual_run.end()
            self.context.agents.instances.plan_snapshot(record)
            if was_open and dual_run.old_breaks == breaks:  # else its repair opens the mailbox
                self.context.bus.open(endpoint)

    # ------------------------------------------------------------------ what the operator may say

    def promote(self) -> None:
        """The new revision takes over now."""
        self.decide(Passed())

    def abort(self) -> None:
        """The old revision goes on alone."""
        self.decide(ProbationFailed(ABORTED))

    def stop(self) -> None:
        """The daemon stops."""
        self.decide(None)

    # ------------------------------------------------------------------ as the dual run's observer

    def heard(self, turn: PendingTurn) -> None:
        """Both have handled a message: count it."""
        old, new = turn.old, turn.new
        assert old is not None
        assert new is not None
        old_violated, new_violated = (
            turn.violated and not turn.new_speaks,
            turn.refused or (turn.violated and turn.new_speaks),
        )
        self.metrics.old.count(
            fuel=old.fuel,
            turn_us=old.turn_us,
            error=old.status != Status.OK or old_violated,
            violation=old_violated,
            spoken=not turn.new_speaks,
        )
        # what a guest itself refuses is an error where it was to speak and the old one took the message
        refuses = new.status == Status.GUEST_ERROR and turn.for_new and old.status == Status.OK
        self.metrics.new.count(
            fuel=new.fuel,
            turn_us=new.turn_us,
            error=new.status in DISCARDED or refuses or new_violated,
            violation=new_violated,
            spoken=turn.new_speaks,
        )
        self.judge(turn)

    def judge(self, turn: PendingTurn) -> None:
        """Something was counted."""

    def fell(self, reason: str) -> None:
        """The new instance is gone: bring it back, unless that happened too often."""
        now = self.context.clock.monotonic()
        if len(self._fallen) == BREAKDOWNS and now - self._fallen[0] < WITHIN_S:
            self.decide(
                ProbationFailed(f"broke down {BREAKDOWNS + 1} times in {WITHIN_S:.0f} s; last: {reason}")
            )
            return
        self._fallen.append(now)
        if self.lives_on():
            self.context.agents.spawn(self._come_back())

    def lost(self, why: str) -> None:
        """The cell died; the agent comes back with it, as what it is in its record."""
        super().lost(why)
        self.decide(ProbationFailed(why))

    # ------------------------------------------------------------------ steps

    def decide(self, verdict: Happening | None) -> None:
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
        return {"sides": self.metrics.plain(), "breakdowns": len(self._fallen)}

    def kept(self) -> dict[str, Any]:
        """What is measured, as it goes on after a restart."""
        return {"sides": msgspec.to_builtins(self.metrics, str_keys=True), **super().kept()}

    def _note(self) -> None:
        """Write down from time to time how far it is."""
        self.deployment.save()
        self.context.bus.settle()
        self._notes = self.context.clock.later(NOTE_S, self._note)

    async def take_alone(self) -> None:
        """The new instance handles the next message, and the old one none any more."""
        record, endpoint = self.record, self.record.endpoint
        dual_run = self.dual_run
        assert dual_run is not None
        if not dual_run.seated and not self.gone():
            await self.come_up()
        async with record.changing:
            began = self.context.clock.monotonic()
            was_open, breaks = endpoint.open, dual_run.old_breaks
            endpoint.open = False
            await dual_run.quiet()
            if self.gone():
                raise DeploymentError(DIED)
            if not dual_run.seated:
                if was_open and dual_run.old_breaks == breaks:
                    self.context.bus.open(endpoint)
                raise DeploymentError("the new revision broke down while it took over")
            dual_run.end()
            self.put(self.slot, self.target.revision, self.target.config)
            self.context.bus.open(endpoint)
            self.deployment.paused(self.context.clock.monotonic() - began)

    async def _come_back(self) -> None:
        try:
            await self.come_up()
        except CellLost:
            pass  # `lost` is told
        except CaxtonError as error:
            self.decide(ProbationFailed(f"could not be started again: {error.message}"))
