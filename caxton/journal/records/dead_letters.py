"""Messages that could not be handled, and what an operator did about them.

In: `DeadLetter` for each message and receiver, later one `DeadLetterEnd` at the most. Out: both together,
the newest first.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from caxton.journal.records.query import END, Query
from caxton.journal.records.record import Record, Scalar, insert

REDELIVERED_LETTER, DROPPED_LETTER = "redelivered", "dropped"
"""How a dead letter has ended."""


@dataclass(frozen=True, slots=True)
class DeadLetterEnd(Record):
    """What became of the dead letter of message `seq` for that agent; `went_on` is the message that it was sent as."""

    sql: ClassVar[str] = insert("dead_letter_end", 5)
    seq: int
    agent: str
    at_us: int
    ended: str
    went_on: int | None

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (self.seq, self.agent, self.at_us, self.ended, self.went_on)


class StoredDeadLetter(msgspec.Struct, frozen=True):
    """A message that an agent could not handle, why, and what became of it."""

    seq: int
    agent: str
    at_us: int
    code: str
    reason: str
    ended: str | None = None
    ended_us: int | None = None
    went_on: int | None = None


def dead_letter_ends(db: sqlite3.Connection) -> None:
    """What operators did about dead letters."""
    db.execute(
        """create table dead_letter_end(seq integer not null, agent text not null, at_us integer not null,
             ended text not null, went_on integer, primary key(seq, agent)) without rowid"""
    )


async def dead_letters(
    query: Query,
    *,
    seq: int | None = None,
    agent: str | None = None,
    code: str | None = None,
    waiting: bool = False,
    before_seq: int | None = None,
    limit: int = 100,
) -> list[StoredDeadLetter]:
    """Dead letters that fit all that is given, the newest first; `waiting`: nobody did anything about them yet."""
    rows = await query.all(
        """select d.seq, d.agent, d.at_us, d.code, d.reason, e.ended, e.at_us, e.went_on
           from dead_letter d left join dead_letter_end e on e.seq = d.seq and e.agent = d.agent
           where d.seq < :before and (:seq is null or d.seq = :seq) and (:agent is null or d.agent = :agent)
             and (:code is null or d.code = :code) and (not :waiting or e.ended is null)
           order by d.seq desc, d.agent limit :limit""",
        before=END if before_seq is None else before_seq,
        seq=seq,
        agent=agent,
        code=code,
        waiting=waiting,
        limit=limit,
    )
    return [StoredDeadLetter(*row) for row in rows]
