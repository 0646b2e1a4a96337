"""Where what a revision remembers is not what the turn's row says: turns of its own.

While two revisions of an agent live, both handle every message, and a message has one row: the turn of the revision
whose words were said. The other one may have lost its instance over it, or have borne what the first one did not. Such
a turn is put down here, for the memory that it is about: that of the revision as a deployment has brought it.

In: records. Out: a table, made by a migration; what of it is about which memory is read by `Reader.own_turns`.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import ClassVar

from caxton.journal.records.record import Record, Scalar, insert


@dataclass(frozen=True, slots=True)
class OwnTurn(Record):
    """Whether the revision that this deployment brought remembers message `seq`, whatever its row says; below zero:
    the turn in that place, which put its message back."""

    sql: ClassVar[str] = insert("own_turn", 4)
    agent_no: int
    deployment: str
    seq: int
    held: bool

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (self.agent_no, self.deployment, self.seq, int(self.held))


@dataclass(frozen=True, slots=True)
class SnapshotsGone(Record):
    """What was kept of a revision after message `seq` is no moment of the agent's memory: another took over since."""

    sql: ClassVar[str] = """delete from snapshot where exists (select 1 from json_each(?1)
        where agent_no = value->>0 and seq > value->>1 and revision_no = value->>2)"""
    agent_no: int
    seq: int
    revision_no: int

    def fields(self) -> tuple[Scalar, ...]:
        """Whose, after which message, and of which revision."""
        return (self.agent_no, self.seq, self.revision_no)


def own_turns(db: sqlite3.Connection) -> None:
    """The table; few rows ever stand in it."""
    db.execute(
        """create table own_turn(agent_no integer not null, deployment text not null, seq integer not null,
             held integer not null, primary key(agent_no, deployment, seq)) without rowid"""
    )
