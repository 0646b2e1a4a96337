"""Why something was said: the messages that led to it, one from the other.

In: a journal, a message. Out: the chain from outside to it. Each link says in which turn the next one was said: on
which revision, in which state of its conversation, and what else was in the mailbox then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from caxton.history.reading import bodies, find
from caxton.journal import Reader, StoredMessage
from caxton.protocols import Referee, library
from caxton.protocols.record import stored_message
from caxton.schemas.messages import MessageBody, TurnBody
from caxton.schemas.shape import micros

BEFORE: Final = 1_000
"""So many of an agent's latest messages are looked at for what was in its mailbox."""
MOST: Final = 50_000
"""Messages of a conversation that are judged for its state."""


@dataclass(frozen=True, slots=True)
class Link:
    """One message on the way. `state` is that of its branch before it, None where it is not judged."""

    body: MessageBody
    state: str | None
    turn: TurnBody | None = None
    """That in which the next message was said."""
    waiting: Sequence[MessageBody] = ()
    """What else was in the mailbox when it began."""

    def json(self) -> dict[str, Any]:
        """As `-o json` prints it."""
        return {
            "message": self.body,
            "state": self.state,
            "turn": self.turn,
            "waiting": [one.seq for one in self.waiting],
        }


async def why(reader: Reader, message: str, tables: Iterable[Path] = ()) -> list[Link]:
    """The messages that led to that one (its number, or its id), the one from outside first; raises MessageNotFound.

    Where the journal has removed the first ones, it begins with the earliest that is left.
    """
    row: StoredMessage | None = await find(reader, message)
    chain: list[StoredMessage] = []
    while row is not None:
        chain.append(row)
        row = await reader.message(row.cause) if row.cause else None
    chain.reverse()
    found = await bodies(reader, chain)
    states = await _states(reader, chain, list(tables))
    links: list[Link] = []
    for body, after in zip(found, [*found[1:], None], strict=True):
        turn, waiting = None, list[MessageBody]()
        if after is not None:
            speaker = after.message.sender
            turn = next((one for one in body.turns or () if one.agent == speaker), None)
            if turn is not None:
                waiting = await _mailbox(reader, turn, body.seq)
        links.append(Link(body, states.get(body.seq), turn, waiting))
    return links


async def _mailbox(reader: Reader, turn: TurnBody, seq: int) -> list[MessageBody]:
    """What waited for that agent when its turn began: what was there by then and had its turn later, or never."""
    began_us = micros(turn.started_at)
    rows = await reader.messages(agent=turn.agent, until_us=began_us + 1, limit=BEFORE, newest_first=True)
    waited: list[MessageBody] = []
    for one in await bodies(reader, rows):
        if one.seq == seq or turn.agent not in one.message.receiver:
            continue
        own = [each for each in one.turns or () if each.agent == turn.agent]
        dead = any(letter.agent == turn.agent for letter in one.dead_letters or ())
        if not dead and all(micros(each.started_at) > began_us for each in own):
            waited.append(one)
    return waited[::-1]


async def _states(reader: Reader, chain: Sequence[StoredMessage], tables: Sequence[Path]) -> dict[int, str]:
    """The state of the branch before each of these messages, judged once more."""
    referee = Referee(library(tables), silence_ends=False)
    wanted = {row.seq for row in chain}
    ids = dict.fromkeys(str(msgspec.json.decode(row.body)["conversation_id"]) for row in chain)
    found: dict[int, str] = {}
    for id in ids:
        for row in await reader.messages(conversation=id, before_seq=max(wanted) + 1, limit=MOST):
            recorded = stored_message(row.seq, row.body)
            if recorded.message is not None:
                verdict = referee.judge(recorded.message, recorded.at_us, recorded.proxy_of)
                if row.seq in wanted and verdict.protocol is not None:
                    found[row.seq] = verdict.state
    return found
