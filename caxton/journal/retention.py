"""What is removed when it is old, or when the journal is too large.

In: how many days and MiB to keep. Out: small transactions that remove the oldest rows, and `trimmed_upto`
in meta, so that a reader can say that older rows were removed. Rows above `low_water` (not all finished)
are never removed. A conversation's row goes with its last message. A snapshot of an agent that had no turn in what
goes is moved up to its end, so that the agent's memory can still be had from there.

Pinned conversations stay, with their turns and with what those said elsewhere, until they are pinned no more: then they
go with what goes next. What else an agent did between their turns is removed like anything else.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from caxton.clock import Clock
from caxton.ids import conversation_key
from caxton.journal.batch import AGENT_BITS, MAX_AGENT_NO
from caxton.journal.query import numbers

CHUNK = 5_000
"""Messages and events that one transaction removes at most."""

_DAY_US = 86_400_000_000

_TRIM_SQL = (
    "create temp table if not exists pinned(key integer primary key)",
    "delete from pinned",
    "insert or ignore into pinned select value from json_each(:pinned)",
    # what stays: the messages of pinned conversations, and what their turns said in others
    "create temp table if not exists spared(seq integer primary key)",
    "delete from spared",
    """insert into spared select i.seq from pinned p cross join conversation_index i
         on i.conversation = p.key where i.seq <= :upto""",
    """insert or ignore into spared select seq from message
         where seq <= :upto and cause in (select seq from spared)""",
    # an agent that did nothing in what goes has its memory from the end of it as well as from where it was
    "create temp table if not exists acted(no integer primary key)",
    "delete from acted",
    f"""insert or ignore into acted select id & {MAX_AGENT_NO} from turn
         where id >= (:start + 1) << {AGENT_BITS} and id < (:upto + 1) << {AGENT_BITS}""",
    """update or replace snapshot set seq = :upto where agent_no not in (select no from acted) and seq in
         (select max(old.seq) from snapshot old where old.agent_no = snapshot.agent_no and old.seq <= :upto)
         and seq >= (select value from meta where key = 'trimmed_upto')""",
    "create temp table if not exists gone(key integer primary key)",
    "delete from gone",
    """insert or ignore into gone select conversation from message
         where seq <= :upto and seq not in (select seq from spared)""",
    """delete from conversation_index where (conversation, seq) in
         (select conversation, seq from message where seq <= :upto and seq not in (select seq from spared))""",
    "delete from gone where exists (select 1 from conversation_index where conversation = gone.key)",
    "delete from gone where exists (select 1 from message where seq > :indexed and conversation = gone.key)",
    """delete from conversation where seq in
         (select k.seq from gone join conversation_key k on k.key = gone.key)""",
    "delete from conversation_key where key in (select key from gone)",
    """delete from participation where (agent, key) in
         (select p.agent, p.key from gone join participant p on p.key = gone.key)""",
    "delete from participant where key in (select key from gone)",
    f"""delete from turn where id < (:upto + 1) << {AGENT_BITS}
         and id >> {AGENT_BITS} not in (select seq from spared)""",
    """delete from event where seq <= :upto
         and (conversation is null or conversation not in (select key from pinned))""",
    "delete from dead_letter where seq <= :upto and seq not in (select seq from spared)",
    "delete from client_key where seq <= :upto",
    "delete from task where seq <= :upto and upto > 0",
    "delete from mark where seq <= :upto and seq not in (select seq from spared)",
    """delete from held_state where seq <= :upto
         and seq not in (select seq from held where conversation in (select key from pinned))""",
    "delete from held where seq <= :upto and conversation not in (select key from pinned)",
    "delete from own_turn where seq <= :upto",
    "delete from conversation_state where conversation in (select key from gone) and open = 0",
    "delete from message where seq <= :upto and seq not in (select seq from spared)",
    "update meta set value = :upto where key = 'trimmed_upto'",
)


@dataclass(frozen=True, slots=True)
class Keep:
    """How much to keep; 0 days or 0 MiB mean without that bound."""

    days: int = 30
    mib: int = 4096


class Retention:
    """Decides what goes and removes it a chunk at a time; used by the writer's thread only."""

    def __init__(self, keep: Keep, clock: Clock, *, every_s: float = 60.0) -> None:
        self._keep = keep
        self._clock = clock
        self._every_s = every_s
        self._next = 0.0

    def due(self) -> bool:
        """Whether `step` should be called now."""
        return self._clock.monotonic() >= self._next

    def wait_s(self) -> float:
        """Seconds until it is due."""
        return max(0.0, self._next - self._clock.monotonic())

    def step(self, db: sqlite3.Connection, indexed: int) -> int:
        """Remove one chunk of what may go, up to number `indexed`; returns the rows removed, 0 when done
        for now.

        One transaction; raises sqlite3.Error and leaves everything as it was when it fails.
        """
        self._next = self._clock.monotonic() + self._every_s
        start, upto = self._range(db, indexed)
        if upto <= start:
            return 0
        removed = trim(db, upto, indexed)
        # there may be more: come back after the next batch
        self._next = 0.0
        return removed

    def _range(self, db: sqlite3.Connection, indexed: int) -> tuple[int, int]:
        meta = dict(
            db.execute("select key, value from meta where key in ('trimmed_upto', 'low_water')").fetchall()
        )
        start = int(meta["trimmed_upto"])
        bound = min(start + CHUNK, int(meta.get("low_water", 0)), indexed)
        if bound <= start:
            return start, start
        if self._too_large(db):
            return start, bound
        return start, self._older(db, start, bound)

    def _too_large(self, db: sqlite3.Connection) -> bool:
        if not self._keep.mib:
            return False
        pages, free, size = (
            int(db.execute(f"pragma {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * size > self._keep.mib << 20

    def _older(self, db: sqlite3.Connection, start: int, bound: int) -> int:
        """The last number in (start, bound] that is older than `keep.days`, else `start`."""
        if not self._keep.days:
            return start
        cutoff = self._clock.now_us() - self._keep.days * _DAY_US
        row = db.execute(
            """select max(coalesce((select max(seq) from message where seq > :start and seq <= :bound
                                      and at_us < :cutoff), 0),
                          coalesce((select max(seq) from event where seq > :start and seq <= :bound
                                      and at_us < :cutoff), 0))""",
            {"start": start, "bound": bound, "cutoff": cutoff},
        ).fetchone()
        return max(start, int(row[0]))


def trim(db: sqlite3.Connection, upto: int, indexed: int) -> int:
    """Remove everything numbered up to `upto`, which is not above `indexed`, but what belongs to pinned conversations;
    returns how many rows went."""
    db.execute("begin immediate")
    try:
        before = db.total_changes
        pinned = [conversation_key(id) for (id,) in db.execute("select id from pin")]
        start = db.execute("select value from meta where key = 'trimmed_upto'").fetchone()[0]
        values = {"start": start, "upto": upto, "indexed": indexed, "pinned": numbers(pinned)}
        for statement in _TRIM_SQL:
            db.execute(statement, values)
        removed = db.total_changes - before
        db.execute("commit")
    except BaseException:
        if db.in_transaction:
            db.execute("rollback")
        raise
    return removed
