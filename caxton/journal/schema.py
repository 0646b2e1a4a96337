"""The journal's tables: migrations, the settings of a connection, and the one statement that writes a batch.

In: a path. Out: a connection whose durability settings were read back. `seq` numbers messages and events
with one gapless counter. `message`, `conversation` and `participant_log` are only ever appended to, because
a B-tree that takes random keys dirties a page a key in every commit; their indexes are built behind, in
sorted chunks (behind.py). `turn` is keyed by message and agent, which comes nearly sorted and needs no index.

There is no auto_vacuum: pages that retention frees are used again by new rows, so the file stays near its
bound, and the pointer map and the moving of pages would cost every commit something.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from caxton.errors import JournalError
from caxton.journal.batch import AGENT_BITS
from caxton.journal.judged import judged_tables
from caxton.journal.moments import snapshots_by_turn

APPLICATION_ID = 0x43585431
"""`CXT1`, at byte 68 of the file."""


def first_tables(db: sqlite3.Connection) -> None:
    """Messages, turns, events and what the daemon must remember over a restart."""
    for statement in (
        "create table meta(key text primary key, value) without rowid",
        """create table message(seq integer primary key, at_us integer not null, conversation
             integer not null, cause integer not null, hops integer not null, flags integer not null,
             body blob not null)""",
        """create table turn(id integer primary key, revision_no integer not null,
             started_us integer not null, queue_us integer not null, turn_us integer not null,
             fuel integer not null, sent integer not null, status integer not null)""",
        """create table event(seq integer primary key, at_us integer not null, kind text not null, agent text,
             conversation integer, body blob not null)""",
        """create table conversation(seq integer primary key, key integer not null, id text not null,
             at_us integer not null, initiator text not null, protocol text)""",
        "create table participant_log(no integer primary key, agent text not null, key integer not null)",
        """create table conversation_index(conversation integer not null, seq integer not null,
             primary key(conversation, seq)) without rowid""",
        """create table conversation_key(key integer not null, seq integer not null,
             primary key(key, seq)) without rowid""",
        """create table participant(key integer not null, agent text not null,
             primary key(key, agent)) without rowid""",
        """create table participation(agent text not null, key integer not null,
             primary key(agent, key)) without rowid""",
        """create table dead_letter(seq integer not null, agent text not null, at_us integer not null,
             code text not null, reason text not null, primary key(seq, agent)) without rowid""",
        """create table agent(no integer primary key, name text not null unique, state text not null,
             revision_no integer, config text not null, created_us integer not null,
             updated_us integer not null)""",
        """create table revision(no integer primary key, sha256 text not null, profile text not null,
             size integer not null, path text not null, created_us integer not null,
             unique(sha256, profile))""",
        """create table deployment(id text primary key, agent_no integer not null, revision_no
             integer not null, previous_no integer, strategy text not null, state text not null, reason text,
             created_us integer not null, updated_us integer not null, detail text not null)""",
        """create table snapshot(agent_no integer primary key, seq integer not null, at_us integer not null,
             revision_no integer not null, data blob not null)""",
        "create table client_key(key text primary key, seq integer not null) without rowid",
        "create index client_key_seq on client_key(seq)",
        "insert into meta values ('indexed_upto', 0), ('trimmed_upto', 0), ('low_water', 0)",
    ):
        db.execute(statement)


def tasks(db: sqlite3.Connection) -> None:
    """Protocols that were run for a client, by the number at which each began."""
    db.execute(
        """create table task(seq integer primary key, id text not null unique, protocol text not null,
             state text not null, outcome text, ending text, reason text, wanted text not null,
             created_us integer not null, updated_us integer not null, upto integer not null)"""
    )


MIGRATIONS: list[Callable[[sqlite3.Connection], None]] = [
    first_tables,
    tasks,
    judged_tables,
    snapshots_by_turn,
]
"""In order and never changed once released; `user_version` is how many of them a file has seen."""

WRITE_BATCH = "insert into batch_in values (?, ?, ?, ?, ?)"
"""Messages, bodies, turns, conversations, participants: one statement, so one transaction of its own, and
the GIL is given back and taken once for the whole batch (measured beside a busy thread: 52 ms a batch of
4,000 instead of 73)."""

_BATCH_VIEW = """create temp view batch_in(messages, bodies, turns, conversations, participants)
  as select null, null, null, null, null"""


def _columns(count: int, *, first: int = 0) -> str:
    return ", ".join(f"json_extract(row, '$[{n}]')" for n in range(first, count))


def _rows(array: str) -> str:
    """The inner arrays of a JSON array as a table with the column `row`.

    Materialized, because json_each otherwise renders an inner array again for every column that is read
    from it (measured: 2.4 µs a row of nine columns, 1.6 µs so).
    """
    return f"(with list(row) as materialized (select value from json_each({array})) select row from list)"


_BATCH_TRIGGER = f"""create temp trigger batch_write instead of insert on batch_in begin
  insert into message
    select {_columns(6)}, substr(new.bodies, json_extract(row, '$[6]'), json_extract(row, '$[7]'))
    from {_rows("new.messages")};
  insert or replace into turn
    select (json_extract(row, '$[0]') << {AGENT_BITS}) + json_extract(row, '$[1]'), {_columns(9, first=2)}
    from {_rows("new.turns")};
  insert or ignore into conversation(key, id, seq, at_us, initiator, protocol)
    select {_columns(6)} from {_rows("new.conversations")};
  insert into participant_log(agent, key) select {_columns(2)} from {_rows("new.participants")};
end"""


def durable_connection(path: Path) -> sqlite3.Connection:
    """A connection with `synchronous=FULL` and WAL asked for and read back.

    Raises JournalError where the file system does not grant them, sqlite3.Error for what SQLite finds.
    """
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=64)
    try:
        for pragma, wanted in (("journal_mode", "wal"), ("synchronous", 2)):
            db.execute(f"pragma {pragma} = {wanted}")
            got = db.execute(f"pragma {pragma}").fetchone()[0]
            if got != wanted:
                raise JournalError(
                    f"SQLite answered {pragma} = {got} instead of {wanted} for {path}.",
                    hint="Keep the project on a local file system; network file systems have no WAL.",
                    path=str(path),
                )
        # only a backstop: checkpoint.py copies long before that
        db.execute("pragma wal_autocheckpoint = 65536")
    except BaseException:
        db.close()
        raise
    return db


def writing_connection(path: Path) -> sqlite3.Connection:
    """The connection that writes: durable, migrated, ready for WRITE_BATCH."""
    db = durable_connection(path)
    try:
        db.execute("pragma temp_store = memory")
        db.execute("pragma cache_size = -65536")
        migrate(db)
        db.execute(_BATCH_VIEW)
        db.execute(_BATCH_TRIGGER)
    except BaseException:
        db.close()
        raise
    return db


def migrate(db: sqlite3.Connection) -> int:
    """Bring the file to the newest version, one transaction a migration; returns how many were run."""
    version: int = db.execute("pragma user_version").fetchone()[0]
    for number, migration in enumerate(MIGRATIONS[version:], version + 1):
        db.execute("begin immediate")
        try:
            migration(db)
            db.execute(f"pragma user_version = {number}")
            db.execute("commit")
        except BaseException:
            db.execute("rollback")
            raise
    return len(MIGRATIONS) - version


def last_seq(db: sqlite3.Connection) -> int:
    """The highest number that the journal has given out, rows removed by retention included."""
    row = db.execute(
        """select max(coalesce((select max(seq) from message), 0), coalesce((select max(seq) from event), 0),
             (select value from meta where key = 'trimmed_upto'))"""
    ).fetchone()
    return int(row[0])
