"""What was not finished when the daemon ended.

In: the journal as the last commit left it. Out: the messages whose receivers have no turn, in order, so
that they are delivered again. A message flagged HANDLED needs no turn. Receivers and turns are matched by
agent name; an agent number that the registry does not know matches nobody. Up to `settled_upto` only those are
looked at that retention has put down (unfinished.py), above the marks every message.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from heapq import merge
from operator import itemgetter

import msgspec

from caxton.journal.batch import AGENT_BITS, HANDLED, MAX_AGENT_NO
from caxton.journal.rows import StoredMessage
from caxton.journal.unfinished import UNFINISHED


class _Receivers(msgspec.Struct):
    receiver: list[str] | str


_receivers = msgspec.json.Decoder(_Receivers).decode
_numbers = msgspec.json.Decoder(list[int]).decode
_TOPIC = "topic:"
_MESSAGE = "m.seq, m.at_us, m.conversation, m.cause, m.hops, m.flags, m.body"


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
        yield from _unhandled(db, names, waiting, lambda seq: _agents_of(db, names, seq, seq))
        low = max(low, settled)
    above = db.execute(f"select {_MESSAGE} from message m where m.seq > ? order by m.seq", (low,))
    yield from _unhandled(db, names, above, _one_by_one(_agents_of(db, names, low + 1, None)))


Finished = Iterator[tuple[int, str | None]]
"""Numbers, each with an agent that has finished its message, or that is not to get it again."""


def _unhandled(
    db: sqlite3.Connection,
    names: dict[int, str],
    rows: Iterator[tuple[int, int, int, int, int, int, bytes]],
    finished: Callable[[int], Finished],
) -> Iterator[tuple[StoredMessage, list[str]]]:
    for row in rows:
        message = StoredMessage(*row)
        done = {name for _, name in finished(message.seq)}
        if message.flags & HANDLED:
            continue
        receivers = _receivers(message.body).receiver
        named = [receivers] if isinstance(receivers, str) else receivers
        if any(name.startswith(_TOPIC) for name in named):
            # whom it was for was decided when it was said
            got = db.execute("select agents from publication where seq = ?", (message.seq,)).fetchone()
            agents = [] if got is None else [names.get(no, "") for no in _numbers(got[0])]
            named = [*(name for name in named if not name.startswith(_TOPIC)), *agents]
        left = [name for name in named if name not in done]
        if left:
            yield message, left


def _agents_of(db: sqlite3.Connection, names: dict[int, str], first: int, last: int | None) -> Finished:
    """Turns and dead letters of these messages, in order; a dead letter is finished too: nobody gets it again."""
    upto = (1 << 62) >> AGENT_BITS if last is None else last
    turns = db.execute(
        "select id from turn where id >= ? and id < ? order by id",
        (first << AGENT_BITS, (upto + 1) << AGENT_BITS),
    )
    letters = db.execute(
        "select seq, agent from dead_letter where seq >= ? and seq <= ? order by seq", (first, upto)
    )
    yield from merge(
        ((id >> AGENT_BITS, names.get(id & MAX_AGENT_NO)) for (id,) in turns), letters, key=itemgetter(0)
    )


def _one_by_one(all_of_them: Finished) -> Callable[[int], Finished]:
    """The part of a long row that is about one number, for numbers in ascending order."""
    ahead = next(all_of_them, None)

    def part(seq: int) -> Finished:
        nonlocal ahead
        while ahead is not None and ahead[0] <= seq:
            if ahead[0] == seq:
                yield ahead
            ahead = next(all_of_them, None)

    return part


def _mark(db: sqlite3.Connection, key: str) -> int:
    row = db.execute("select value from meta where key = ?", (key,)).fetchone()
    return 0 if row is None else int(row[0])
