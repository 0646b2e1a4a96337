"""Two live revisions of one agent, whatever for: how they are measured, and how one of the two takes over and the other
one goes. How the new one comes to stand there is said in `joining`.

In: what a `Pair` hears. Out: a verdict, and an agent that is one of the two again. What decides is said by the
strategies: `canary`, `shadow` and `drained`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Final

import msgspec

from caxton.agents import AgentRecord
from caxton.cells import CellLost
from caxton.clock import Alarm
from caxton.deploy.change import Rooms
from caxton.deploy.joining import DIED, Joining, Resumed
from caxton.deploy.journey import Journey
from caxton.deploy.pair import Hand
from caxton.deploy.sides import Sides
from caxton.deploy.states import ABORTED, ChangedOver, Faltered, Happening, Passed
from caxton.deploy.target import Target
from caxton.deploy.terms import Terms
from caxton.errors import CaxtonError, DeploymentError
from caxton.sandbox.frames import DISCARDED, Status

BREAKDOWNS: Final = 5
WITHIN_S: Final = 30.0
"""The sixth breakdown of a new revision within so many seconds is its last."""
NOTE_S: Final = 5.0


class SideBySide(Joining):
    """Both revisions handle every message; `speaks` says whose words are said."""

    on_probation = True
    lasting = True

    def __init__(
        self,
        rooms: Rooms,
        record: AgentRecord,
        target: Target,
        journey: Journey,
        terms: Terms,
        resumed: Resumed | None = None,
    ) -> None:
        super().__init__(rooms, record, target, journey, resumed)
        self.terms = terms
        self.sides = resumed.sides if resumed else Sides()
        self._verdict: asyncio.Future[Happening | None] = asyncio.get_running_loop().create_future()
        self._fallen: deque[float] = deque(maxlen=BREAKDOWNS)
        self._notes: Alarm | None = None
        journey.progress = self.progress
        journey.kept = self.kept

    # ------------------------------------------------------------------ as a change

    async def change_over(self) -> Happening:
        """The new revision takes its place beside the old one, which goes on without a pause."""
        await self.join()
        self.record.deployment = self.journey.id
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
                self.journey.save()
        except CaxtonError as error:
            return Faltered(error.message)
        return verdict

    async def passed(self) -> None:
        """The new revision is good: it is the agent from now on."""
        await self.take_alone()

    async def bring_back(self) -> None:
        """The old revision goes on alone; it has handled everything that the new one has."""
        if self.pair is None or self.gone():
            return
        record, endpoint = self.record, self.record.endpoint
        async with record.changing:
            pair = self.pair
            was_open, breaks = endpoint.open, pair.old_breaks
            endpoint.open = False
            pair.unseat()
            await pair.quiet()
            if self.gone():
                return
            pair.end()
            self.rooms.agents.instances.plan_snapshot(record)
            if was_open and pair.old_breaks == breaks:  # else its repair opens the mailbox
                self.rooms.bus.open(endpoint)

    # ------------------------------------------------------------------ what the operator may say

    def promote(self) -> None:
        """The new revision takes over now."""
        self.decide(Passed())

    def abort(self) -> None:
        """The old revision goes on alone."""
        self.decide(Faltered(ABORTED))

    def stop(self) -> None:
        """The daemon stops."""
        self.decide(None)

    # ------------------------------------------------------------------ as the pair's watcher

    def heard(self, hand: Hand) -> None:
        """Both have handled a message: count it."""
        old, new = hand.old, hand.new
        assert old is not None
        assert new is not None
        old_violated, new_violated = (
            hand.violated and not hand.new_speaks,
            hand.refused or (hand.violated and hand.new_speaks),
        )
        self.sides.old.count(
            fuel=old.fuel,
            turn_us=old.turn_us,
            error=old.status != Status.OK or old_violated,
            violation=old_violated,
            spoken=not hand.new_speaks,
        )
        # what a guest itself refuses is an error where it was to speak and the old one took the message
        refuses = new.status == Status.GUEST_ERROR and hand.for_new and old.status == Status.OK
        self.sides.new.count(
            fuel=new.fuel,
            turn_us=new.turn_us,
            error=new.status in DISCARDED or refuses or new_violated,
            violation=new_violated,
            spoken=hand.new_speaks,
        )
        self.judge(hand)

    def judge(self, hand: Hand) -> None:
        """Something was counted."""

    def fell(self, reason: str) -> None:
        """The new instance is gone: bring it back, unless that happened too often."""
        now = self.rooms.clock.monotonic()
        if len(self._fallen) == BREAKDOWNS and now - self._fallen[0] < WITHIN_S:
            self.decide(Faltered(f"broke down {BREAKDOWNS + 1} times in {WITHIN_S:.0f} s; last: {reason}"))
            return
        self._fallen.append(now)
        if self.lives_on():
            self.rooms.agents.spawn(self._come_back())

    def lost(self, why: str) -> None:
        """The cell died; the agent comes back with it, as what it is in its record."""
        super().lost(why)
        self.decide(Faltered(why))

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
        return {"sides": self.sides.plain(), "breakdowns": len(self._fallen)}

    def kept(self) -> dict[str, Any]:
        """What is measured, as it goes on after a restart."""
        return {"sides": msgspec.to_builtins(self.sides, str_keys=True), **super().kept()}

    def _note(self) -> None:
        """Write down from time to time how far it is."""
        self.journey.save()
        self.rooms.bus.settle()
        self._notes = self.rooms.clock.later(NOTE_S, self._note)

    async def take_alone(self) -> None:
        """The new instance handles the next message, and the old one none any more."""
        record, endpoint = self.record, self.record.endpoint
        pair = self.pair
        assert pair is not None
        if not pair.seated and not self.gone():
            await self.come_up()
        async with record.changing:
            began = self.rooms.clock.monotonic()
            was_open, breaks = endpoint.open, pair.old_breaks
            endpoint.open = False
            await pair.quiet()
            if self.gone():
                raise DeploymentError(DIED)
            if not pair.seated:
                if was_open and pair.old_breaks == breaks:
                    self.rooms.bus.open(endpoint)
                raise DeploymentError("the new revision broke down while it took over")
            pair.end()
            self.put(self.slot, self.target.revision, self.target.config)
            self.rooms.bus.open(endpoint)
            self.journey.pause_us = int((self.rooms.clock.monotonic() - began) * 1e6)

    async def _come_back(self) -> None:
        try:
            await self.come_up()
        except CellLost:
            pass  # `lost` is told
        except CaxtonError as error:
            self.decide(Faltered(f"could not be started again: {error.message}"))
