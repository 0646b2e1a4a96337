"""The referee at work on the bus: which setting holds for whom, what time does, and what has to be written down.

In: each admitted message that has a protocol or belongs to a judged conversation, and the clock. Out: verdicts for
the bus to follow, effects of time (a deadline has passed, somebody is gone), and rows by which a start of the daemon
finds every conversation where it was. The state of a conversation is a view of the journal: what was not written
down yet is judged again from the messages after meta `judged_upto`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec
import structlog

from caxton.acl.message import Message, read_message
from caxton.bus.conversation_states import COMPLETE, KEPT, TABLES, ConversationStates, state_row
from caxton.clock import Clock
from caxton.errors import ConfigurationError
from caxton.journal import JUDGED_UPTO, Reader, StoredEvent, StoredState
from caxton.protocols import Conversation, Effect, Legality, Library, Verdict, read_table
from caxton.protocols.clock_pause import Stop, joined, stand
from caxton.protocols.conversation import NEVER
from caxton.protocols.protocol import EXPIRED

Mode = Literal["enforce", "warn", "off"]

BRANCH_EVENT: Final = "branch"
"""The kind of event that says that a branch ended without a message of its own two."""
WRITE_S: Final = 0.5
"""How often states of conversations are written down while there are any."""
RESTORED: Final = 10_000
"""Complete conversations that a start of the daemon takes up again beside the open ones, so that nobody begins
another with an id of theirs."""
TRACES: Final = 8
_PAGE: Final = 5_000

log = structlog.get_logger("caxton.bus")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Conversation).decode
_LEGAL: Final = Legality.LEGAL
_VIOLATION: Final = Legality.VIOLATION


class RefereeService(ConversationStates):
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
        super().__init__(clock, protocols, kept, complete)
        self.mode_of_all: Mode = mode
        self._modes: dict[str, Mode] = {}
        self._released: set[str] = set()
        """Conversations that are not judged any more, because the setting was off for a while."""
        self._ended: list[tuple[str, tuple[Effect, ...]]] = []
        """What members are to be told of conversations that ended with this start."""
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
        try:
            if message.timestamp > before_us:
                self._heed_work(conversation)
            verdict = self.referee.judge(message, message.timestamp)
        except Exception as error:  # noqa: BLE001  # a fault in one conversation's judgement ends that one only
            self._broke(conversation, error, seq)
            return None
        if verdict.legality is _LEGAL and message.trace_id not in conversation.traces:
            self._link(conversation, message.trace_id)
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
        if name is None or self.off or message.conversation_id in self._released or self.mode(name) == "off":
            return None
        self._hearing = seq
        proxy_of = _proxy_of(extensions)
        if proxy_of in self.standing:
            self.stand(proxy_of, message.timestamp)
        try:
            verdict = self.referee.judge(message, message.timestamp, proxy_of)
        except Exception as error:  # as in `hear`
            log.error("a message cannot be judged", conversation=message.conversation_id, exc_info=error)
            return None
        conversation = self.known.get(message.conversation_id)
        if conversation is not None:
            conversation.touched_by((message.trace_id,))
            if conversation.table not in self._tables:
                self._tables[conversation.table] = self.library.tables[conversation.table].text
                self._new_tables = True
            self.touched(conversation.id, seq)
            self._arm(conversation)
            if conversation.serves is not None:
                self.touched(conversation.serves, seq)
        return None if _plain(verdict) and verdict.rule != "unknown-protocol" else verdict

    def undelivered(self, message: Message, names: list[str], seq: int) -> tuple[Effect, ...]:
        """A message did not reach these, and nobody is told of it by a message: what follows."""
        effects = self.referee.lose(message.conversation_id, names)
        if effects:
            self.touched(message.conversation_id, seq)
        return effects

    def _link(self, conversation: Conversation, trace_id: str) -> None:
        """One more trace has said something in it; of those that are done only the last few are of interest."""
        conversation.touched_by((*conversation.traces[-TRACES + 1 :], trace_id))

    def gone(self, agent: str, why: str, ams: str, seq: int) -> dict[str, tuple[Effect, ...]]:
        """An agent will not answer any more: what the platform is to say, by conversation."""
        told = self.referee.died(agent, why, ams)
        for id in told:
            self.touched(id, seq)
        return told

    # ------------------------------------------------------------------ after a start

    def begin(self) -> None:
        """The system is there: tell members of conversations that ended with this start."""
        ended, self._ended = self._ended, []
        for id, effects in ended:
            self._tell(id, effects)

    async def restore(self, reader: Reader, platform: str | None = None) -> int:
        """After a start: take up every conversation where it was, each by the table by which it began; returns how many
        are open. Those whose members have other names now, because the platform has, end.

        Deadlines that have passed meanwhile have their effect as soon as the clock runs.
        """
        await self._restore_tables(reader)
        latest_us = (await reader.stats()).last_us
        written: dict[str, int] = {}
        for stored in await reader.latest_states(RESTORED):
            conversation = self._restored(stored, platform)
            if conversation is not None:
                self.known[stored.id] = conversation
                written[stored.id] = stored.seq
        if self.off:
            return 0
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
                    conversation = self.known.get(id)
                    if conversation is not None and id in stops:
                        stand(conversation, stops[id], message.timestamp)
                    if conversation is not None and message.timestamp > conversation.next_us:
                        # that it had expired would be an event of its own
                        conversation.worked(message.timestamp)
                    self._judge_again(message, row.seq, row.body)
        for id, spans in stops.items():
            if spans[-1][1] == NEVER:
                self.standing[id] = spans[-1][0]
            if id in self.known:
                stand(self.known[id], spans, self._clock.now_us())
        for conversation in self.known.values():
            if conversation.id not in self._changed:
                self._sort(conversation)
            # a clock that was set back meanwhile makes no deadline longer than it was
            self._arm(conversation, max(latest_us, self._clock.now_us()) - self._elapsed_us())
        return sum(conversation.open > 0 for conversation in self.known.values())

    async def _restore_tables(self, reader: Reader) -> None:
        """Have the tables at hand by which conversations began, also those that are edited or gone since."""
        self._tables = msgspec.json.decode(str(await reader.meta(TABLES) or "{}"), type=dict[str, str])
        for table, text in self._tables.items():
            if table not in self.library.tables:
                try:
                    self.library.keep(read_table(text, f"the table {table} of the journal"))
                except ConfigurationError as error:
                    log.warning("an earlier protocol table is not understood any more", reason=error.message)

    def _restored(self, stored: StoredState, platform: str | None) -> Conversation | None:
        """A conversation as it was; None where it is not judged any more."""
        try:
            conversation = _decode(stored.data)
        except msgspec.MsgspecError as error:
            log.error("a conversation's state cannot be read", conversation=stored.id, reason=str(error))
            return None
        if not conversation.table and conversation.protocol in self.library.protocols:
            # an earlier version did not say which table it was
            conversation.goes_by(self.library.protocols[conversation.protocol].table)
        protocol = self.library.of(conversation)
        if conversation.released or self.mode(conversation.protocol) == "off":
            if conversation.open:
                self._ended.append((stored.id, ()))
                conversation.release()
                self._forgotten.append(state_row(conversation, stored.seq))
            if conversation.released:
                self._released.add(stored.id)
            return None
        if conversation.open:
            why = None
            if protocol is None:
                why = f"the table of {conversation.protocol} by which it began is not there any more"
            elif platform is not None and not _has_member_of(conversation, platform):
                why = f"the platform is called {platform} now"
            if why is not None:
                self._ended.append((stored.id, conversation.abort(protocol, why)))
                self._forgotten.append(state_row(conversation, stored.seq))
                return None
        return conversation if protocol is not None else None

    def _judge_again(self, message: Message, seq: int, body: bytes) -> None:
        """A message after the last state that was written; what followed from it is in the journal already."""
        extensions = None
        if message.conversation_id not in self.known and b'"x_proxy_of"' in body:
            extensions = {"x_proxy_of": msgspec.Raw(_encode(msgspec.json.decode(body)["x_proxy_of"]))}
        self.hear(message, seq, extensions)

    def _again(self, event: StoredEvent, written: Mapping[str, int], stops: Mapping[str, list[Stop]]) -> None:
        if event.kind != BRANCH_EVENT:
            return
        said = msgspec.json.decode(event.body, type=dict[str, object])
        id = str(said.get("conversation"))
        conversation = self.known.get(id)
        if conversation is not None and id in stops:
            stand(conversation, stops[id], event.at_us)
        if conversation is not None and written.get(id, 0) < event.seq and conversation.next_us < event.at_us:
            if said.get("state") != EXPIRED:
                # what ended then was a branch with a deadline; that the rest went on was because somebody worked on it
                conversation.worked(event.at_us)
            self.referee.pass_time(id, event.at_us)
            self.touched(id, event.seq)


def _plain(verdict: Verdict) -> bool:
    """Whether a message is legal and nothing follows from it."""
    return verdict.legality is _LEGAL and not verdict.effects and verdict.warning is None


def _proxy_of(extensions: Mapping[str, msgspec.Raw] | None) -> str | None:
    raw = extensions.get("x_proxy_of") if extensions else None
    if raw is None:
        return None
    value: object = msgspec.json.decode(raw)
    return value if isinstance(value, str) else None


def _has_member_of(conversation: Conversation, platform: str) -> bool:
    """Whether anybody of that platform takes part."""
    return any(name.endswith(f"@{platform}") for name in (conversation.initiator, *conversation.branches))
