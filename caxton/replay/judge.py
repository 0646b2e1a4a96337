"""Whether what a turn says now would be legal, at the point of its conversation where it was said.

In: a recorded conversation, and turns that say something else now. Out: for each its messages that break the protocol.
The recorded messages are judged up to that point by a referee of our own; a copy of its state judges the new ones.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import msgspec

from caxton.acl.message import Message
from caxton.journal import StoredMessage
from caxton.protocols import Legality, Library, Referee
from caxton.protocols.clock_pause import Stop, stand
from caxton.protocols.record import stored_message
from caxton.replay.normalise import NEW, Said
from caxton.replay.report import Illegal


def illegal_now(
    library: Library,
    rows: Sequence[StoredMessage],
    said: Sequence[tuple[int, list[Said]]],
    stops: Sequence[Stop] = (),
) -> dict[int, list[Illegal]]:
    """The illegal messages of turns, by the number of the message that each was about.

    `said` has that number and what the turn says now; `rows` is the whole conversation in order, `stops` says when its
    clock stood still.
    """
    referee = Referee(library, seen=0, silence_ends=False)
    places = sorted((_place(rows, seq), seq, messages) for seq, messages in said)
    found: dict[int, list[Illegal]] = {}
    heard = 0
    for place, seq, messages in places:
        for row in rows[heard:place]:
            _hear(referee, row, stops)
        heard = max(heard, place)
        fork = Referee(library, seen=0, silence_ends=False)
        fork.conversations = copy.deepcopy(referee.conversations)
        wrong = list(_judged(fork, seq, messages, rows[0].body))
        if wrong:
            found[seq] = wrong
    return found


def _place(rows: Sequence[StoredMessage], seq: int) -> int:
    """Where in the conversation the turn about message `seq` spoke: before its first answer, else right after it."""
    answers = (at for at, row in enumerate(rows) if row.cause == seq)
    after = next((at + 1 for at, row in enumerate(rows) if row.seq == seq), len(rows))
    return next(answers, after)


def _hear(referee: Referee, row: StoredMessage, stops: Sequence[Stop]) -> None:
    known = stored_message(row.seq, row.body)
    if known.message is not None:
        if known.conversation_id in referee.conversations:
            stand(referee.conversations[known.conversation_id], stops, known.at_us)
        referee.judge(known.message, known.at_us, known.proxy_of)


def _judged(fork: Referee, seq: int, messages: Sequence[Said], first: bytes) -> list[Illegal]:
    found: list[Illegal] = []
    for number, (message, form) in enumerate(messages):
        known = message.conversation_id in fork.conversations
        if not known and message.conversation_id != NEW and not _same_talk(message, first):
            continue  # a conversation whose past is not at hand
        proxy_of = form.get("x_proxy_of")
        given = msgspec.structs.replace(
            message,
            id=f"now-{seq}-{number}",
            conversation_id=f"now-{seq}-{number}"
            if message.conversation_id == NEW
            else message.conversation_id,
        )
        verdict = fork.judge(given, given.timestamp, proxy_of if isinstance(proxy_of, str) else None)
        if verdict.legality is Legality.VIOLATION:
            found.append(
                Illegal(
                    message=number, rule=verdict.rule, sentence=verdict.sentence, legal=list(verdict.legal)
                )
            )
    return found


def _same_talk(message: Message, first: bytes) -> bool:
    known = stored_message(0, first).message
    return known is not None and known.conversation_id == message.conversation_id
