"""What the referee has said and kept: marks of single messages, states of whole conversations.

In: `Mark` for each message that was no plain step, `ConversationState` for each conversation that moved, some time
after it did (meta `judged_upto` says up to which number all of them are here). Out: the same, by message, by
conversation, and all that a start of the daemon needs.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from caxton.ids import conversation_key
from caxton.journal.records.query import Query, Row, numbers
from caxton.journal.records.record import Record, Scalar, insert

JUDGED_UPTO = "judged_upto"


@dataclass(frozen=True, slots=True)
class Mark(Record):
    """What the referee said of message `seq`; `legal` is what its sender could have said, comma-separated."""

    sql: ClassVar[str] = insert("mark", 10)
    seq: int
    conversation_key: int
    legality: str
    """`violation`, `ignored`, or `legal` where the platform answered in somebody's place."""
    rule: str
    state: str
    """The branch's state before the message."""
    legal: str
    participant: str | None
    protocol: str | None
    delivered: bool
    warning: str | None = None

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (
            self.seq,
            self.conversation_key,
            self.legality,
            self.rule,
            self.state,
            self.legal,
            self.participant,
            self.protocol,
            int(self.delivered),
            self.warning,
        )


@dataclass(frozen=True, slots=True)
class ConversationState(Record):
    """A conversation as it stands after message `seq`; `data` is the referee's own form of it.

    Of two ids that share a key (ids.conversation_key) the later one stays.
    """

    sql: ClassVar[str] = insert("conversation_state", 5, blob=True)
    takes_blob: ClassVar[bool] = True
    id: str
    conversation_key: int
    seq: int
    at_us: int
    is_open: bool
    data: bytes

    @property
    def blob(self) -> bytes:
        """The state as JSON."""
        return self.data

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (self.conversation_key, self.id, self.seq, self.at_us, int(self.is_open))


class StoredState(msgspec.Struct, frozen=True):
    """A conversation's state as it was written last."""

    id: str
    seq: int
    is_open: bool
    data: bytes


def judged_tables(db: sqlite3.Connection) -> None:
    """Marks by message, with an index by conversation; states by conversation."""
    for statement in (
        """create table mark(seq integer primary key, conversation integer not null, legality text not null,
             rule text not null, state text not null, legal text not null, participant text, protocol text,
             delivered integer not null, warning text)""",
        "create index mark_conversation on mark(conversation)",
        """create table conversation_state(conversation integer primary key, id text not null,
             seq integer not null, at_us integer not null, open integer not null, data blob not null)""",
        # of all conversations few are open, so this index stays small
        "create index conversation_open on conversation_state(seq) where open = 1",
        f"insert into meta values ('{JUDGED_UPTO}', 0)",
    ):
        db.execute(statement)


async def marks(query: Query, seqs: Sequence[int]) -> list[Mark]:
    """The marks of these messages."""
    rows = await query.all(
        """select seq, conversation, legality, rule, state, legal, participant, protocol, delivered, warning
           from mark where seq in (select value from json_each(:seqs)) order by seq""",
        seqs=numbers(seqs),
    )
    return [_mark(row) for row in rows]


def _mark(row: Row) -> Mark:
    seq, key, legality, rule, state, legal, participant, protocol, delivered, warning = row
    return Mark(seq, key, legality, rule, state, legal, participant, protocol, bool(delivered), warning)


async def violations(query: Query, keys: Sequence[int]) -> dict[int, int]:
    """How many violations there are in each of these conversations, by key; none means no entry."""
    rows = await query.all(
        """select conversation, count(*) from mark where legality = 'violation'
             and conversation in (select value from json_each(:keys)) group by conversation""",
        keys=numbers(keys),
    )
    return dict(rows)


async def states(query: Query, ids: Sequence[str]) -> dict[str, StoredState]:
    """The states of these conversations as they were written last, by id."""
    rows = await query.all(
        """select id, seq, open, data from conversation_state
           where conversation in (select value from json_each(:keys))""",
        keys=numbers([conversation_key(id) for id in ids]),
    )
    wanted = set(ids)
    return {row[0]: StoredState(row[0], row[1], bool(row[2]), row[3]) for row in rows if row[0] in wanted}


async def latest_states(query: Query, complete: int) -> list[StoredState]:
    """Every open conversation, and those complete ones that are among so many that began last."""
    rows = await query.all(
        """select id, seq, open, data from conversation_state where open = 1
           union all
           select s.id, s.seq, s.open, s.data
             from (select key from conversation order by seq desc limit :complete) c
             join conversation_state s on s.conversation = c.key where s.open = 0
           order by seq""",
        complete=complete,
    )
    return [StoredState(row[0], row[1], bool(row[2]), row[3]) for row in rows]
