"""The referee at work on the bus: which setting holds for whom, what time does, and what has to be written down.

In: each admitted message that has a protocol or belongs to a judged conversation, and the clock. Out: verdicts for
the bus to follow, effects of time (a deadline has passed, somebody is gone), and rows by which a start of the daemon
finds every conversation where it was. The state of a conversation is a view of the journal: what was not written
down yet is judged again from the messages after meta `judged_upto`.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Final, Literal

import msgspec

from caxton.acl.message import Message, read_message
from caxton.clock import Alarm, Clock
from caxton.errors import ConfigurationError
from caxton.ids import conversation_key
from caxton.journal import JUDGED_UPTO, Batch, ConversationState, Reader, StoredEvent
from caxton.protocols import Conversation, Effect, Legality, Library, Referee, Verdict, library
from caxton.protocols.clock_pause import Stop, joined, stand
from caxton.protocols.conversation import NEVER

Mode = Literal["enforce", "warn", "off"]

BRANCH_EVENT: Final = "branch"
"""The kind of event that says that a branch ended without a message of its own two."""
KEPT: Final = 100_000
"""Conversations in memory."""
COMPLETE: Final = 20_000
"""Of these, complete ones: the last that were written down. Who speaks in an earlier one begins it anew."""
STALE_MAX: Final = 1_000
"""Entries of the heap that nobody waits for any more, beside as many as there are that somebody does."""
WRITE_S: Final = 0.5
"""How often states of conversations are written down while there are any."""
WRITTEN_AT_ONCE: Final = 100
"""States that one such step writes at most, or a twentieth of what waits. The fewer, the less it costs while messages
flow, and the more of them are judged again after a crash."""
RESTORED: Final = 10_000
"""Complete conversations that a start of the daemon takes up again beside the open ones, so that nobody begins
another with an id of theirs."""
_PAGE: Final = 5_000

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Conversation).decode
_LEGAL: Final = Legality.LEGAL
_VIOLATION: Final = Legality.VIOLATION


class RefereeService:
    """Judges for the bus. Not thread-safe: one asyncio thread owns it.

    `modes` gives single protocols a setting of their own, by any of their names. Raises ConfigurationError for a
    name that no protocol has.
    """

    def __init__(
        self,
        clock: Clock,
        protocols: Library | None = None,
        mode: Mode = "enforce",
        modes: Mapping[str, Mode] | None = None,
        kept: int = KEPT,
        complete: int = COMPLETE,
    ) -> None:
        self.library = protocols or library()
        self.mode_of_all: Mode = mode
        self.referee = Referee(self.library, kept, seen=0, forget=self._forget)
        self.known = self.referee.conversations
        """Conversations that are judged, by id."""
        self._on_time: Callable[[str, tuple[Effect, ...]], None] = _nobody
        self.standing: dict[str, int] = {}
        """Conversations whose clock stands still, because something of them is held, and since when."""
        self._clock = clock
        self._modes: dict[str, Mode] = {}
        self._changed: dict[str, int] = {}
        """By conversation: the first message after which its state is not written down; in that order."""
        self._complete: dict[str, None] = {}
        """Complete conversations that are written down, the latest last."""
        self._complete_max = complete
        self._hearing = 0
        self._forgotten: list[ConversationState] = []
        self._due: list[tuple[int, str]] = []
        self._armed_for: dict[str, int] = {}
        self._alarm: Alarm | None = None
        self._alarm_us = NEVER
        self._marked = -1
        for name, chosen in (modes or {}).items():
            protocol = self.library.find(name)
            if protocol is None:
                there = ", ".join(self.library.protocols)
                raise ConfigurationError(
                    f"[referee.protocols] names {name!r}, which no protocol is called",
                    hint=f"there are: {there}",
                )
            self._modes[protocol.name] = chosen
        self.off = mode == "off" and not self._modes

    def listen(self, on_time: Callable[[str, tuple[Effect, ...]], None]) -> None:
        """Be told what time has done in a conversation."""
        self._on_time = on_time

    def mode(self, protocol_name: str | None) -> Mode:
        """The setting for a protocol, by any of its names."""
        protocol = self.library.find(protocol_name) if protocol_name is not None else None
        return self.mode_of_all if protocol is None else self._modes.get(protocol.name, self.mode_of_all)

    # ------------------------------------------------------------------ messages

    def hear(
        self, message: Message, seq: int, extensions: Mapping[str, msgspec.Raw] | None = None
    ) -> Verdict | None:
        """Judge a message, at its own time; None where there is nothing to do but deliver it."""
        id = message.conversation_id
        conversation = self.known.get(id)
        if conversation is None:
            return self._begin(message, seq, extensions)
        before_us = conversation.next_us
        verdict = self.referee.judge(message, message.timestamp)
        if id not in self._changed and (verdict.legality is not _VIOLATION or verdict.effects):
            self._changed[id] = seq
        if conversation.next_us != before_us:
            self._arm(conversation)
        if conversation.serves is not None:
            self.touched(conversation.serves, seq)
        if verdict.legality is _LEGAL and not verdict.effects and verdict.warning is None:
            return None
        return verdict

    def _begin(
        self, message: Message, seq: int, extensions: Mapping[str, msgspec.Raw] | None
    ) -> Verdict | None:
        """A message of a conversation that is not judged yet."""
        name = message.protocol
        if name is None or self.off or self.mode(name) == "off":
            return None
        self._hearing = seq
        proxy_of = _proxy_of(extensions)
        if proxy_of in self.standing:
            self.stand(proxy_of, message.timestamp)
        verdict = self.referee.judge(message, message.timestamp, proxy_of)
        conversation = self.known.get(message.conversation_id)
        if conversation is not None:
            self.touched(conversation.id, seq)
            self._arm(conversation)
            if conversation.serves is not None:
                self.touched(conversation.serves, seq)
        return None if _plain(verdict) and verdict.rule != "unknown-protocol" else verdict

    def gone(self, agent: str, why: str, ams: str, seq: int) -> dict[str, tuple[Effect, ...]]:
        """An agent will not answer any more: what the platform is to say, by conversation."""
        told = self.referee.died(agent, why, ams)
        for id in told:
            self.touched(id, seq)
        return told

    # ------------------------------------------------------------------ time

    def _arm(self, conversation: Conversation) -> None:
        """See to it that time looks at the conversation when something happens by time alone."""
        id, at_us = conversation.id, conversation.next_us
        if at_us >= self._armed_for.get(id, NEVER):
            return
        self._armed_for[id] = at_us
        heapq.heappush(self._due, (at_us, id))
        if at_us < self._alarm_us:
            self._set_alarm()

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        at_us = self._alarm_us = self._due[0][0]
        # a deadline is still in time at its own microsecond
        delay_s = max(0.0, (at_us + 1 - self._clock.now_us()) / 1e6)
        self._alarm = self._clock.later(delay_s, self._ring)

    def _ring(self) -> None:
        """It is time for the conversation whose turn comes first, and for all others that are due."""
        self._alarm, self._alarm_us = None, NEVER
        now = self._clock.now_us()
        due = self._due
        while due and due[0][0] < now:
            at_us, id = heapq.heappop(due)
            if self._armed_for.get(id) == at_us:
                del self._armed_for[id]
            conversation = self.known.get(id)
            if conversation is None or id in self.standing:
                continue
            if conversation.next_us < now:
                self._tell(id, self.referee.pass_time(id, now))
            self._arm(conversation)
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
        changed = self._changed
        many = len(changed) if all_of_it else max(WRITTEN_AT_ONCE, len(changed) // 20)
        batch.records.extend(self._forgotten)
        self._forgotten = []
        for id in list(islice(changed, many)):
            del changed[id]
            conversation = self.known[id]
            self._sort(conversation)
            batch.records.append(_row(conversation, last_seq))
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
            due[:] = [(at_us, id) for id, at_us in self._armed_for.items()]
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
            self._forgotten.append(_row(conversation, self._hearing - 1))

    async def restore(self, reader: Reader) -> int:
        """After a start: take up every conversation where it was; returns how many are open.

        Deadlines that have passed meanwhile have their effect as soon as the clock runs.
        """
        if self.off:
            return 0
        written: dict[str, int] = {}
        for stored in await reader.latest_states(RESTORED):
            conversation = _decode(stored.data)
            if conversation.protocol in self.library.protocols and self.mode(conversation.protocol) != "off":
                self.known[stored.id] = conversation
                written[stored.id] = stored.seq
        after = int(await reader.meta(JUDGED_UPTO) or 0)
        stops = {id: joined(spans) for id, spans in (await reader.stops(after)).items()}
        while rows := await reader.stream(after, _PAGE):
            for row in rows:
                after = row.seq
                if isinstance(row, StoredEvent):
                    self._again(row, written, stops)
                    continue
                message = read_message(row.body)
                id = message.conversation_id
                if written.get(id, 0) < row.seq:
                    if id in stops and id in self.known:
                        stand(self.known[id], stops[id], message.timestamp)
                    self._judge_again(message, row.seq, row.body)
        for id, spans in stops.items():
            if spans[-1][1] == NEVER:
                self.standing[id] = spans[-1][0]
            if id in self.known:
                stand(self.known[id], spans, self._clock.now_us())
        for conversation in self.known.values():
            if conversation.id not in self._changed:
                self._sort(conversation)
            self._arm(conversation)
        return sum(conversation.open > 0 for conversation in self.known.values())

    def _judge_again(self, message: Message, seq: int, body: bytes) -> None:
        """A message after the last state that was written; what followed from it is in the journal already."""
        extensions = None
        if message.conversation_id not in self.known and b'"x_proxy_of"' in body:
            extensions = {"x_proxy_of": msgspec.Raw(_encode(msgspec.json.decode(body)["x_proxy_of"]))}
        self.hear(message, seq, extensions)

    def _again(self, event: StoredEvent, written: Mapping[str, int], stops: Mapping[str, list[Stop]]) -> None:
        if event.kind != BRANCH_EVENT:
            return
        id = str(msgspec.json.decode(event.body, type=dict[str, object]).get("conversation"))
        conversation = self.known.get(id)
        if conversation is not None and id in stops:
            stand(conversation, stops[id], event.at_us)
        if conversation is not None and written.get(id, 0) < event.seq and conversation.next_us < event.at_us:
            self.referee.pass_time(id, event.at_us)
            self.touched(id, event.seq)


def _row(conversation: Conversation, seq: int) -> ConversationState:
    id = conversation.id
    data = _encode(conversation)
    return ConversationState(id, conversation_key(id), seq, conversation.last_us, conversation.open > 0, data)


def _plain(verdict: Verdict) -> bool:
    """Whether a message is legal and nothing follows from it."""
    return verdict.legality is _LEGAL and not verdict.effects and verdict.warning is None


def _proxy_of(extensions: Mapping[str, msgspec.Raw] | None) -> str | None:
    raw = extensions.get("x_proxy_of") if extensions else None
    if raw is None:
        return None
    value: object = msgspec.json.decode(raw)
    return value if isinstance(value, str) else None


def _nobody(id: str, effects: tuple[Effect, ...]) -> None:
    """Nobody listens yet."""
