"""Turns that put their message back: a message may have several of them before the one that has a row of `turn`.

In: such turns as they end. Out: a table, made by a migration, keyed by the agent and the place of the turn; which
messages an agent had put back when the daemon ended, and where each of them waited.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from caxton.journal.records.query import Query, Value
from caxton.journal.records.record import AGENT_BITS, MAX_AGENT_NO, InPlace, Scalar, insert
from caxton.journal.records.rows import StoredTurn


@dataclass(frozen=True, slots=True)
class PutBack(InPlace):
    """That agent's turn in that place put message `seq` back; the rest is as in a row of `turn`."""

    sql: ClassVar[str] = insert("put_back", 10)
    agent_no: int
    place: int
    seq: int
    revision_no: int
    started_us: int
    queue_us: int
    turn_us: int
    fuel: int
    status: int
    number: int

    def fields(self) -> tuple[Scalar, ...]:
        """The row."""
        return (
            self.agent_no,
            self.place,
            self.seq,
            self.revision_no,
            self.started_us,
            self.queue_us,
            self.turn_us,
            self.fuel,
            self.status,
            self.number,
        )


class StoredPutBack(msgspec.Struct, frozen=True):
    """A message that an agent put back and has not handled: since which place, how often, and whether it has had no
    other turn since, so that the message is still aside."""

    agent_no: int
    seq: int
    first: int
    times: int
    aside: bool


def put_backs(db: sqlite3.Connection) -> None:
    """The table; only agents that put messages back have rows in it."""
    db.execute(
        """create table put_back(agent_no integer not null, place integer not null, seq integer not null,
             revision_no integer not null, started_us integer not null, queue_us integer not null,
             turn_us integer not null, fuel integer not null, status integer not null,
             primary key(agent_no, place)) without rowid"""
    )
    db.execute("create index put_back_seq on put_back(seq, agent_no)")


async def turns(query: Query, wanted: str, values: dict[str, Value], direction: str) -> list[StoredTurn]:
    """Such turns on messages `m` that fit, in the order of their messages."""
    rows = await query.all(
        f"""select p.seq, p.agent_no, a.name, p.revision_no, p.started_us, p.queue_us, p.turn_us, p.fuel, 0, p.status,
              p.place
            from put_back p join message m on m.seq = p.seq left join agent a on a.no = p.agent_no
            where {wanted} order by p.seq {direction}, p.place {direction} limit :limit""",
        **values,
    )
    return [StoredTurn(*row) for row in rows]


async def unfinished(query: Query) -> list[StoredPutBack]:
    """What was put back and has no turn of its own: all that may be aside, or come again, after a start."""
    rows = await query.all(
        f"""select b.agent_no, b.seq, b.first, b.times, not exists (
              select 1 from turn t where t.id > b.last << {AGENT_BITS} and t.id & {MAX_AGENT_NO} = b.agent_no
                and not exists (select 1 from turn_place p
                  where p.agent_no = b.agent_no and p.seq = t.id >> {AGENT_BITS})
              union all select 1 from turn_place p where p.agent_no = b.agent_no and p.place > b.last)
            from (select agent_no, seq, min(place) first, max(place) last, count(*) times from put_back
                  where seq > (select value from meta where key = 'low_water') group by agent_no, seq) b
            where not exists (select 1 from turn t where t.id = b.seq << {AGENT_BITS} | b.agent_no)"""
    )
    return [StoredPutBack(no, seq, first, times, bool(aside)) for no, seq, first, times, aside in rows]
