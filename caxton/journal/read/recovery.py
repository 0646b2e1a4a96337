"""What was not finished when the daemon ended.

In: the journal as the last commit left it. Out: the messages whose receivers have no turn, in order, so
that they are delivered again. A message flagged HANDLED needs no turn. Receivers and turns are matched by
agent name; an agent number that the registry does not know matches nobody. Up to `settled_upto` only those are
looked at that retention has put down (unfinished.py), above the marks every message.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import msgspec

from caxton.journal.records.batch import HANDLED
from caxton.journal.records.record import AGENT_BITS, MAX_AGENT_NO
from caxton.journal.records.rows import StoredMessage
from caxton.journal.retention.unfinished import UNFINISHED


class _Receivers(msgspec.Struct):
    receiver: list[str] | str


_receivers = msgspec.json.Decoder(_Receivers).decode
_numbers = msgspec.json.Decoder(list[int]).decode
_TOPIC = "topic:"
_MESSAGE = "m.seq, m.at_us, m.conversation, m.cause, m.hops, m.flags, m.body"
_ABOVE = f"""select {_MESSAGE} from message m where m.seq > ? and m.flags & {HANDLED} = 0
    and exists (select 1 from json_each(cast(m.body as text), '$.receiver') r where not exists (
      select 1 from turn t where t.id = m.seq << {AGENT_BITS} | (select no from agent where name = r.value)))
    order by m.seq"""
"""What somebody has no turn for: nearly everything has been handled, and SQLite passes over that."""


def pending(
    db: sqlite3.Connection, low_water: int | None = None
) -> Iterator[tuple[StoredMessage, list[str]]]:
    """Messages above `low_water` (default: the stored marks), each with its receivers that have no turn for it.

    Reads a row at a time, so a long tail needs no memory.
    """
    names: dict[int, str] = dict(db.execute("select no, name from agent").fetchall())
    low = low_water
    if low is None:
        low, settled = (_mark(db, key) for key in ("low_water", "settled_upto"))
        waiting = db.execute(
            f"""select {_MESSAGE} from message m where m.seq > ? and m.seq <= ?
                  and m.seq in (select seq from spared where kind = {UNFINISHED}) order by m.seq""",
            (low, settled),
        )
        yield from _unhandled(db, names, waiting)
        low = max(low, settled)
    yield from _unhandled(db, names, db.execute(_ABOVE, (low,)))


def _unhandled(
    db: sqlite3.Connection,
    names: dict[int, str],
    rows: Iterator[tuple[int, int, int, int, int, int, bytes]],
) -> Iterator[tuple[StoredMessage, list[str]]]:
    for row in rows:
        message = StoredMessage(*row)
        receivers = _receivers(message.body).receiver
        named = [receivers] if isinstance(receivers, str) else receivers
        if any(name.startswith(_TOPIC) for name in named):
            # whom it was for was decided when it was said
            got = db.execute("select agents from publication where seq = ?", (message.seq,)).fetchone()
            agents = [] if got is None else [names.get(no, "") for no in _numbers(got[0])]
            named = [*(name for name in named if not name.startswith(_TOPIC)), *agents]
        done = _finished(db, names, message.seq)
        left = [name for name in named if name not in done]
        if left:
            yield message, left


def _finished(db: sqlite3.Connection, names: dict[int, str], seq: int) -> set[str | None]:
    """Who has finished a message, or is not to get it again: a dead letter is finished too."""
    turns = db.execute(
        "select id from turn where id >= ? and id < ?", (seq << AGENT_BITS, (seq + 1) << AGENT_BITS)
    )
    letters = db.execute("select agent from dead_letter where seq = ?", (seq,))
    return {names.get(id & MAX_AGENT_NO) for (id,) in turns} | {name for (name,) in letters}


def _mark(db: sqlite3.Connection, key: str) -> int:
    row = db.execute("select value from meta where key = ?", (key,)).fetchone()
    return 0 if row is None else int(row[0])
