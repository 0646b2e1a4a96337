"""What was done about messages that needed a yes: an audit trail of its own beside the rows of held messages.

In: an `ApprovalStep` each time somebody, or the time, has done something about one. Out: the same, by message or the
newest first. A message that was refused at once has steps and no row in `held`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from caxton.journal.records.query import END, Query, numbers
from caxton.journal.records.record import Record, Scalar, insert


@dataclass(frozen=True, slots=True)
class ApprovalStep(Record):
    """A step about the message that waits as `held`; `seq` is the number of its event, `sender` who asks."""

    sql: ClassVar[str] = insert("approval_step", 9)
    seq: int
    held: int
    at_us: int
    approval: str
    step: str
    by: str
    note: str
    sender: str
    went_on: int | None = None

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (
            self.seq,
            self.held,
            self.at_us,
            self.approval,
            self.step,
            self.by,
            self.note,
            self.sender,
            self.went_on,
        )


def approval_steps(db: sqlite3.Connection) -> None:
    """Who decided what about messages that needed a yes."""
    db.execute(
        """create table approval_step(seq integer primary key, held integer not null, at_us integer not null,
             approval text not null, step text not null, by text not null, note text not null,
             sender text not null, went_on integer)"""
    )
    db.execute("create index approval_step_held on approval_step(held)")


async def steps_of(query: Query, held: Sequence[int]) -> list[ApprovalStep]:
    """Every step about these messages, in order."""
    rows = await query.all(
        "select * from approval_step where held in (select value from json_each(:seqs)) order by seq",
        seqs=numbers(held),
    )
    return [ApprovalStep(*row) for row in rows]


async def latest_steps(query: Query, before_seq: int | None, limit: int) -> list[ApprovalStep]:
    """Steps about any message, the newest first."""
    rows = await query.all(
        "select * from approval_step where seq < :before order by seq desc limit :limit",
        before=END if before_seq is None else before_seq,
        limit=limit,
    )
    return [ApprovalStep(*row) for row in rows]
