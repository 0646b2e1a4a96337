"""Blue-green with a drain: conversations that begin are the new revision's, those under way end on the old one, which
goes when they are over.

    probation   both handle everything     the new one speaks in what begins; one failure and it is taken back
    drain       both handle everything     the new one is the agent for good; the old one ends what it began
    then        old: shut down

The drain is over when every conversation of the old one is: by the referee where it has a protocol, by silence where it
has none; or when its time is.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from caxton.bus import Envelope
from caxton.clock import Alarm
from caxton.deploy.context import DeployContext
from caxton.deploy.handover.countdown import Countdown
from caxton.deploy.handover.open_conversations import OpenConversations
from caxton.deploy.handover.side_by_side import SideBySide
from caxton.deploy.handover.standby import DIED
from caxton.deploy.record import DeploymentRecord
from caxton.deploy.states import Drained, Happening, ProbationFailed
from caxton.deploy.strategies.policy import Policy
from caxton.deploy.strategies.revision_metrics import PendingTurn
from caxton.errors import CaxtonError
from caxton.schemas.deployments import DAEMON_STOPPED

LOOK_S: Final = 0.5


class Drain(SideBySide):
    """The old revision goes when its conversations have ended, or when its time is over."""

    def __init__(self, context: DeployContext, deployment: DeploymentRecord, policy: Policy) -> None:
        super().__init__(context, deployment, policy)
        self._open = OpenConversations(context.bus, self.agent.endpoint.name)
        self._is_draining = False
        self._heard_at = context.clock.monotonic()
        self._time = Countdown(context.clock, self._end, deployment.options.drain_s)
        self._next: Alarm | None = None
        self._dry: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def conversations(self) -> list[int]:
        """Those that the old revision still has to end."""
        found = await self._open.look()
        self._heard_at = self.context.clock.monotonic()
        return found

    async def passed(self) -> None:
        """The new revision stays; the old one still has to end what it began."""
        self._is_draining = True

    def speaks(self, envelope: Envelope) -> bool:
        """As the policy says; what the old revision hears says how long there was silence."""
        new = super().speaks(envelope)
        if not new and self._open.is_silent_kind(envelope.message.conversation_id):
            self._heard_at = self.context.clock.monotonic()
        return new

    def judge(self, turn: PendingTurn) -> None:
        """In the drain a conversation of the old revision may have ended."""
        if not self._is_draining:
            super().judge(turn)
        elif not turn.for_new:
            self._look()

    def lives_on(self) -> bool:
        """In the drain, too."""
        return not self._dry.done()

    def promote(self) -> None:
        """The new revision stays, and the old one goes now."""
        super().promote()
        self._end()

    def abort(self) -> None:
        """The old revision goes on, as long as the new one is not the agent."""
        if self._is_draining:
            raise self.undecidable("aborted")
        super().abort()

    def stop(self) -> None:
        """The daemon stops: a probation ends with the old revision, a drain with the new one."""
        self.decide(ProbationFailed(DAEMON_STOPPED))
        self._end()

    def lost(self, why: str) -> None:
        """The cell died: in the drain it comes back with the new revision."""
        super().lost(why)
        if self._is_draining:
            self.instance.adopt()
        self._end()

    def commit(self) -> None:
        """The new revision is the one that comes back after a restart; the old one is still at work."""
        self.standby.mark()
        self.agent.leave_to(self.target.revision.no)
        now = self.context.clock.now_us()
        self.context.agents.registry.save(
            self.agent, now, revision=self.target.revision, config=self.target.config
        )

    async def retire_old(self) -> Happening:
        """Wait until it has nothing more to say, and shut it down."""
        self._time.start()
        self._look_again()
        try:
            await self._dry
        finally:
            self._time.stop()
            if self._next is not None:
                self._next.cancel()
        if self.standby.gone():
            return Drained()
        try:
            await self.take_alone()
        except CaxtonError:
            # neither cell nor new revision holds out: what comes back is the new one, from the state that is kept
            await self.bring_back()
            self.instance.adopt()
            if not self.standby.gone():
                self.context.agents.repair.mend(self.agent, DIED)
            return Drained()
        self.instance.adopt()
        self.standby.forget_old()
        self.say_deployed()
        return await super().retire_old()

    def progress(self) -> dict[str, Any]:
        """While it drains: how many conversations are left, and for how many seconds at the most."""
        made = super().progress()
        if self._is_draining and not self._dry.done():
            opened, others = self._open.count()
            left_s = round(self._time.left_s, 3)
            made["drain"] = {"open": opened, "without_protocol": others, "left_s": left_s}
        return made

    def _look(self) -> None:
        """Has everything ended, and is it quiet where nothing says so? Then it is over."""
        opened, others = self._open.count()
        silent_s = self.context.clock.monotonic() - self._heard_at
        if not opened and (not others or silent_s >= self.deployment.options.quiet_s):
            self._end()

    def _look_again(self) -> None:
        """A conversation can also end by what others say, or by time."""
        self._look()
        if not self._dry.done():
            self._next = self.context.clock.later(LOOK_S, self._look_again)

    def _end(self) -> None:
        if not self._dry.done():
            self._dry.set_result(None)
