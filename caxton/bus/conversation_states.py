"""The conversations that are judged: in memory, on the clock, and in the journal.

In: conversations as the referee changes them, and the time. Out: effects of time (a deadline has passed, nothing was
said for too long), and rows by which a start of the daemon finds every conversation where it was. A fault in one
conversation ends that one only.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import islice
from typing import Final

import msgspec
import structlog

from caxton.clock import Alarm, Clock
from caxton.ids import conversation_key
from caxton.journal import JUDGED_UPTO, Batch, ConversationState
from caxton.protocols import Conversation, Effect, Library, Referee, library
from caxton.protocols.clock_pause import stand
from caxton.protocols.conversation import NEVER

KEPT: Final = 100_000
"""Conversations in memory."""
COMPLETE: Final = 20_000
"""Of these, complete ones: the last that were written down. Who speaks in an earlier one begins it anew."""
STALE_MAX: Final = 1_000
"""Entries of the heap that nobody waits for any more, beside as many as there are that somebody does."""
WRITTEN_AT_ONCE: Final = 100
"""States that one such step writes at most, or a twentieth of what waits. The fewer, the less it costs while messages
flow, and the more of them are judged again after a crash."""
_NOT_ARMED: Final = (NEVER, 0)
TABLES: Final = "protocol_tables"
"""The journal's name for the tables by which conversations began."""
_BROKEN: Final = "it cannot be judged any more: the daemon's log has the defect"

_encode = msgspec.json.Encoder().encode
log = structlog.get_logger("caxton.bus")


class ConversationStates:
    """Not thread-safe: one asyncio thread owns it. `kept` conversations are in memory, `complete` of them complete."""

    def __init__(self, clock: Clock, protocols: Library | None, kept: int, complete: int) -> None:
        self.library = protocols or library()
        self.referee = Referee(self.library, kept, seen=0, forget=self._forget)
        self.known = self.referee.conversations
        """Conversations that are judged, by id."""
        self.standing: dict[str, int] = {}
        """Conversations whose clock stands still, because something of them is held, and since when."""
        self._on_time: Callable[[str, tuple[Effect, ...]], None] = _nobody
        self._worked_until: Callable[[str], int] = _idle
        self._clock = clock
        self._tables: dict[str, str] = {}
        """The tables that the journal has, or will have with the next states, by their hash."""
        self._new_tables = False
        self._changed: dict[str, int] = {}
        """By conversation: the first message after which its state is not written down; in that order."""
        self._complete: dict[str, None] = {}
        """Complete conversations that are written down, the latest last."""
        self._complete_max = complete
        self._hearing = 0
        self._forgotten: list[ConversationState] = []
        self._due: list[tuple[int, str]] = []
        self._armed_for: dict[str, tuple[int, int]] = {}
        """By conversation: when it is its turn, in elapsed time, and what the wall clock was ahead of that then."""
        self._alarm: Alarm | None = None
        self._alarm_us = NEVER
        self._marked = -1

    def listen(self, on_time: Callable[[str, tuple[Effect, ...]], None]) -> None:
        """Be told what time has done in a conversation."""
        self._on_time = on_time

    def heed(self, worked_until: Callable[[str], int]) -> None:
        """Know until when somebody has worked on a trace: that long no conversation that it has touched is idle."""
        self._worked_until = worked_until

    # ------------------------------------------------------------------ time

    def _heed_work(self, conversation: Conversation) -> None:
        """Count the time in which somebody worked on a conversation as no silence."""
        until_us = max(map(self._worked_until, conversation.traces), default=0)
        if until_us > conversation.last_us:
            conversation.worked(until_us)

    def _broke(self, conversation: Conversation, error: Exception, seq: int) -> None:
        """Judging one conversation met a defect: it ends, its members are told, and nothing else is touched."""
        id = conversation.id
        log.error("a conversation cannot be judged", conversation=id, exc_info=error)
        effects = conversation.abort(self.library.of(conversation), _BROKEN)
        self.touched(id, seq)
        self._clock.later(0.0, lambda: self._tell(id, effects))

    def _arm(self, conversation: Conversation, skew_us: int | None = None) -> None:
        """See to it that time looks at the conversation when something happens by time alone: once so much time has
        passed, however the wall clock is set meanwhile. `skew_us` is what that is ahead of elapsed time."""
        id = conversation.id
        if skew_us is None:
            skew_us = self._clock.now_us() - self._elapsed_us()
        due_us = conversation.next_us - skew_us if conversation.next_us < NEVER else NEVER
        if due_us >= self._armed_for.get(id, _NOT_ARMED)[0]:
            return
        self._armed_for[id] = due_us, skew_us
        heapq.heappush(self._due, (due_us, id))
        if due_us < self._alarm_us:
            self._set_alarm()

    def _elapsed_us(self) -> int:
        return round(self._clock.monotonic() * 1e6)

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        due_us = self._alarm_us = self._due[0][0]
        # a deadline is still in time at its own microsecond
        delay_s = max(0.0, (due_us + 1 - self._elapsed_us()) / 1e6)
        self._alarm = self._clock.later(delay_s, self._ring)

    def _ring(self) -> None:
        """It is time for the conversation whose turn comes first, and for all others that are due."""
        self._alarm, self._alarm_us = None, NEVER
        elapsed_us = self._elapsed_us()
        due = self._due
        while due and due[0][0] < elapsed_us:
            due_us, id = heapq.heappop(due)
            armed_us, skew_us = self._armed_for.get(id, _NOT_ARMED)
            if armed_us != due_us:
                continue
            del self._armed_for[id]
            conversation = self.known.get(id)
            if conversation is None or id in self.standing:
                continue
            # the wall clock as it would stand, had nobody set it since
            now = elapsed_us + skew_us
            try:
                if conversation.next_us < now:
                    self._heed_work(conversation)
                    self._tell(id, self.referee.pass_time(id, now))
            except Exception as error:  # noqa: BLE001  # as in `hear`: all others have their time
                self._broke(conversation, error, self._hearing)
            self._arm(conversation, skew_us)
        if due and self._alarm is None:
            self._set_alarm()

    def _tell(self, id: str, effects: tuple[Effect, ...]) -> None:
        if effects:
            self._on_time(id, effects)

    def close(self) -> None:
        """Let no more time pass."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    # ------------------------------------------------------------------ time that does not pass

    def stand(self, id: str, at_us: int) -> None:
        """A conversation stands still from now on, or still does: nothing of it ends by time until it goes on.

        To be called before anything is judged in a conversation that stands still.
        """
        since_us = self.standing.setdefault(id, at_us)
        conversation = self.known.get(id)
        if conversation is not None:
            stand(conversation, ((since_us, at_us),), at_us)

    def go_on(self, id: str, at_us: int, seq: int) -> None:
        """Its clock goes on, with what was left of its deadlines; `seq` is the message by which it does."""
        if id not in self.standing:
            return
        self.stand(id, at_us)
        del self.standing[id]
        conversation = self.known.get(id)
        if conversation is not None:
            self.touched(id, seq)
            self._arm(conversation)

    # ------------------------------------------------------------------ what is written down

    def touched(self, id: str, seq: int) -> None:
        """What happened at `seq` has changed that conversation."""
        if id in self.known:
            self._changed.setdefault(id, seq)

    def write(self, batch: Batch, last_seq: int, *, all_of_it: bool = False) -> None:
        """Put states that are not written down yet into a batch, and up to where all of them are.

        Everything up to `last_seq` has been judged.
        """
        if self._new_tables:
            batch.meta(TABLES, _encode(self._tables).decode())
            self._new_tables = False
        changed = self._changed
        many = len(changed) if all_of_it else max(WRITTEN_AT_ONCE, len(changed) // 20)
        batch.records.extend(self._forgotten)
        self._forgotten = []
        for id in list(islice(changed, many)):
            del changed[id]
            conversation = self.known[id]
            self._sort(conversation)
            batch.records.append(state_row(conversation, last_seq))
        self._let_go()
        upto = next(iter(changed.values())) - 1 if changed else last_seq
        if upto > self._marked:
            self._marked = upto
            batch.meta(JUDGED_UPTO, upto)

    def _sort(self, conversation: Conversation) -> None:
        """A complete conversation waits for nothing any more; one that goes on is not among the complete ones."""
        id = conversation.id
        self._complete.pop(id, None)
        if not conversation.open:
            self._complete[id] = None
            # when it goes on, time looks at it anew
            conversation.look_again_at(NEVER)
            self._armed_for.pop(id, None)

    def _let_go(self) -> None:
        """Keep no more complete conversations than there is room for, and no heap of what nobody waits for."""
        complete, known, due = self._complete, self.known, self._due
        for id in list(islice(complete, max(0, len(complete) - self._complete_max))):
            del complete[id]
            conversation = known.get(id)
            # what has changed since is sorted again when that is written down
            if conversation is not None and id not in self._changed and not self._is_owed(conversation):
                del known[id]
        if len(due) > 2 * len(self._armed_for) + STALE_MAX:
            due[:] = [(due_us, id) for id, (due_us, _) in self._armed_for.items()]
            heapq.heapify(due)

    def _is_owed(self, conversation: Conversation) -> bool:
        """Whether somebody still has to relay what came of it."""
        asking = self.known.get(conversation.serves) if conversation.serves is not None else None
        return asking is not None and asking.open > 0

    @property
    def unwritten(self) -> bool:
        """Whether there are states to write down."""
        return bool(self._changed or self._forgotten)

    def _forget(self, conversation: Conversation) -> None:
        """The referee has no room for it any more; what is not written down of it still will be."""
        self._armed_for.pop(conversation.id, None)
        self._complete.pop(conversation.id, None)
        if self._changed.pop(conversation.id, None) is not None:
            self._forgotten.append(state_row(conversation, self._hearing - 1))


def state_row(conversation: Conversation, seq: int) -> ConversationState:
    """A conversation as the journal keeps it; everything up to that number is in it."""
    id = conversation.id
    data = _encode(conversation)
    return ConversationState(id, conversation_key(id), seq, conversation.last_us, conversation.open > 0, data)


def _idle(trace_id: str) -> int:
    """Nobody knows of any work."""
    return 0


def _nobody(id: str, effects: tuple[Effect, ...]) -> None:
    """Nobody listens yet."""
