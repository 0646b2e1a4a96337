"""The removal of rows: everything that belongs to some messages, in one transaction.

In: a range of numbers of which only what is spared stays, or numbers that are spared no more. Out: rows gone from every
table and index, and `trimmed_upto` in meta, so that a reader can say that older rows were removed. A conversation's
row goes with its last message.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager

from caxton.journal.records.record import AGENT_BITS
from caxton.journal.retention.spared import MEMORY, Spared

_RANGE = "seq > :start and seq <= :upto"
_GOING = "seq in (select seq from going)"
# a key outlives its message: what its request was answered with stays, without the content
_ANSWERED = """(select cast(json_set(cast(m.body as text), '$.content', null) as blob) from {} m
  where m.seq = client_key.seq)"""
_NOT_HELD = "seq not in (select seq from held_state where ended_us is null)"
_HELD_GOING = f"""(select seq from held where seq <= :upto and {_NOT_HELD}
  and conversation not in (select key from pinned))"""

_CHOOSE = (
    f"""insert or ignore into going select seq from message where {_RANGE}
         union select seq from dead_letter where {_RANGE} union select seq from mark where {_RANGE}""",
    f"delete from going where seq in (select seq from spared where {_RANGE})",
)
_IN_RANGE = (
    f"""delete from event where {_RANGE}
         and (conversation is null or conversation not in (select key from pinned))""",
    f"delete from task where {_RANGE} and upto > 0",
    # what is held stays, and goes with a later range once it is not any more
    f"""update client_key set body = {_ANSWERED.format("held")} where body is null and seq in {_HELD_GOING}""",
    f"delete from held where seq in {_HELD_GOING}",
    "delete from held_state where ended_us is not null and seq not in (select seq from held)",
    "delete from approval_step where seq <= :upto and held not in (select seq from held)",
    f"""delete from own_turn where {_RANGE} and not exists (select 1 from spared s
         where s.kind = {MEMORY} and s.owner = own_turn.agent_no and s.seq = own_turn.seq)""",
    "update meta set value = :upto where key = 'trimmed_upto'",
)
_REMOVE = (
    "create temp table if not exists gone(key integer primary key)",
    "delete from gone",
    f"insert or ignore into gone select conversation from message where {_GOING}",
    f"""delete from conversation_index where (conversation, seq) in
         (select conversation, seq from message where {_GOING})""",
    "delete from gone where exists (select 1 from conversation_index where conversation = gone.key)",
    "delete from gone where key in (select conversation from message where seq > :indexed)",
    """delete from conversation where seq in
         (select k.seq from gone join conversation_key k on k.key = gone.key)""",
    "delete from conversation_key where key in (select key from gone)",
    """delete from participation where (agent, key) in
         (select p.agent, p.key from gone join participant p on p.key = gone.key)""",
    "delete from participant where key in (select key from gone)",
    f"""delete from turn where id in (select t.id from going g cross join turn t
         on t.id >= g.seq << {AGENT_BITS} and t.id < (g.seq + 1) << {AGENT_BITS})""",
    f"delete from turn_place where {_GOING}",
    f"delete from put_back where {_GOING}",
    f"delete from own_turn where {_GOING}",
    """delete from own_turn where seq < 0 and not exists (select 1 from put_back p
         where p.agent_no = own_turn.agent_no and p.place = -own_turn.seq)""",
    f"delete from publication where {_GOING}",
    f"delete from dead_letter where {_GOING}",
    f"delete from dead_letter_end where {_GOING}",
    f"delete from mark where {_GOING}",
    "delete from conversation_state where conversation in (select key from gone) and open = 0",
    f"update client_key set body = {_ANSWERED.format('message')} where {_GOING} and body is null",
    f"delete from message where {_GOING}",
)
_TRIMMED = "seq <= (select value from meta where key = 'trimmed_upto')"
_OF_PIN = (
    f"delete from event where {_TRIMMED} and conversation = :owner",
    f"delete from held where conversation = :owner and {_TRIMMED} and {_NOT_HELD}",
    "delete from held_state where ended_us is not null and seq not in (select seq from held)",
)


def remove_range(db: sqlite3.Connection, spared: Spared, start: int, upto: int, indexed: int) -> int:
    """Remove what is numbered in (start, upto], not above `indexed`, but what has to stay; how many rows went."""
    values = {"start": start, "upto": upto, "indexed": indexed}
    with _transaction(db) as removed:
        spared.spare(start, upto)
        for statement in (*_CHOOSE, *_IN_RANGE, *_REMOVE):
            db.execute(statement, values)
    spared.count()
    return removed()


def settle(db: sqlite3.Connection, spared: Spared, start: int, upto: int) -> None:
    """Put down what of (start, upto] waits for an agent, so that the rest may go before it is handled."""
    with _transaction(db):
        spared.settle(start, upto)
        db.execute("update meta set value = ? where key = 'settled_upto'", (upto,))
    spared.count()


def remove_handled(
    db: sqlite3.Connection, spared: Spared, after: tuple[int, int], most: int, indexed: int
) -> tuple[int, tuple[int, int] | None]:
    """Remove some of what waited, is handled now and stands behind the mark; how many rows went, and where to go on."""
    with _transaction(db) as removed:
        handled, go_on = spared.let_go_handled(after, most)
        for statement in _REMOVE if handled else ():
            db.execute(statement, {"indexed": indexed})
    spared.count()
    for one in handled:
        spared.account(one)
    return removed(), go_on


def remove_needless(db: sqlite3.Connection, spared: Spared, most: int, indexed: int) -> int:
    """Remove some of what was spared and is not needed any more; how many rows went, 0 where all of it is needed."""
    with _transaction(db) as removed:
        let_go = spared.let_go(most)
        if let_go is not None:
            for statement in _REMOVE:
                db.execute(statement, {"indexed": indexed})
            if let_go.kind != MEMORY:
                for statement in _OF_PIN:
                    db.execute(statement, {"owner": let_go.owner})
    if let_go is not None:
        spared.account(let_go)
    return removed()


@contextmanager
def _transaction(db: sqlite3.Connection) -> Generator[Callable[[], int]]:
    """All of it or nothing; afterwards what this gives says how many rows it changed."""
    db.execute("create temp table if not exists going(seq integer primary key)")
    db.execute("delete from going")
    db.execute("begin immediate")
    before = after = db.total_changes
    try:
        yield lambda: after - before
        after = db.total_changes
        db.execute("commit")
    except BaseException:
        if db.in_transaction:
            db.execute("rollback")
        raise
