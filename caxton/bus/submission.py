"""What clients say: a message is read, checked and admitted, as theirs.

In: a line or an object as a client gave it. Out: an admitted message, and what the client is told of it; a refusal
names the field, the rule and the remedy.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

import msgspec

from caxton import exact_numbers
from caxton.acl import Draft, Performative, read_draft
from caxton.bus.addressing import Addressing, trace_of
from caxton.bus.causes import Tree, Works
from caxton.bus.clients import Clients
from caxton.bus.counts import BusCounts
from caxton.bus.endpoint import Endpoint
from caxton.bus.envelope import Envelope
from caxton.bus.priority import check_priority
from caxton.errors import CaxtonError, InvalidMessage, MailboxFull, MessageTooLarge, SecurityError
from caxton.ids import Ids
from caxton.journal import Journal
from caxton.limits import Limits

ASKS: Final = frozenset(
    {
        Performative.REQUEST,
        Performative.REQUEST_WHEN,
        Performative.REQUEST_WHENEVER,
        Performative.QUERY_IF,
        Performative.QUERY_REF,
        Performative.SUBSCRIBE,
        Performative.CFP,
        Performative.PROPOSE,
        Performative.PROXY,
        Performative.ACCEPT_PROPOSAL,
    }
)
"""What wants an answer: whoever says it is told where none will come."""

_encode = exact_numbers.encode


class Submitted(NamedTuple):
    """What a client is told once its message is durable."""

    seq: int
    id: str
    conversation_id: str
    trace_id: str
    reply_with: str | None


class SubmissionSink(Protocol):
    """The bus, as far as what clients say concerns it."""

    addressing: Addressing
    clients: Clients
    counts: BusCounts
    ids: Ids
    journal: Journal
    endpoints: dict[str, Endpoint]
    works: Works

    def admit(
        self, draft: Draft, speaker: str, *, trace_id: str, cause: int, hops: int, tree: Tree | None = None
    ) -> Envelope:
        """Make a draft a message."""
        ...

    def settle(self) -> None:
        """Hand rows to the journal and frames to the cells."""
        ...


class Submission:
    """The clients' way in. `limits` are what their messages must keep to."""

    __slots__ = ("_bus", "_limits")

    def __init__(self, bus: SubmissionSink, limits: Limits) -> None:
        self._bus = bus
        self._limits = limits

    def submit(
        self,
        message: bytes | dict[str, object],
        *,
        sender: str | None = None,
        traceparent: str | None = None,
        client_key: str | None = None,
    ) -> Submitted:
        """Admit a client's message. It is durable once `journal.committed_upto(seq)` returns.

        `sender` is a client's name (default `operator`); `traceparent` a W3C header, whose trace it joins,
        `client_key` its idempotency key, which the journal keeps with the message.
        Raises InvalidMessage, MessageTooLarge, SecurityError.
        """
        line = message if isinstance(message, bytes) else _encode(message)
        try:
            if len(line) > self._limits.message_bytes:
                raise MessageTooLarge(
                    f"the message has {len(line)} bytes, the limit is {self._limits.message_bytes}",
                    hint="raise limits.message_bytes in caxton.toml, or send a reference",
                )
            draft = read_draft(line)
            speaker = self._bus.addressing.full_name(draft.sender or sender or "operator")
            self.check_client(speaker)
            if not draft.receiver:
                raise InvalidMessage(
                    "the message has no receiver", hint='add e.g. "receiver": "echo"', field="receiver"
                )
            receivers = self._bus.addressing.receivers(draft.receiver, self._limits.receivers)
            draft.send_to(receivers)
            self._bus.addressing.answers(draft)
            check_priority(draft.extensions)
            self._check_room(receivers)
            trace_id = ""
            if traceparent is not None:
                trace_id = trace_of(traceparent)
                draft.carry("x_traceparent", msgspec.Raw(_encode(traceparent)))
        except CaxtonError:
            self._bus.counts.refusal()
            raise
        envelope = self._bus.admit(
            draft, speaker, trace_id=trace_id or self._bus.ids.trace(), cause=0, hops=0
        )
        if client_key is not None:
            # in the message's own batch: both are on disk, or neither
            self._bus.journal.batch.client_key(client_key, envelope.seq, envelope.message.timestamp)
        if draft.performative in ASKS:
            self._bus.works.ask(envelope.tree.work, envelope.message)
        self._bus.settle()
        admitted = envelope.message
        return Submitted(
            envelope.seq, admitted.id, admitted.conversation_id, admitted.trace_id, admitted.reply_with
        )

    def _check_room(self, receivers: list[str]) -> None:
        """MailboxFull where a receiver's mailbox takes no more: the client may say it again a little later."""
        for name in receivers:
            endpoint = self._bus.endpoints.get(name)
            full = None if endpoint is None or endpoint.refusal is not None else endpoint.why_full
            if full is not None:
                raise MailboxFull(
                    full,
                    hint="send it again a little later, or raise that limit (limits.mailbox, limits.mailbox_bytes)",
                )

    def check_client(self, name: str) -> None:
        """SecurityError where a client may not speak under that full name."""
        if not self._bus.clients.is_client(name):
            raise SecurityError(
                f"a client cannot speak as {name}",
                hint="leave sender out, or use operator or operator.NAME",
            )
