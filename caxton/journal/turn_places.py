"""The order in which an agent took its turns, where it is not that of its messages' numbers.

A turn's *place* is the number of its message. An urgent message overtakes others: it and those that come after it have
places of their own, each higher than the one before, and a row here says so. What is said of an agent's past by a
number (a moment of its memory, up to where it was run again) is said by places.

In: records. Out: a table, made by a migration, and the places of what is asked for.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import ClassVar, Final

from caxton.journal.batch import AGENT_BITS, MAX_AGENT_NO, Record, Scalar, insert


@dataclass(frozen=True, slots=True)
class TurnPlace(Record):
    """The turn of that agent on message `seq` has this place."""

    sql: ClassVar[str] = insert("turn_place", 3)
    agent_no: int
    place: int
    seq: int

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (self.agent_no, self.place, self.seq)


PLACE: Final = f"""coalesce((select p.place from turn_place p
  where p.agent_no = t.id & {MAX_AGENT_NO} and p.seq = t.id >> {AGENT_BITS}), t.id >> {AGENT_BITS})"""
"""The place of a row `t` of `turn`."""


def turn_places(db: sqlite3.Connection) -> None:
    """The table; few rows ever stand in it."""
    db.execute(
        """create table turn_place(agent_no integer not null, place integer not null, seq integer not null,
             primary key(agent_no, place)) without rowid"""
    )
    db.execute("create index turn_place_seq on turn_place(seq, agent_no)")
