"""What waits for an agent, in which order, and the places of its turns.

In: messages as they come, are given to a cell, put back by the agent, and handled. Out: the next one. An urgent message
goes ahead of others (`priority`); one that the agent puts back waits `aside` until the agent has had a turn that it did
not put back, and then comes before all that waits. Whatever is overtaken so gets a place of its own
(journal/records/turn_places.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final, NamedTuple

from caxton.bus.envelope import Envelope
from caxton.bus.priority import urgent_lane
from caxton.journal import StoredPutBack

NEVER: Final = 1 << 62


class _PutBacks(NamedTuple):
    """What is known of a message that was put back."""

    first: int
    """The place of the first such turn."""
    times: int


class Mailbox:
    """`waiting` holds what the agent's cell has not been given yet, `in_flight` what it has and has not answered,
    `returned` what it gave back unhandled, and `aside` what the agent has put back."""

    __slots__ = (
        "_at_fault",
        "_before",
        "_front",
        "_in_order",
        "_numbers",
        "_places",
        "_urgent",
        "aside",
        "ended_no",
        "given_no",
        "in_flight",
        "last_seq",
        "late_upto",
        "put_backs",
        "puts_back",
        "returned",
        "turn_no",
        "waiting",
    )

    def __init__(self) -> None:
        self.waiting: deque[Envelope] = deque()
        self.in_flight: deque[Envelope] = deque()
        self.returned: list[Envelope] = []
        self.aside: deque[Envelope] = deque()
        self.puts_back = False
        """Whether the agent may put a message back: then its cell has one at a time."""
        self.last_seq = 0
        """The place of its latest turn: the number of its message, where none overtook it."""
        self.late_upto = 0
        """Messages up to this number get places of their own: some of them were overtaken."""
        self._places: dict[int, int] = {}
        """The places of such messages that its cell has."""
        self.given_no = 0
        """The number, among its own turns, of that on the message that its cell was given last."""
        self.turn_no = 0
        """That of the turn that ended last."""
        self.ended_no = 0
        """The highest of those that have ended."""
        self._numbers: dict[int, int] = {}
        """Those of the messages that two revisions have, whose turns may end in another order."""
        self._at_fault: str | None = None
        """Who sent what cost it its instance."""
        self._in_order = False
        """Whether nothing overtakes: a turn of a revision on trial may be taken back."""
        self._urgent: frozenset[int] = frozenset()
        """The urgent lane: what overtook others and waits."""
        self._front: set[int] = set()
        """What was put back, comes again, and waits before all others."""
        self.put_backs: dict[int, _PutBacks] = {}
        """What was put back and is not handled, by number."""
        self._before: dict[int, StoredPutBack] = {}
        """What was put back before the daemon's start and is not here again yet."""

    @property
    def depth(self) -> int:
        """Messages that wait, those in its cell included."""
        return len(self.waiting) + len(self.in_flight) + len(self.aside)

    # ------------------------------------------------------------------ coming

    def enter(self, envelope: Envelope, *, urgent_most: int = 0) -> bool:
        """Let a message wait. Where it is urgent, and fewer than `urgent_most` are, it overtakes; whether it did."""
        lane = None
        if envelope.urgent and urgent_most and not self._in_order:
            lane = urgent_lane(self.waiting, self._urgent, envelope, urgent_most, self._front)
        if lane is not None:
            self._urgent = lane.seqs
        if lane is None or lane.end == len(self.waiting):
            self.waiting.append(envelope)
            return False
        self.late_upto = max(self.late_upto, envelope.seq)
        self.waiting.insert(lane.end, envelope)
        return True

    def enter_first(self, envelope: Envelope) -> None:
        """Let a message wait before all others, urgent ones too."""
        if not self.waiting or self._in_order:
            self.waiting.append(envelope)
            return
        self.late_upto = max(self.late_upto, envelope.seq)
        self._urgent |= {envelope.seq}
        self.waiting.appendleft(envelope)

    def enter_again(self, envelope: Envelope) -> bool:
        """After a start: let a message wait where it did, if the agent had put it back; whether it had."""
        before = self._before.pop(envelope.seq, None) if self._before else None
        if before is None:
            return False
        self.put_backs[envelope.seq] = _PutBacks(before.first, before.times)
        earlier = (seq for seq, known in self.put_backs.items() if known.first < before.first)
        if before.aside:
            here = {one.seq for one in self.aside}
            self.aside.insert(len(here.intersection(earlier)), envelope)
        else:
            self.waiting.insert(len(self._front.intersection(earlier)), envelope)
            self._front.add(envelope.seq)
        return True

    def blame(self, sender: str) -> None:
        """A message of that sender has cost it its instance."""
        self._at_fault = sender

    def others_first(self, platform: Collection[str]) -> None:
        """What waits of whoever has cost it its instance comes after what waits of others, so that its return is on
        that one's account. What the platform's agents say may be about the messages before it: it waits with those."""
        moved = {self._at_fault, *platform}
        at_fault, self._at_fault = self._at_fault, None
        if at_fault is None or self._in_order:
            return
        stay = self._front | self._urgent
        later = [one for one in self.waiting if one.message.sender in moved and one.seq not in stay]
        if later and any(one.message.sender == at_fault for one in later):
            seqs = {one.seq for one in later}
            order = [*(one for one in self.waiting if one.seq not in seqs), *later]
            self.late_upto = max(self.late_upto, *(one.seq for one in order))
            self.waiting.clear()
            self.waiting.extend(order)

    # ------------------------------------------------------------------ its turn

    def give(self, envelope: Envelope) -> None:
        """Its cell gets that message next."""
        if envelope.seq <= self.late_upto:
            place = self._places[envelope.seq] = max(envelope.seq, self.given + 1)
            self.late_upto = max(self.late_upto, place)
            self._front.discard(envelope.seq)
        if envelope.recallable:
            envelope.give()
        if not self._in_order:
            self.given_no += 1
        elif envelope.seq not in self._numbers:
            self.given_no += 1
            self._numbers[envelope.seq] = self.given_no
        self.in_flight.append(envelope)

    def turn_number(self, envelope: Envelope) -> int:
        """The number of the turn on the message that its cell was given last."""
        return self._numbers.get(envelope.seq) or self.given_no

    @property
    def holds_back(self) -> bool:
        """Whether what is next waits until its cell has nothing else of it."""
        return bool(self.in_flight) and (self.puts_back or self.waiting[0].recallable)

    def put_back(self, envelope: Envelope) -> None:
        """Its latest turn, on that message, has put it back."""
        first, times = self.put_backs.get(envelope.seq, (self.last_seq, 0))
        self.put_backs[envelope.seq] = _PutBacks(first, times + 1)
        self.late_upto = max(self.late_upto, envelope.seq)
        self.aside.append(envelope)

    def times_put_back(self, seq: int) -> int:
        """How often a message was put back."""
        known = self.put_backs.get(seq)
        return 0 if known is None else known.times

    def done(self, seq: int) -> None:
        """A turn has ended that was not put back, on that message: what is aside comes again now."""
        self.put_backs.pop(seq, None)
        self._front.update(one.seq for one in self.aside)
        self.waiting.extendleft(reversed(self.aside))
        self.aside.clear()

    def take_back(self) -> None:
        """Put what the cell did not handle in front of what waits, in the old order."""
        if self.returned and not self.in_flight:
            self.waiting.extendleft(reversed(self.returned))
            self.returned.clear()
            if not self._in_order:
                self.given_no = self.ended_no

    def pend_again(self, envelope: Envelope) -> None:
        """A turn that was caught has not ended: its message is the first that the cell has, as before."""
        for queue in (self.returned, self.waiting):
            for place, one in enumerate(queue):
                if one is envelope:
                    del queue[place]
                    break
        self._numbers[envelope.seq] = self.turn_no
        self.in_flight.appendleft(envelope)

    # ------------------------------------------------------------------ places

    def place(self, envelope: Envelope) -> int:
        """The place of a message's turn; of one that its cell does not have, where it would be if it came now."""
        seq = envelope.seq
        if seq > self.late_upto:
            return seq
        return self._places.get(seq) or max(seq, self.last_seq + 1)

    @property
    def given(self) -> int:
        """The place of the last message that its cell was given."""
        return self.place(self.in_flight[-1]) if self.in_flight else self.last_seq

    def places_upto(self, place: int) -> None:
        """After a start: places up to this one are taken, and not all of them by the messages of these numbers."""
        self.late_upto = place

    def numbers_upto(self, number: int) -> None:
        """After a start: its turns have had numbers up to that one."""
        if not self.given_no:
            self.given_no = self.ended_no = number

    def was_put_back(self, before: Iterable[StoredPutBack]) -> None:
        """After a start: these were put back and are not finished."""
        self._before = {one.seq: one for one in before}

    def past_upto(self, last_seq: int) -> int:
        """Up to which place everything is past; `last_seq` is the number that was given out last."""
        return max(self.waiting[0].seq - 1, self.late_upto) if self.waiting else last_seq

    # ------------------------------------------------------------------ what there is

    def oldest(self) -> int:
        """The lowest number of a message that waits, NEVER where none does."""
        lowest = min((one.seq for one in self.aside), default=NEVER)
        for queue in (self.in_flight, self.returned, self.waiting):
            if queue:
                overtaken = self.late_upto and queue[0].seq <= self.late_upto
                lowest = min(lowest, min(one.seq for one in queue) if overtaken else queue[0].seq)
        return lowest

    def mail(self) -> Iterator[tuple[Envelope, bool]]:
        """What waits, in order, and whether its cell has it already."""
        yield from ((envelope, True) for envelope in self.in_flight)
        yield from ((envelope, False) for envelope in (*self.returned, *self.aside, *self.waiting))

    def without(self, which: Callable[[Envelope], bool]) -> list[Envelope]:
        """Take out what waits and is meant; it is the caller's from now on."""
        gone: list[Envelope] = []
        for queue in (self.aside, self.waiting):
            kept: list[Envelope] = []
            for envelope in queue:
                (gone if which(envelope) else kept).append(envelope)
            if len(kept) < len(queue):
                queue.clear()
                queue.extend(kept)
        for envelope in gone:
            self.put_backs.pop(envelope.seq, None)
            self._front.discard(envelope.seq)
        return gone
