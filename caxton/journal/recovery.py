"""What was not finished when the daemon ended.

In: the journal as the last commit left it. Out: the messages whose receivers have no turn, in order, so
that they are delivered again. A message flagged HANDLED needs no turn. Receivers and turns are matched by
agent name; an agent number that the registry does not know matches nobody.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import msgspec

from caxton.journal.batch import AGENT_BITS, HANDLED, MAX_AGENT_NO
from caxton.journal.rows import StoredMessage


class _Receivers(msgspec.Struct):
    receiver: list[str] | str


_receivers = msgspec.json.Decoder(_Receivers).decode
_numbers = msgspec.json.Decoder(list[int]).decode
_TOPIC = "topic:"


def pending(
    db: sqlite3.Connection, low_water: int | None = None
) -> Iterator[tuple[StoredMessage, list[str]]]:
    """Messages above `low_water` (default: the stored one), each with its receivers that have no turn for it.

    Reads a row at a time, so a long tail needs no memory.
    """
    low = _low_water(db) if low_water is None else low_water
    names: dict[int, str] = dict(db.execute("select no, name from agent").fetchall())
    turns: Iterator[tuple[int]] = iter(
        db.execute("select id from turn where id >= ? order by id", ((low + 1) << AGENT_BITS,))
    )
    turn = next(turns, None)
    for row in db.execute(
        """select seq, at_us, conversation, cause, hops, flags, body from message
             where seq > ? order by seq""",
        (low,),
    ):
        message = StoredMessage(*row)
        finished: set[str | None] = set()
        while turn is not None and turn[0] >> AGENT_BITS <= message.seq:
            if turn[0] >> AGENT_BITS == message.seq:
                finished.add(names.get(turn[0] & MAX_AGENT_NO))
            turn = next(turns, None)
        if message.flags & HANDLED:
            continue
        receivers = _receivers(message.body).receiver
        named = [receivers] if isinstance(receivers, str) else receivers
        if any(name.startswith(_TOPIC) for name in named):
            # whom it was for was decided when it was said
            got = db.execute("select agents from publication where seq = ?", (message.seq,)).fetchone()
            agents = [] if got is None else [names.get(no, "") for no in _numbers(got[0])]
            named = [*(name for name in named if not name.startswith(_TOPIC)), *agents]
        # a dead letter is finished too: nobody gets it again
        finished.update(
            name for (name,) in db.execute("select agent from dead_letter where seq = ?", (message.seq,))
        )
        left = [name for name in named if name not in finished]
        if left:
            yield message, left


def _low_water(db: sqlite3.Connection) -> int:
    row = db.execute("select value from meta where key = 'low_water'").fetchone()
    return 0 if row is None else int(row[0])
