"""Dead letters brought back: the same words once more, to the one receiver that could not handle them.

In: a message as the journal has it. Out: another message, which names it in `x_redelivers`. It is a new one, since an
agent's memory follows from its messages in the order of their numbers, and the old one has had its turn. Where it
belonged to a protocol it begins another conversation: what failed there has ended, and everybody was told so.
"""

from __future__ import annotations

from typing import Final

import msgspec

from caxton.acl import Draft
from caxton.acl.message import Message, read_message
from caxton.bus.bus import Bus
from caxton.bus.envelope import Envelope
from caxton.errors import InvalidState
from caxton.journal import DROPPED_LETTER, REDELIVERED_LETTER, DeadLetterEnd, StoredDeadLetter, StoredMessage

REDELIVERS: Final = "x_redelivers"
"""The parameter that names the message which is delivered again."""


class Redelivery:
    """Brings dead letters back, or puts them away; each once."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def redeliver(
        self, letter: StoredDeadLetter, stored: StoredMessage, content: msgspec.Raw | None = None
    ) -> Envelope:
        """Send it once more, with another content where one is given; the message that it is now.

        Raises InvalidState where it cannot be delivered now either; then it stays a dead letter.
        """
        self._waits(letter)
        message = read_message(stored.body)
        self._can_take(letter.agent, message)
        extensions: dict[str, msgspec.Raw] = {
            key: value
            for key, value in msgspec.json.decode(stored.body, type=dict[str, msgspec.Raw]).items()
            if key.startswith("x_")
        }
        draft = Draft(
            message.performative,
            [letter.agent],
            message.content if content is None else content,
            conversation_id=None if message.protocol else message.conversation_id,
            protocol=message.protocol,
            reply_with=message.reply_with,
            in_reply_to=message.in_reply_to,
            reply_to=message.reply_to,
            language=message.language,
            encoding=message.encoding,
            ontology=message.ontology,
            extensions={**extensions, REDELIVERS: msgspec.Raw(msgspec.json.encode(message.id))},
        )
        sent = self._bus.admit(draft, message.sender, trace_id=message.trace_id, cause=stored.seq, hops=0)
        self._end(letter, REDELIVERED_LETTER, sent.seq)
        return sent

    def drop(self, letter: StoredDeadLetter) -> None:
        """Nobody is to deliver it any more. Raises InvalidState where something was done about it already."""
        self._waits(letter)
        self._end(letter, DROPPED_LETTER, None)

    def _waits(self, letter: StoredDeadLetter) -> None:
        if letter.ended is not None:
            as_what = "" if letter.went_on is None else f" as message {letter.went_on}"
            raise InvalidState(f"message {letter.seq} for {letter.agent} was {letter.ended} already{as_what}")

    def _can_take(self, name: str, message: Message) -> None:
        endpoint = self._bus.endpoints.get(name)
        if endpoint is None:
            raise InvalidState(f"there is no agent {name}", hint="deploy it first")
        if endpoint.refusal is not None:
            raise InvalidState(endpoint.refusal[1], hint=f"caxton agent start {name.partition('@')[0]}")
        full = endpoint.why_full
        if full is not None:
            raise InvalidState(full, hint="try again when it has handled some")
        protocol = self._bus.referee_service.library.protocols.get(message.protocol or "")
        if protocol is not None and message.performative.value not in protocol.starts:
            raise InvalidState(
                f"its {message.performative} begins no conversation by {message.protocol}, and the one that it "
                "belonged to has ended",
                hint="send what it is to say anew: caxton msg send",
            )

    def _end(self, letter: StoredDeadLetter, how: str, went_on: int | None) -> None:
        now_us = self._bus.now_us()
        self._bus.journal.batch.records.append(DeadLetterEnd(letter.seq, letter.agent, now_us, how, went_on))
