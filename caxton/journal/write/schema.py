"""The journal's tables: migrations, the settings of a connection, and the statements that write a batch.

In: a path. Out: a connection whose durability settings were read back. `seq` numbers messages and events
with one gapless counter. `message`, `conversation` and `participant_log` are only ever appended to, because
a B-tree that takes random keys dirties a page a key in every commit; their indexes are built behind, in
sorted chunks (deferred_index.py). `turn` is keyed by message and agent, which comes nearly sorted and needs no index.

Pages that retention frees are used again by new rows; where many are free, retention gives some back to the file
system (`auto_vacuum = incremental`, which moves pages only when it is told to).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from caxton.errors import JournalError
from caxton.journal.records.approvals import approval_steps
from caxton.journal.records.dead_letters import dead_letter_ends
from caxton.journal.records.holds import holds
from caxton.journal.records.put_backs import put_backs
from caxton.journal.records.record import AGENT_BITS
from caxton.journal.records.revision_memory import own_turns
from caxton.journal.records.snapshots import pins, snapshots_by_turn
from caxton.journal.records.turn_places import turn_numbers, turn_places
from caxton.journal.records.verdicts import judged_tables
from caxton.journal.retention.age import used
from caxton.journal.retention.spared import spared
from caxton.journal.retention.unfinished import unfinished

APPLICATION_ID = 0x43585431
"""`CXT1`, at byte 68 of the file."""
PAGE_BYTES = 8192
"""Of a new journal: 0.6 µs less of a processor for each message than with 4096, which pays for the checksums."""


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


def directory(db: sqlite3.Connection) -> None:
    """Registrations with `ams` and `df`, and subscriptions to the `df`."""
    db.execute(
        """create table directory(kind text not null, key text not null, at_us integer not null,
             expires_us integer, body text, primary key(kind, key)) without rowid"""
    )
    # a row without a body takes one away, so that one statement writes a batch in its order
    db.execute(
        """create trigger directory_leave after insert on directory when new.body is null begin
             delete from directory where kind = new.kind and key = new.key;
           end"""
    )


def keys(db: sqlite3.Connection) -> None:
    """Idempotency keys have an age of their own, and keep what they were answered with when their message goes."""
    for statement in (
        "alter table client_key add column at_us integer not null default 0",
        "alter table client_key add column body blob",
        "update client_key set at_us = coalesce((select at_us from message m where m.seq = client_key.seq), 0)",
        "create index client_key_at on client_key(at_us)",
    ):
        db.execute(statement)


def publications(db: sqlite3.Connection) -> None:
    """Who got what was said to a topic."""
    db.execute("create table publication(seq integer primary key, agents text not null)")


MIGRATIONS: list[Callable[[sqlite3.Connection], None]] = [
    first_tables,
    tasks,
    judged_tables,
    snapshots_by_turn,
    directory,
    pins,
    holds,
    own_turns,
    spared,
    keys,
    used,
    dead_letter_ends,
    turn_places,
    publications,
    put_backs,
    turn_numbers,
    unfinished,
    approval_steps,
]
"""In order and never changed once released; `user_version` is how many of them a file has seen."""

ROWS_AT_ONCE = (1024, 256, 64, 16, 4, 1)
"""Rows that one statement inserts, the largest that fits first: SQLite takes 32,766 values a statement. Measured
against one JSON array a batch: 3.1 µs of processor time a message with its turn instead of 4.6, and no less
left for a thread that is busy meanwhile."""


def _inserts(into: str, row: str) -> dict[int, str]:
    """The statement for each number of rows; the connection keeps them prepared."""
    return {many: f"{into} values {','.join([row] * many)}" for many in ROWS_AT_ONCE}


MESSAGES = _inserts("insert into message", "(?,?,?,?,?,?,?)")
TURNS = _inserts("insert or replace into turn", f"((?<<{AGENT_BITS})+?,?,?,?,?,?,?,?,?)")
CONVERSATIONS = _inserts(
    "insert or ignore into conversation(key, id, seq, at_us, initiator, protocol)", "(?,?,?,?,?,?)"
)
PARTICIPANTS = _inserts("insert into participant_log(agent, key)", "(?,?)")


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
    """The connection that writes: durable and migrated."""
    db = durable_connection(path)
    try:
        db.execute("pragma temp_store = memory")
        # what retention frees is overwritten where that costs nothing, else by the rows that use the page next
        db.execute("pragma secure_delete = fast")
        db.execute("pragma cache_size = -65536")
        migrate(db)
    except BaseException:
        db.close()
        raise
    return db


def begin(db: sqlite3.Connection) -> None:
    """Make the tables of a new journal."""
    # both have to be said before anything is written
    db.execute(f"pragma page_size = {PAGE_BYTES}")
    db.execute("pragma auto_vacuum = incremental")
    db.execute(f"pragma application_id = {APPLICATION_ID}")
    migrate(db)


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
            # SQLite ends the transaction itself where the disk is full
            if db.in_transaction:
                db.execute("rollback")
            raise
    return len(MIGRATIONS) - version
