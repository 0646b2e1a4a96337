"""Which messages belong to a recording.

In: a journal's reader, conversations or a time. Out: every message that followed from the same messages from outside,
whatever conversation it was said in: a conversation alone cannot be played, as what set it going may be elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from caxton import exact_numbers
from caxton.errors import ConversationNotFound, ResourceError
from caxton.journal import Reader, StoredMessage, StoredTurn
from caxton.schemas.shape import Message

MOST: Final = 50_000
"""Messages of one recording."""
_PAGE: Final = 5_000
PLATFORM: Final = ("ams", "df", "timer", "topics")


@dataclass(frozen=True, slots=True)
class Said:
    """One message of the story."""

    row: StoredMessage
    message: Message
    outside: bool
    """Whether a client said it of itself."""

    @property
    def seq(self) -> int:
        """Its number."""
        return self.row.seq


@dataclass(frozen=True, slots=True)
class Story:
    """The messages in order, their turns, and what is missing in words."""

    said: Sequence[Said]
    turns: Sequence[StoredTurn]
    gaps: Sequence[str]


async def story(reader: Reader, platform: str, ids: Sequence[str], since_us: int | None = None) -> Story:
    """Everything that belongs to these conversations, and to what was said from outside since a time.

    Raises ConversationNotFound, and ResourceError for too much.
    """
    wanted: dict[int, StoredMessage] = {}
    for id in ids:
        rows = await reader.messages(conversation=id, limit=MOST + 1)
        if not rows:
            raise ConversationNotFound(f"there is no conversation {id[:200]!r}", hint="see: caxton conv list")
        wanted |= {row.seq: row for row in rows}
    if since_us is not None:
        rows = await reader.messages(since_us=since_us, limit=MOST + 1)
        wanted |= {row.seq: row for row in rows if not row.cause}
        if not wanted:
            raise ConversationNotFound(
                "nothing was said from outside since then", hint="see: caxton msg list"
            )
    gaps: list[str] = []
    roots = [await _root(reader, row, gaps) for row in wanted.values()]
    every = await _followed(reader, roots, {*ids})
    if len(every) > MOST:
        raise ResourceError(
            f"more than {MOST:,} messages belong to it", hint="record fewer conversations, or a shorter time"
        )
    said = [_said(row, platform) for row in every]
    turns = await reader.turns(seqs=[one.seq for one in said], limit=10 * MOST)
    return Story(said, turns, list(dict.fromkeys(gaps)))


def _said(row: StoredMessage, platform: str) -> Said:
    message = Message(exact_numbers.decode(row.body))
    return Said(row, message, not row.cause and is_client(message.sender, platform))


def is_client(name: str, platform: str) -> bool:
    """Whether it is a client's name."""
    local, _, there = name.partition("@")
    return there == platform and (local == "operator" or local.startswith("operator."))


async def _root(reader: Reader, row: StoredMessage, gaps: list[str]) -> StoredMessage:
    """The message from outside that led to this one, or the earliest that the journal still has."""
    while row.cause:
        before = await reader.message(row.cause)
        if before is None:
            gaps.append(f"the journal has removed message {row.cause}, which led to what was recorded")
            break
        row = before
    return row


class _Talk(msgspec.Struct):
    conversation_id: str
    sender: str


_talk = msgspec.json.Decoder(_Talk, strict=False).decode


async def _followed(reader: Reader, roots: Sequence[StoredMessage], ids: set[str]) -> list[StoredMessage]:
    """Roots, what followed from them, and what else was said from outside in those conversations."""
    found = {row.seq: row for row in roots}
    talks = ids | {_talk(row.body).conversation_id for row in roots}
    after = min(found) - 1
    while len(found) <= MOST:
        rows = await reader.messages(after_seq=after, limit=_PAGE)
        if not rows:
            break
        for row in rows:
            if row.cause in found or (not row.cause and _talk(row.body).conversation_id in talks):
                found[row.seq] = row
                talks.add(_talk(row.body).conversation_id)
        after = rows[-1].seq
    return [found[seq] for seq in sorted(found)]
