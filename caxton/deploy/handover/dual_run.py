"""Two revisions of one agent at work on the same messages, in the same order; one of them speaks.

                        ┌──▶ old instance ──▶ what it would say ─┐
    mailbox ──▶ DualRun ┤                                        ├──▶ one of the two is said: Bus.ended
                        └──▶ new instance ──▶ what it would say ─┘

In: an agent's messages, as to any port. Out: each message to both instances, and for each one turn on the bus, that
of the revision which the message's conversation belongs to. Where the new one fails, what the old one said of the same
message is there already and is said instead. Both have handled everything, so either can go on alone at any moment
with nothing lost; a dual run costs a second turn for each message of this agent, and nothing for any other agent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from caxton.bus import Bus, Endpoint, Envelope
from caxton.bus.turns import read_fault
from caxton.cells import Answer, CellLink, CellLost
from caxton.deploy.strategies.revision_metrics import PendingTurn
from caxton.sandbox.frames import Kind
from caxton.turn_status import DISCARDED, Status

ROOM: Final = 256
"""Messages that are pending and of which nothing was said."""
LAG: Final = 1_024
"""So many messages the new revision may be behind; with more it is taken for broken, and joins again."""
_KEPT: Final = (Status.OK, Status.GUEST_ERROR)
"""After a turn with one of these the instance is there, and has handled its message."""


class Observer(Protocol):
    """Who the dual run belongs to."""

    def speaks(self, envelope: Envelope) -> bool:
        """Whether this message's conversation is the new revision's."""
        ...

    def heard(self, turn: PendingTurn) -> None:
        """Both have handled a message."""
        ...

    def apart(self, seq: int, *, new: bool, held: bool) -> None:
        """One of the two (the new revision or the old one) remembers that message or not, whatever its row says."""
        ...

    def fell(self, reason: str) -> None:
        """The new instance is gone; until it joins again the old one speaks."""
        ...

    def lost(self, why: str) -> None:
        """The cell of both died, or the agent was given up."""
        ...


class DualRun:
    """A port between the bus and a cell's link, and the watch over what the new revision says."""

    def __init__(
        self,
        bus: Bus,
        link: CellLink,
        endpoint: Endpoint,
        revisions: tuple[int, int],
        draw: tuple[bool, bool],
        observer: Observer,
    ) -> None:
        self.room = ROOM
        self.catches = False
        self.old_breaks = 0
        """How often the old instance was lost."""
        self._bus = bus
        self._link = link
        self._endpoint = endpoint
        self._old_no, self._new_no = revisions
        self._draw = draw
        """Whether each of them may ask for randomness."""
        self._observer = observer
        self._new_slot: int | None = None
        self._turns: dict[int, PendingTurn] = {}
        self._heard: set[int] = set()
        """What the new one has handled and the old one must be given again."""
        self._ready: list[PendingTurn] = []
        self._planned = False
        self._caught = False
        self._behind = 0
        self._over = False
        self._emptied: asyncio.Future[None] | None = None
        endpoint.keep_state_after(None)
        endpoint.divert(self, self)
        bus.ports.append(self)

    # ------------------------------------------------------------------ its life

    def seat(self, slot: int) -> None:
        """From now on the instance in that slot handles every message, too."""
        self._new_slot = slot
        self._behind = 0
        self._heard.clear()

    @property
    def seated(self) -> bool:
        """Whether the new revision handles messages now."""
        return self._new_slot is not None

    @property
    def over(self) -> bool:
        """Whether one of the two goes on alone, or their cell died."""
        return self._over

    def unseat(self) -> None:
        """The new revision says nothing more; what it was to say is said by the old one."""
        self._new_slot = None
        for turn in list(self._turns.values()):
            turn.leave_to_old()
            self._decide(turn)
        if not self._turns:
            self._wake()

    async def quiet(self) -> None:
        """Wait until both have handled everything that they were given; close the mailbox first.

        What was said of a message may be said while the other one is still at it, and may yet break down.
        """
        await self._endpoint.idle()
        while self._turns and not self._over:
            self._emptied = asyncio.get_running_loop().create_future()
            await self._emptied

    def end(self) -> None:
        """It is no port any more; close the mailbox and wait until it is quiet first."""
        self._over = True
        self._wake()
        self._endpoint.direct(self._link)
        self._endpoint.runs(self._old_no)
        self._bus.ports.remove(self)

    # ------------------------------------------------------------------ as a port

    def push(self, endpoint: Endpoint, envelope: Envelope) -> None:
        """Give one message to both."""
        self.room -= 1
        endpoint.give(envelope)
        if self._behind == LAG:
            # not now: what the old one says of all that is said in one go, and this is in the middle of something
            asyncio.get_running_loop().call_soon(self._too_late)
        heard = envelope.seq in self._heard
        slot = None if heard else self._new_slot
        for_new = slot is not None and self._observer.speaks(envelope)
        place = endpoint.place(envelope)
        turn = PendingTurn(envelope, place, slot is not None, for_new, for_new, held_new=heard)
        self._heard.discard(envelope.seq)
        self._turns[place] = turn
        try:
            head = self._bus.seeds.head(endpoint.turn_number(envelope), place)
            old, new = (head if drawn else b"" for drawn in self._draw)
            self._ask(turn, old, endpoint.slot, partial(self._old_answered, turn))
            if slot is not None:
                self._behind += 1
                self._ask(turn, new, slot, partial(self._new_answered, turn, slot))
        except CellLost:
            pass  # what is in flight is given back when the cell's end is told

    def wait(self, endpoint: Endpoint) -> None:
        """Nothing to remember: `settle` looks into the mailbox."""

    def settle(self) -> None:
        """After a burst: take what waits while there is room."""
        endpoint = self._endpoint
        if self._over or not endpoint.open or not endpoint.waiting or self._bus.journal.congested:
            return
        while self.room > 0 and endpoint.waiting and not endpoint.holds_back:
            self.push(endpoint, endpoint.waiting.popleft())
        self._link.settle()

    # ------------------------------------------------------------------ as a trial

    def failed(self, envelope: Envelope, code: str, reason: str) -> None:
        """The bus refused what the new revision said: its message will be pending again."""
        self._caught = True

    def lost(self, why: str) -> None:
        """The cell died: what was pending goes back to the mailbox, and the agent is the old revision again."""
        self.end()
        self._turns.clear()
        self._observer.lost(why)

    # ------------------------------------------------------------------ answers

    def _ask(
        self, turn: PendingTurn, head: bytes, slot: int, told: Callable[[asyncio.Future[Answer]], None]
    ) -> None:
        self._link.ask(Kind.ASIDE, slot, head + turn.envelope.body).add_done_callback(told)

    def _old_answered(self, turn: PendingTurn, future: asyncio.Future[Answer]) -> None:
        answer = _answer(future)
        if answer is None or self._over:
            return
        turn.old_answered(answer)
        if answer.status in DISCARDED:
            self.old_breaks += 1
        self._plan(turn)

    def _new_answered(self, turn: PendingTurn, slot: int, future: asyncio.Future[Answer]) -> None:
        answer = _answer(future)
        if answer is None or self._over:
            return
        if slot == self._new_slot:
            self._behind -= 1
        turn.new_answered(answer)
        self._plan(turn)
        if answer.status in DISCARDED and slot == self._new_slot:
            code, reason = read_fault(answer.status, answer.payload)
            self._fall(f"message {turn.envelope.seq}: {code}: {reason}")

    def _too_late(self) -> None:
        if not self._over and self._behind >= LAG:
            self._fall(f"it was {LAG} messages behind")
            self._bus.settle()

    def _fall(self, reason: str) -> None:
        self._decide_ready()
        self.unseat()
        self._observer.fell(reason)

    def _plan(self, turn: PendingTurn) -> None:
        self._ready.append(turn)
        if not self._planned:
            self._planned = True
            # one look at all that came in one read
            asyncio.get_running_loop().call_soon(self._work)

    def _work(self) -> None:
        self._planned = False
        if self._over:
            return
        self._decide_ready()
        self._bus.settle()

    def _decide_ready(self) -> None:
        # a state taken now would hold turns that are not written down
        self._endpoint.keep_state_after(None)
        ready, self._ready = self._ready, []
        for turn in ready:
            self._decide(turn)
        if not self._turns:
            self._wake()

    # ------------------------------------------------------------------ one message

    def _decide(self, turn: PendingTurn) -> None:
        """Say what is to be said, as soon as it is known."""
        if self._over or self._turns.get(turn.place) is not turn:
            return
        if not turn.said and turn.new_speaks:
            if turn.new is None:
                return
            if turn.new.status != Status.OK or not self._say(turn, turn.new, self._new_no, new=True):
                turn.leave_words_to_old()
        if not turn.said:
            if turn.old is None:
                return
            self._say(turn, turn.old, self._old_no, new=False)
            if turn.old.status == Status.UNHANDLED:
                # it comes back out of the mailbox; the new one has handled it, or will have
                del self._turns[turn.place]
                if turn.held_new or (turn.asked_new and (turn.new is None or turn.new.status in _KEPT)):
                    self._heard.add(turn.envelope.seq)
                return
        if turn.old is not None and (turn.new is not None or not turn.asked_new):
            del self._turns[turn.place]
            self._tell_apart(turn, turn.old)
            if turn.new_speaks and turn.old.status in DISCARDED:
                self._old_broke(turn.old)
            if turn.new is not None and Status.UNHANDLED not in (turn.old.status, turn.new.status):
                self._observer.heard(turn)

    def _say(self, turn: PendingTurn, answer: Answer, revision_no: int, *, new: bool) -> bool:
        """Let the bus have one side's turn; False where it did not take the new one's."""
        endpoint, envelope = self._endpoint, turn.envelope
        # another conversation's slower turn holds nobody up
        endpoint.in_flight.remove(envelope)
        endpoint.in_flight.appendleft(envelope)
        endpoint.runs(revision_no)
        was_open, last_seq = endpoint.open, endpoint.last_seq
        counts = self._bus.counts
        wrongs, put_backs = counts.turns_refused + counts.violations, counts.put_backs
        self.catches, self._caught = new, False
        try:
            self._bus.ended(
                endpoint,
                envelope.seq,
                answer.status,
                answer.said,
                answer.payload,
                answer.fuel,
                answer.started_us,
                answer.turn_us,
            )
        finally:
            self.catches = False
        if self._caught:
            turn.refuse()
            endpoint.pending_again(envelope, is_open=was_open)
            return False
        endpoint.took_up(max(endpoint.last_seq, last_seq))
        violated = counts.turns_refused + counts.violations > wrongs
        turn.end(violated=violated, put_back=counts.put_backs > put_backs)
        self.room += 1
        return True

    def _wake(self) -> None:
        if self._emptied is not None and not self._emptied.done():
            self._emptied.set_result(None)

    def _tell_apart(self, turn: PendingTurn, old: Answer) -> None:
        """Say whose memory is another than the turn's row makes it: a turn that went well is everybody's."""
        seq, new = turn.own_seq, turn.new
        went_well = turn.new_speaks or old.status in _KEPT
        if went_well and old.status in DISCARDED:
            self._observer.apart(seq, new=False, held=False)
        if went_well and new is not None and new.status in DISCARDED:
            self._observer.apart(seq, new=True, held=False)
        bore = turn.asked_new and new is not None and new.status in _KEPT
        if not went_well and (bore or turn.held_new):
            self._observer.apart(seq, new=True, held=True)

    def _old_broke(self, answer: Answer) -> None:
        """A turn of which nothing was said cost the old instance: it is started again as after any other."""
        code, reason = read_fault(answer.status, answer.payload)
        self._endpoint.shut()
        self._bus.turns.broke(self._endpoint, answer.status, code, reason)


def _answer(future: asyncio.Future[Answer]) -> Answer | None:
    """What was answered; None where the cell died first."""
    if future.cancelled() or future.exception() is not None:
        return None
    return future.result()
