"""The quick way of an answer to whoever asked, by far the most messages: all that `Bus.reply` calls, in one go.

In: a turn's only message, which names no receiver, no conversation and no other address. Out: what the plain way makes
of it, to the byte; a test compares the two. What is out of the ordinary, a verdict or a receiver that is not a guest,
goes on the plain way.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from caxton.acl import Draft, Message
from caxton.acl.message import NULL
from caxton.bus.conversations import ConversationEntry
from caxton.bus.counts import BusCounts
from caxton.bus.endpoint import Endpoint
from caxton.bus.envelope import Envelope
from caxton.bus.message_order import MessageOrder
from caxton.bus.referee_service import RefereeService
from caxton.ids import Ids
from caxton.journal import Journal
from caxton.journal.records.batch import MessageRow
from caxton.protocols import Verdict

_encode = msgspec.json.Encoder().encode


class QuickReply:
    """Has the bus's parts at hand. `bring` and `deliver` are the bus's own, for what is out of the ordinary."""

    __slots__ = (
        "_bring",
        "_counts",
        "_deliver",
        "_endpoints",
        "_hear",
        "_ids_of",
        "_journal",
        "_judged",
        "_now_us",
        "_order",
        "_timer",
    )

    def __init__(
        self,
        *,
        order: MessageOrder,
        ids: Ids,
        now_us: Callable[[], int],
        journal: Journal,
        counts: BusCounts,
        endpoints: dict[str, Endpoint],
        referee_service: RefereeService,
        timer: str,
        bring: Callable[[Envelope, MessageRow, ConversationEntry, Verdict | None], None],
        deliver: Callable[[Endpoint, Envelope], None],
    ) -> None:
        self._order = order
        self._ids_of = ids.of
        self._now_us = now_us
        self._journal = journal
        self._counts = counts
        self._endpoints = endpoints
        self._hear = referee_service.hear
        self._judged = referee_service.known
        self._timer = timer
        self._bring = bring
        self._deliver = deliver

    def say(self, endpoint: Endpoint, cause: Envelope, entry: ConversationEntry, draft: Draft) -> bool:
        """What `Bus.reply` does, for an answer to whoever asked and nothing else: by far the most. True where the
        answer waits now in place of its question.

        Everything that it would call stands here in one go: measured, 7 µs a message instead of 8.5; both being in the
        conversation need not be looked up again.
        """
        asked = cause.message
        seq, now = self._order.next(self._now_us())
        id, span_id = self._ids_of(seq)
        speaker, name, protocol = endpoint.name, asked.sender, draft.protocol or asked.protocol
        message = Message(
            id,
            draft.performative,
            speaker,
            [name],
            asked.conversation_id,
            asked.trace_id,
            span_id,
            now,
            draft.content or NULL,
            protocol,
            draft.reply_with,
            draft.in_reply_to or asked.reply_with,
            draft.reply_by,
            None,
            draft.language or asked.language,
            draft.encoding,
            draft.ontology or asked.ontology,
        )
        body = _encode(message)
        hops = cause.hops + 1
        envelope = Envelope(seq, message, body, hops, cause.tree, entry=entry)
        verdict = None
        if (protocol is not None or asked.conversation_id in self._judged) and name != self._timer:
            verdict = self._hear(message, seq, None)
        row = (seq, now, entry.key, cause.seq, hops, 0, body)
        receiver = self._endpoints.get(name)
        if verdict is not None or receiver is None:
            self._counts.message()
            self._bring(envelope, row, entry, verdict)
            return False
        self._journal.batch.add(row)
        limits, port = receiver.limits, receiver.port
        if (
            receiver.open
            and port is not None
            and port.room > 0
            and not receiver.waiting
            and receiver.refusal is None
            and hops <= limits.hops
            and len(body) <= limits.message_bytes
            and len(receiver.in_flight) < receiver.window
            and len(receiver.in_flight) + len(receiver.aside) < limits.mailbox
            and receiver.held_bytes < limits.mailbox_bytes
        ):
            self._counts.answer()
            # the answer takes its question's place in their tree: the turn leaves nothing
            receiver.comes(len(body))
            port.push(receiver, envelope)
            return True
        self._counts.message()
        self._deliver(receiver, envelope)
        return False
