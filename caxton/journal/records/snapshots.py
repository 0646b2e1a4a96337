"""What recovery and replay need beside messages and turns: pins, and the moments from which an agent's memory can be
had again (SnapshotRow).

In: a connection. Out: the tables, made by two migrations.
"""

from __future__ import annotations

import sqlite3


def snapshots_by_turn(db: sqlite3.Connection) -> None:
    """Several snapshots an agent, and the moments at which its memory began anew: from each of them its later turns
    can be run again. An agent has at most 16 that only shorten the way ("kept"), of which every second goes, and 32
    of the others.
    """
    for statement in (
        """create table memory(agent_no integer not null, seq integer not null, at_us integer not null,
             revision_no integer not null, kind text not null, data blob not null,
             primary key(agent_no, seq, kind))""",
        """insert into memory select agent_no, seq, at_us, revision_no, 'kept', data from snapshot
             where revision_no <> 0""",
        "drop table snapshot",
        "alter table memory rename to snapshot",
        """create trigger fewer_kept after insert on snapshot when new.kind = 'kept' and
             (select count(*) from snapshot where agent_no = new.agent_no and kind = 'kept') > 16
           begin
             delete from snapshot where rowid in (
               select id from (select rowid id, row_number() over (order by seq desc) nth from snapshot
                               where agent_no = new.agent_no and kind = 'kept')
               where nth > 1 and nth % 2 = 0);
           end""",
        """create trigger fewer_others after insert on snapshot when new.kind <> 'kept'
           begin
             delete from snapshot where agent_no = new.agent_no and kind <> 'kept' and rowid not in (
               select rowid from snapshot where agent_no = new.agent_no and kind <> 'kept'
                 order by seq desc, rowid desc limit 32);
           end""",
    ):
        db.execute(statement)


def pins(db: sqlite3.Connection) -> None:
    """Conversations that every new build is tried on."""
    db.execute("create table pin(id text primary key, at_us integer not null) without rowid")
