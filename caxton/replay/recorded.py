"""What was recorded of conversations: the turns of their agents, what those said, and all messages for the referee.

In: ids of conversations. Out: their turns in order, each with its message and its answers. What a turn said in other
conversations is found too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from caxton import exact_numbers
from caxton.acl import Message
from caxton.acl.message import read_message
from caxton.bus.platform_agent import FIRST_GUEST_NUMBER
from caxton.ids import conversation_key
from caxton.journal import RELEASED, Reader, StoredHeld, StoredMessage, StoredTurn
from caxton.protocols.clock_pause import Stop, joined

TIMED: Final = "t"
"""What the name of a question has behind it where `timer` is asked about its time."""
MOST: Final = 100_000
"""Messages of one conversation that are read."""

_decode = exact_numbers.decode


@dataclass(slots=True)
class RecordedTurn:
    """One turn of an agent, and what it said."""

    turn: StoredTurn
    agent: str
    asked: Message
    said: list[StoredMessage] = field(default_factory=list[StoredMessage])

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What it said, as JSON values."""
        return [_decode(row.body) for row in self.said]


@dataclass(slots=True)
class RecordedConversation:
    """One conversation; `turns` has those, too, in which calls of agents in Python went on that had begun in it."""

    id: str
    rows: list[StoredMessage]
    turns: list[RecordedTurn]
    followed: set[str] = field(default_factory=set[str])
    """What those calls asked in, conversations of their own."""
    stops: list[Stop] = field(default_factory=list[Stop])
    """When its clock stood still, because messages were held."""


async def recorded(reader: Reader, conversation: str, agent: str | None) -> RecordedConversation:
    """A conversation with the turns of its agents, or of one of them (full name)."""
    talk = await _in_one(reader, conversation, agent)
    origin = conversation_key(conversation)
    new, timed = talk.turns[:], set[str]()
    while new:
        asked = [(one.agent, read_message(row.body)) for one in new for row in one.said]
        of_calls = {
            (speaker, told.conversation_id)
            for speaker, told in asked
            if told.conversation_id != conversation and _is_of_call(speaker, told, origin)
        }
        # the end of a question's time is no turn of interest, the end of a sleep is
        timed |= {f"{told.reply_with}{TIMED}" for _, told in asked}
        new = list[RecordedTurn]()
        for speaker, id in sorted(of_calls):
            if id not in talk.followed and id not in timed:
                talk.followed.add(id)
                new += (await _in_one(reader, id, speaker)).turns
        talk.turns += new
    talk.turns.sort(key=lambda one: one.turn.seq)
    return talk


def _is_of_call(agent: str, told: Message, origin: int) -> bool:
    """Whether a call that began in the conversation of that key asks that (`ids.call_origin`)."""
    beginning = f"{agent.partition('@')[0]}~{origin:016x}~"
    return (told.reply_with or "").startswith(beginning) or told.conversation_id.startswith(beginning)


async def _in_one(reader: Reader, conversation: str, agent: str | None) -> RecordedConversation:
    rows = await reader.messages(conversation=conversation, limit=MOST)
    bodies = {row.seq: row for row in rows}
    turns = [
        RecordedTurn(turn, turn.agent, read_message(bodies[turn.seq].body))
        for turn in await reader.turns(conversation=conversation, limit=MOST)
        if turn.agent is not None
        and turn.agent_no >= FIRST_GUEST_NUMBER
        # else it is an agent of the platform's own, such as an effect: what that said is not run again
        and turn.revision_no
        and turn.seq in bodies
        and agent in (None, turn.agent)
    ]
    stops = await reader.stops(conversation=conversation) if any(row.flags & RELEASED for row in rows) else {}
    _share_out(turns, await _as_said(reader, rows))
    missing = [one for one in turns if len(one.said) < one.turn.sent]
    if missing:
        # said in another conversation
        wanted = sum(one.turn.sent for one in missing)
        for one in missing:
            one.said.clear()
        elsewhere = await _as_said(reader, await reader.said([one.turn.seq for one in missing], wanted))
        waiting = [_said(held) for held in await reader.held_now()]
        _share_out(missing, sorted([*elsewhere, *waiting], key=lambda row: row.seq))
    return RecordedConversation(conversation, rows, turns, stops=joined(stops.get(conversation, [])))


def whole(talks: Sequence[RecordedConversation]) -> list[RecordedConversation]:
    """Those that are not followed from another one."""
    followed = {id for talk in talks for id in talk.followed}
    return [talk for talk in talks if talk.id not in followed]


async def _as_said(reader: Reader, rows: Sequence[StoredMessage]) -> list[StoredMessage]:
    """The messages as agents said them and when they did, whatever an operator made of them while they were held."""
    gone_on = [row.seq for row in rows if row.flags & RELEASED]
    if not gone_on:
        return list(rows)
    held = {one.went_on: one for one in await reader.held_before(gone_on)}
    found = [_said(held[row.seq]) if row.seq in held else row for row in rows]
    return sorted(found, key=lambda row: row.seq)


def _said(held: StoredHeld) -> StoredMessage:
    key = conversation_key(held.conversation_id)
    return StoredMessage(held.seq, held.at_us, key, held.cause, held.hops, 0, held.body)


def _share_out(turns: Sequence[RecordedTurn], rows: Sequence[StoredMessage]) -> None:
    by_key = {(one.turn.seq, one.agent): one for one in turns}
    for row in rows:
        if row.cause:
            one = by_key.get((row.cause, read_message(row.body).sender))
            if one is not None:
                one.said.append(row)
