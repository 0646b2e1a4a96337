"""What was recorded of conversations: the turns of their agents, what those said, and all messages for the referee.

In: ids of conversations. Out: their turns in order, each with its message and its answers. What a turn said in other
conversations is found too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from caxton.acl import Message
from caxton.acl.message import read_message
from caxton.bus.platform_agents import FIRST_GUEST_NUMBER
from caxton.journal import Reader, StoredMessage, StoredTurn

MOST: Final = 100_000
"""Messages of one conversation that are read."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode


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
class RecordedTalk:
    """One conversation."""

    id: str
    rows: list[StoredMessage]
    turns: list[RecordedTurn]


async def recorded(reader: Reader, conversation: str, agent: str | None) -> RecordedTalk:
    """A conversation with the turns of its agents, or of one of them (full name)."""
    rows = await reader.messages(conversation=conversation, limit=MOST)
    bodies = {row.seq: row for row in rows}
    turns = [
        RecordedTurn(turn, turn.agent, read_message(bodies[turn.seq].body))
        for turn in await reader.turns(conversation=conversation, limit=MOST)
        if turn.agent is not None
        and turn.agent_no >= FIRST_GUEST_NUMBER
        and turn.seq in bodies
        and agent in (None, turn.agent)
    ]
    _share_out(turns, rows)
    missing = [one for one in turns if len(one.said) < one.turn.sent]
    if missing:
        # said in another conversation
        wanted = sum(one.turn.sent for one in missing)
        for one in missing:
            one.said.clear()
        _share_out(missing, await reader.said([one.turn.seq for one in missing], wanted))
    return RecordedTalk(conversation, rows, turns)


def _share_out(turns: Sequence[RecordedTurn], rows: Sequence[StoredMessage]) -> None:
    by_key = {(one.turn.seq, one.agent): one for one in turns}
    for row in rows:
        if row.cause:
            one = by_key.get((row.cause, read_message(row.body).sender))
            if one is not None:
                one.said.append(row)
