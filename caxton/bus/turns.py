"""A turn has ended in its cell: what it said, what it cost, and what failed.

In: a turn's result, in the order in which the agent was given its messages. Out: the turn's row, and what it said
admitted in the same batch of the journal, all of it or nothing; a failed turn's message becomes a dead letter, and its
sender is told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import msgspec
import structlog

from caxton.acl import Draft, read_draft
from caxton.bus.addressing import Addressing
from caxton.bus.causes import TREE_KEY, Tree, tree_full
from caxton.bus.conversations import ConversationEntry
from caxton.bus.counts import BusCounts
from caxton.bus.endpoint import WINDOW, WINDOW_US, Endpoint
from caxton.bus.envelope import Envelope
from caxton.bus.life import LIFE_ONTOLOGY, is_life
from caxton.bus.platform_messages import Notices
from caxton.bus.priority import check_priority
from caxton.bus.shares import REST_FROM_US, Shares
from caxton.bus.turn_output import TurnRefused, parse_output
from caxton.clock import Clock
from caxton.errors import InvalidMessage
from caxton.journal import Journal, TurnRow
from caxton.limits import BOUNDS
from caxton.turn_status import REDELIVERED, Status

# as numbers: a member of an enum costs a call to look up, on the way of every turn
_OK: Final = int(Status.OK)
_PUT_BACK: Final = int(Status.PUT_BACK)
_UNHANDLED: Final = int(Status.UNHANDLED)

# what the bus spends on what a turn says, roughly, in microseconds; measured would differ from run to run of one seed
_PLAIN_US: Final = WINDOW_US // WINDOW
_MESSAGE_US: Final = 25
_RECEIVER_US: Final = 3
_FAILURE_US: Final = 20
_LOG_US: Final = 25

Broken = Callable[[Endpoint, int, str, str], None]
"""Endpoint, status, code and reason of a turn that cost an instance."""

log = structlog.get_logger("caxton.bus")


class _Fault(msgspec.Struct):
    """What the bus wants to know of a cell's fault; there is more in it."""

    code: str
    reason: str


_read_fault = msgspec.json.Decoder(_Fault).decode


class TurnSink(Protocol):
    """The bus, as far as the end of a turn concerns it."""

    journal: Journal
    counts: BusCounts
    addressing: Addressing
    notices: Notices
    quick: bool

    @property
    def last_us(self) -> int:
        """The time of the latest message, µs."""
        ...

    def reply(self, speaker: str, cause: Envelope, draft: Draft) -> None:
        """Admit one message of a turn."""
        ...

    def reply_quickly(
        self, endpoint: Endpoint, cause: Envelope, entry: ConversationEntry, draft: Draft
    ) -> bool:
        """The same for a plain answer; True where it waits in place of its question."""
        ...

    def end_tree(self, tree: Tree, endpoint: Endpoint) -> None:
        """A causal tree has come to its limit by a turn of that agent."""
        ...

    def take_place(self, endpoint: Endpoint, seq: int) -> None:
        """That agent's latest turn has a place of its own."""
        ...

    def put_back(self, endpoint: Endpoint, envelope: Envelope, row: TurnRow) -> None:
        """That agent's latest turn, which that row would be of, has put its message back."""
        ...

    def dead_letter(self, receiver: str, envelope: Envelope, code: str, reason: str) -> None:
        """Make the message in hand a dead letter."""
        ...

    def call_broken(self, caller: str, envelope: Envelope, code: str, reason: str) -> None:
        """The message in hand was for a call of that agent; where it was, the agent is told to end it."""
        ...

    def event(
        self, kind: str, *, body: object, agent: str | None = None, conversation: str | None = None
    ) -> None:
        """Write down something that happened."""
        ...


class Turns:
    """Takes in the turns of all cells."""

    __slots__ = (
        "_bus",
        "_journal",
        "_measures",
        "_on_broken",
        "_on_snapshot_due",
        "_puts_back",
        "_replaced",
        "_shares",
        "_spent_us",
    )

    def __init__(self, bus: TurnSink, clock: Clock) -> None:
        self._bus = bus
        self._shares = Shares(clock, bus.journal)
        self._spent_us = 0
        self._puts_back = False
        """Whether the turn puts the message in hand back."""
        self._replaced = False
        """Whether what the turn says waits in place of the message in hand."""
        self._journal = bus.journal
        self._measures = clock.measures
        self._on_broken: Broken = _nobody
        self._on_snapshot_due: Callable[[Endpoint], None] = _ignore

    def watch(self, *, broken: Broken, snapshot_due: Callable[[Endpoint], None] | None = None) -> None:
        """Be told of turns that cost an instance, and of agents that have had as many as `snapshot_at` says."""
        self._on_broken = broken
        self._on_snapshot_due = snapshot_due or _ignore

    def broke(self, endpoint: Endpoint, status: int, code: str, reason: str) -> None:
        """A turn has cost an instance."""
        self._on_broken(endpoint, status, code, reason)

    def state_due(self, endpoint: Endpoint) -> None:
        """An agent has had as many turns as `snapshot_at` says."""
        self._on_snapshot_due(endpoint)

    def ended(
        self,
        endpoint: Endpoint,
        seq: int,
        status: int,
        count: int,
        payload: bytes,
        fuel: int,
        started_us: int,
        turn_us: int,
    ) -> None:
        """A turn ended. What it said is admitted with the turn's row, or not at all."""
        envelope = endpoint.in_flight.popleft()
        if envelope.seq != seq:
            raise RuntimeError(f"{endpoint.name}: the cell answered {seq}, {envelope.seq} was next")
        if status == _UNHANDLED:
            endpoint.returned.append(envelope)
            if not endpoint.in_flight:
                endpoint.take_back()
                endpoint.wake()
            return
        if not self._measures:
            started_us, turn_us = self._bus.last_us, 0
        queue_us = started_us - envelope.message.timestamp
        if queue_us < 0:
            queue_us = 0
        self._bus.counts.turn(fuel, queue_us, turn_us)
        endpoint.turn_ended(seq, fuel, turn_us, len(envelope.body))
        sent = 0
        if status == _OK:
            if payload:
                try:
                    sent = self._say(endpoint, envelope, count, payload)
                except Exception as error:  # noqa: BLE001  # a defect here must not cost the cell
                    status = Status.REFUSED
                    if self._turn_failed(endpoint, envelope, Status.REFUSED, *_refusal(endpoint, seq, error)):
                        return
        else:
            code, reason = read_fault(status, payload)
            if status == Status.GUEST_ERROR and b"\n" in payload:
                self._log_refused(endpoint, envelope, payload)
            if self._turn_failed(endpoint, envelope, status, code, reason):
                return
        if self._puts_back:
            self._puts_back = False
            status = _PUT_BACK
        elif self._replaced:
            self._replaced = False
        elif status == _OK:
            envelope.tree.leave()
        said = status
        if envelope.redelivered:
            status += REDELIVERED
        row = (
            seq,
            endpoint.number,
            endpoint.revision_no,
            started_us,
            queue_us,
            turn_us,
            fuel,
            sent,
            status,
            endpoint.turn_no,
        )
        if said == _PUT_BACK:
            self._bus.put_back(endpoint, envelope, row)
        else:
            if endpoint.last_seq != seq or envelope.urgent:
                self._bus.take_place(endpoint, seq)
            self._journal.batch.turns.append(row)
            if endpoint.put_backs:
                endpoint.done(seq)
        said_us = (len(payload) >> 6) + self._spent_us
        if turn_us + said_us > _PLAIN_US or endpoint.window != WINDOW:
            self._spent_us = 0
            self._shares.turn(endpoint, turn_us, said_us)
        if endpoint.turns >= endpoint.snapshot_at:
            self.state_due(endpoint)
        port = endpoint.port
        if endpoint.waiting and not endpoint.queued and endpoint.open and port is not None:
            port.wait(endpoint)
        if not endpoint.in_flight and (endpoint.returned or endpoint.when_idle is not None):
            endpoint.take_back()
            endpoint.wake()

    def _say(self, endpoint: Endpoint, cause: Envelope, count: int, payload: bytes) -> int:
        """Admit everything that a turn said; TurnRefused when any of it may not be said."""
        bus = self._bus
        if (
            count == 1
            and payload.startswith(b'{"')
            and not payload.startswith(b'{"caxton"')
            and payload.find(b"\n", 0, -1) < 0
        ):
            # by far the most turns: one message, no log lines
            draft = self._check(endpoint, payload)
            receivers = draft.receiver
            if cause.tree.over or (receivers and not cause.tree.takes(len(receivers))):
                raise self._tree_full(endpoint, cause, len(receivers or "1"))
            if (
                bus.quick
                and not draft.receiver
                and not draft.conversation_id
                and draft.reply_to is None
                and draft.extensions is None
                and cause.entry is not None
                and cause.message.reply_to is None
            ):
                self._replaced = bus.reply_quickly(endpoint, cause, cause.entry, draft)
            else:
                bus.reply(endpoint.name, cause, draft)
            endpoint.has_said(1)
            return 1
        lines = parse_output(payload, count)
        if lines.put_back:
            self._check_put_back(endpoint, cause)
        drafts = [self._check(endpoint, line) for line in lines.messages]
        if drafts:
            more = sum(len(draft.receiver) if isinstance(draft.receiver, list) else 1 for draft in drafts)
            if not cause.tree.takes(more):
                raise self._tree_full(endpoint, cause, more)
            self._spent_us = _MESSAGE_US * len(drafts) + _RECEIVER_US * more
        self._log_all(endpoint, cause, lines.logs)
        if drafts:
            if self._spent_us > REST_FROM_US:
                endpoint.hold_on()
            lost = bus.counts.dead_letters
            bus.notices.begin()
            try:
                for draft in drafts:
                    bus.reply(endpoint.name, cause, draft)
            finally:
                bus.notices.end()
            self._spent_us += _FAILURE_US * (bus.counts.dead_letters - lost)
        endpoint.has_said(len(drafts))
        self._puts_back = lines.put_back
        return len(drafts)

    def _check_put_back(self, endpoint: Endpoint, cause: Envelope) -> None:
        """Raises TurnRefused where a message may not be put back."""
        most, message = endpoint.limits.put_backs, cause.message
        if not endpoint.puts_back:
            reason = "the agent does not ask to put messages back: flag 32 of its mailbox (guest ABI 1.1)"
        elif message.ontology == LIFE_ONTOLOGY and is_life(message, f"ams@{endpoint.name.partition('@')[2]}"):
            reason = "what an agent is told of its own life cannot be put back"
        elif endpoint.times_put_back(cause.seq) >= most:
            reason = f"the message was put back {most:,} times already (limits.put_backs of {endpoint.name})"
        else:
            return
        raise TurnRefused("put_back", reason)

    def _tree_full(self, endpoint: Endpoint, cause: Envelope, more: int) -> TurnRefused:
        tree = cause.tree
        if tree.over:
            return TurnRefused(*tree_full(tree))
        return TurnRefused(
            "tree_waiting",
            f"{endpoint.name} would send {more:,} messages more of a chain of which {tree.waiting:,} wait already;"
            f" {TREE_KEY} is {tree.most:,}",
        )

    def _check(self, endpoint: Endpoint, line: bytes) -> Draft:
        """One line of a turn's output as a draft that may be sent, with full names and an absolute reply_by."""
        limits, addressing = endpoint.limits, self._bus.addressing
        if len(line) > limits.message_bytes:
            raise TurnRefused(
                "message_bytes", f"a message of {len(line)} bytes; the limit is {limits.message_bytes}"
            )
        try:
            draft = read_draft(line)
            if draft.sender and addressing.full_name(draft.sender) != endpoint.name:
                raise TurnRefused("foreign_sender", f"{endpoint.name} may not speak as {draft.sender}")
            if draft.receiver:
                draft.send_to(addressing.receivers(draft.receiver, limits.receivers))
            if draft.reply_by is not None or draft.reply_to:
                addressing.answers(draft)
            if draft.extensions is not None:
                check_priority(draft.extensions)
        except InvalidMessage as error:
            raise TurnRefused(error.code, error.message) from None
        return draft

    def _log_refused(self, endpoint: Endpoint, cause: Envelope, payload: bytes) -> None:
        """A turn that the guest refused sends nothing, but what it logged says why."""
        records = payload.partition(b"\n")[2]
        try:
            logs = parse_output(records, 0).logs
        except TurnRefused as refusal:
            logs = [("warning", f"what the turn logged cannot be read: {refusal.reason}")]
        self._log_all(endpoint, cause, logs)

    def _turn_failed(
        self, endpoint: Endpoint, envelope: Envelope, status: int, code: str, reason: str
    ) -> bool:
        """Count it and say so to the sender; True where the message waits for another try, so that nothing of this
        one is written down."""
        if code in BOUNDS:
            reason = f"{reason} (limits.{code} of {endpoint.name})"
        self._bus.counts.turn_failed(status)
        endpoint.turn_failed(code, reason)
        trial = endpoint.trial
        if trial is not None and trial.catches and status != Status.GUEST_ERROR:
            endpoint.shut()
            endpoint.returned.append(envelope)
            endpoint.take_back()
            endpoint.measure()
            trial.failed(envelope, code, reason)
            endpoint.wake()
            return True
        discarded = status not in (Status.GUEST_ERROR, Status.REFUSED)
        if discarded:
            endpoint.shut()
            endpoint.blame(envelope.message.sender)
        self._bus.dead_letter(endpoint.name, envelope, code, reason)
        if status != Status.GUEST_ERROR:
            self._bus.call_broken(endpoint.name, envelope, code, reason)
        if code == "tree_waiting" and envelope.tree.crowded:
            self._bus.end_tree(envelope.tree, endpoint)
        if discarded:
            self.broke(endpoint, status, code, reason)
        return False

    def _log_all(self, endpoint: Endpoint, cause: Envelope, lines: list[tuple[str, str]]) -> None:
        """Write down what a turn logged, as many lines as it may."""
        kept = lines[: endpoint.limits.log_lines]
        self._spent_us += _LOG_US * len(kept)
        self._bus.counts.log_lines(len(kept), len(lines) - len(kept))
        for level, text in kept:
            self._log(endpoint, cause, level, text)

    def _log(self, endpoint: Endpoint, cause: Envelope, level: str, text: str) -> None:
        message = cause.message
        self._bus.event(
            "log",
            agent=endpoint.name,
            conversation=message.conversation_id,
            body={
                "agent": endpoint.name,
                "level": level,
                "message": text,
                "message_id": message.id,
                "conversation_id": message.conversation_id,
                "trace_id": message.trace_id,
                "span_id": message.span_id,
            },
        )


def read_fault(status: int, payload: bytes) -> tuple[str, str]:
    """The code and the sentence of a turn that failed in the cell."""
    if status == Status.GUEST_ERROR:
        text = payload.partition(b"\n")[0].decode("utf-8", "replace")[:512]
        return "guest_error", text or "the agent returned an error code"
    try:
        fault = _read_fault(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "unreadable", "the cell's account of what failed cannot be read"
    return fault.code, fault.reason


def _refusal(endpoint: Endpoint, seq: int, error: Exception) -> tuple[str, str]:
    """Why a turn is refused. What nobody foresaw costs the turn too, and never the cell with all its agents."""
    if isinstance(error, TurnRefused):
        return error.code, error.reason
    log.error("a turn cannot be taken in", agent=endpoint.name, message=seq, exc_info=error)
    return "unreadable", f"what the turn said cannot be taken in ({type(error).__name__}); the log says more"


def _ignore(endpoint: Endpoint) -> None:
    """Nobody keeps states yet."""


def _nobody(endpoint: Endpoint, status: int, code: str, reason: str) -> None:
    """No supervisor yet."""
