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
from caxton.deploy.handover.dual_run import PendingTurn
from caxton.deploy.handover.open_conversations import OpenConversations
from caxton.deploy.handover.side_by_side import SideBySide
from caxton.deploy.handover.standby import DIED
from caxton.deploy.record import DeploymentRecord
from caxton.deploy.states import DAEMON_STOPPED, Drained, Happening, Passed, ProbationFailed
from caxton.deploy.strategies.conversation_routing import ConversationRouting
from caxton.errors import CaxtonError
from caxton.turn_status import DISCARDED

LOOK_S: Final = 0.5


class Drain(SideBySide):
    """The old revision goes when its conversations have ended, or when its time is over."""

    def __init__(self, context: DeployContext, deployment: DeploymentRecord) -> None:
        super().__init__(context, deployment)
        self._routing = ConversationRouting(lambda one: True)
        self._good = 0
        self._is_draining = False
        self._heard_at = 0.0
        self._open_conversations = OpenConversations(context.bus, self.record.endpoint.name)
        self._ends_at = 0.0
        self._next: Alarm | None = None
        self._dry: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def change_over(self) -> Happening:
        """The new revision takes its place; what is under way stays with the old one."""
        self._routing.keep(await self._open_conversations.look(), new=False)
        self._heard_at = self.context.clock.monotonic()
        return await super().change_over()

    async def watch(self) -> Happening | None:
        """Wait for the first turns, or the end of the warm-up."""
        alarm = self.context.clock.later(self.options.probation.warm_up_s, lambda: self.decide(Passed()))
        try:
            return await super().watch()
        finally:
            alarm.cancel()

    async def passed(self) -> None:
        """The new revision stays; the old one still has to end what it began."""
        self._is_draining = True

    def speaks(self, envelope: Envelope) -> bool:
        """The old revision's are the conversations that were under way."""
        conversation = envelope.message.conversation_id
        new = self._routing.of_new(conversation)
        if not new and self._open_conversations.is_silent_kind(conversation):
            self._heard_at = self.context.clock.monotonic()
        return new

    def judge(self, turn: PendingTurn) -> None:
        """In the probation one failure is enough; good turns are counted. In the drain an end may have come."""
        if self._is_draining:
            if not turn.for_new:
                self._look()
            return
        if self.decided or turn.new is None or turn.new.status in DISCARDED:
            return  # of what cost the instance, `fell` is told
        if self.metrics.new.errors:
            self.decide(
                ProbationFailed(
                    f"message {turn.envelope.seq}: the new revision failed where the old one did not"
                )
            )
        elif turn.new_speaks:
            self._good += 1
            if self._good >= self.options.probation.turns:
                self.decide(Passed())

    def fell(self, reason: str) -> None:
        """In the probation that is the end of it; later it is brought back."""
        if not self.decided:
            self.decide(ProbationFailed(reason))
        else:
            super().fell(reason)

    def lives_on(self) -> bool:
        """In the drain, too."""
        return not self._dry.done()

    def promote(self) -> None:
        """The new revision stays, and the old one goes now."""
        super().promote()
        self._end_drain()

    def abort(self) -> None:
        """The old revision goes on, as long as the new one is not the agent."""
        if self._is_draining:
            raise self._undecidable("aborted")
        super().abort()

    def stop(self) -> None:
        """The daemon stops: a probation ends with the old revision, a drain with the new one."""
        self.decide(ProbationFailed(DAEMON_STOPPED))
        self._end_drain()

    def lost(self, why: str) -> None:
        """The cell died: in the drain it comes back with the new revision."""
        super().lost(why)
        if self._is_draining:
            self.adopt()
        self._end_drain()

    def commit(self) -> None:
        """The new revision is the one that comes back after a restart; the old one is still at work."""
        self.mark()
        record, registry = self.record, self.context.agents.registry
        record.heir_no = self.target.revision.no
        now = self.context.clock.now_us()
        registry.save(record, now, revision=self.target.revision, config=self.target.config)

    async def retire_old(self) -> Happening:
        """Wait until it has nothing more to say, and shut it down."""
        clock, options = self.context.clock, self.options
        self._ends_at = clock.monotonic() + options.drain_s
        last = clock.later(options.drain_s, self._end_drain)
        self._look_again()
        try:
            await self._dry
        finally:
            last.cancel()
            if self._next is not None:
                self._next.cancel()
        if self.gone():
            return Drained()
        try:
            await self.take_alone()
        except CaxtonError:
            # neither cell nor new revision holds out: what comes back is the new one, from the state that is kept
            await self.bring_back()
            self.adopt()
            if not self.gone():
                self.context.agents.broken(self.record, DIED)
            return Drained()
        self.adopt()
        self.forget_old()
        self.context.agents.changed(self.record, "deployed")
        return await super().retire_old()

    def progress(self) -> dict[str, Any]:
        """While it drains: how many conversations are left, and for how many seconds at the most."""
        made = super().progress()
        if self._is_draining and not self._dry.done():
            opened, others = self._open_conversations.count()
            left_s = max(0.0, self._ends_at - self.context.clock.monotonic())
            made["drain"] = {"open": opened, "without_protocol": others, "left_s": round(left_s, 3)}
        return made

    def _look(self) -> None:
        """Has everything ended, and is it quiet where nothing says so? Then it is over."""
        opened, others = self._open_conversations.count()
        silent_s = self.context.clock.monotonic() - self._heard_at
        if not opened and (not others or silent_s >= self.options.quiet_s):
            self._end_drain()

    def _look_again(self) -> None:
        """A conversation can also end by what others say, or by time."""
        self._look()
        if not self._dry.done():
            self._next = self.context.clock.later(LOOK_S, self._look_again)

    def _end_drain(self) -> None:
        if not self._dry.done():
            self._dry.set_result(None)
