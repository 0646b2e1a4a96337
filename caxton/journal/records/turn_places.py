"""The order in which an agent took its turns, where it is not that of its messages' numbers.

A turn's *place* is the number of its message. An urgent message overtakes others: it and those that come after it have
places of their own, each higher than the one before, and a row here says so. What is said of an agent's past by a
number (a moment of its memory, up to where it was run again) is said by places.

In: a place for each such turn. Out: a table, made by a migration, and what finds a turn's place in it.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from caxton.journal.records.record import AGENT_BITS, MAX_AGENT_NO

PLACE: Final = f"""coalesce((select p.place from turn_place p
  where p.agent_no = t.id & {MAX_AGENT_NO} and p.seq = t.id >> {AGENT_BITS}), t.id >> {AGENT_BITS})"""
"""The place of a row `t` of `turn`."""


def turn_numbers(db: sqlite3.Connection) -> None:
    """Turns have a number of their agent's own, from 1; 0: an earlier version gave none. A moment of a memory has the
    number of the latest turn, null where none was given."""
    for statement in (
        "alter table turn add column number integer not null default 0",
        "alter table put_back add column number integer not null default 0",
        "alter table snapshot add column number integer",
    ):
        db.execute(statement)


def turn_places(db: sqlite3.Connection) -> None:
    """The table; few rows ever stand in it."""
    db.execute(
        """create table turn_place(agent_no integer not null, place integer not null, seq integer not null,
             primary key(agent_no, place)) without rowid"""
    )
    db.execute("create index turn_place_seq on turn_place(seq, agent_no)")
