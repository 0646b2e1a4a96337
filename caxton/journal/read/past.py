"""The turns of the past with the messages that they were about, for whoever runs them once more.

In: agents' numbers and from where on. Out: their turns in order, a page at a time, so that a long past needs no memory.
A connection of its own, in a thread: a long reading holds up no other reader and not the loop.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

from caxton.errors import JournalError
from caxton.journal.records.query import END, numbers
from caxton.journal.records.record import AGENT_BITS, MAX_AGENT_NO
from caxton.turn_status import REDELIVERED, Status

PAGE: Final = 2_000

_COLUMNS = f"""t.id >> {AGENT_BITS}, t.id & {MAX_AGENT_NO}, t.revision_no, t.started_us, t.fuel, t.sent, t.status,
  m.body, t.number"""
_IN_PLACE = f"""select {_COLUMNS}, t.id >> {AGENT_BITS}
  from turn t cross join message m on m.seq = t.id >> {AGENT_BITS}
  where t.id > :last and t.id < :before << {AGENT_BITS}
    and t.id & {MAX_AGENT_NO} in (select value from json_each(:agents))
    and not exists (select 1 from turn_place p
      where p.agent_no = t.id & {MAX_AGENT_NO} and p.seq = t.id >> {AGENT_BITS})
  order by t.id limit {PAGE}"""
_ELSEWHERE = f"""select {_COLUMNS}, p.place
  from turn_place p cross join turn t on t.id = p.seq << {AGENT_BITS} | p.agent_no cross join message m on m.seq = p.seq
  where p.agent_no in (select value from json_each(:agents))
    and p.place << {AGENT_BITS} | p.agent_no > :last and p.place < :before
  order by p.place, p.agent_no limit {PAGE}"""
_PUT_BACK = f"""select p.seq, p.agent_no, p.revision_no, p.started_us, p.fuel, 0, p.status, m.body, p.number, p.place
  from put_back p cross join message m on m.seq = p.seq
  where p.agent_no in (select value from json_each(:agents))
    and p.place << {AGENT_BITS} | p.agent_no > :last and p.place < :before
  order by p.place, p.agent_no limit {PAGE}"""


_COUNT = f"""select count(*) from turn where id > :last and id < :before << {AGENT_BITS}
  and id & {MAX_AGENT_NO} = :agent"""


class PastTurn(NamedTuple):
    """One finished turn and its message; `status` is the turn row's, REDELIVERED included."""

    seq: int
    agent_no: int
    revision_no: int
    started_us: int
    fuel: int
    sent: int
    status: int
    body: bytes
    number: int
    """Of the agent's own turns, from 1; 0 where an earlier version gave it none."""
    place: int
    """Where it stands in its agent's order (turn_places.py)."""

    @property
    def own_seq(self) -> int:
        """What stands for it in a row of `own_turn`."""
        return -self.place if self.status % REDELIVERED == Status.PUT_BACK else self.seq

    @property
    def key(self) -> int:
        """What turns are sorted by."""
        return self.place << AGENT_BITS | self.agent_no


async def past_turns(
    connect: Callable[[], sqlite3.Connection],
    path: Path,
    agents: Collection[int],
    *,
    after_seq: int,
    before_seq: int,
) -> AsyncGenerator[list[PastTurn]]:
    """`Journal.past_turns`, on a connection that `connect` makes; `path` is for what is said of an error."""
    db = await asyncio.to_thread(connect)
    values: dict[str, str | int] = {
        "agents": numbers(sorted(agents)),
        "before": before_seq,
        "last": ((after_seq + 1) << AGENT_BITS) - 1,
    }
    reading = asyncio.ensure_future(asyncio.to_thread(_page, db, path, values))
    try:
        while page := await reading:
            values = {**values, "last": page[-1].key}
            if len(page) < PAGE:
                yield page
                return
            reading = asyncio.ensure_future(asyncio.to_thread(_page, db, path, values))
            yield page
    finally:
        # the connection must not be closed under a thread that still reads
        await asyncio.gather(reading, return_exceptions=True)
        db.close()


async def count_turns(
    connect: Callable[[], sqlite3.Connection], path: Path, agent: int, *, after_seq: int, before_seq: int
) -> int:
    """`Journal.count_past_turns`."""

    def count() -> int:
        with closing(connect()) as db:
            values = {"agent": agent, "before": before_seq, "last": ((after_seq + 1) << AGENT_BITS) - 1}
            return int(db.execute(_COUNT, values).fetchone()[0])

    try:
        return await asyncio.to_thread(count)
    except sqlite3.Error as trouble:
        raise JournalError(f"{path} cannot be read: {trouble}.", path=str(path)) from trouble


def _page(db: sqlite3.Connection, path: Path, values: dict[str, str | int]) -> list[PastTurn]:
    try:
        in_place = [PastTurn(*row) for row in db.execute(_IN_PLACE, values)]
        elsewhere = [PastTurn(*row) for row in db.execute(_ELSEWHERE, values)]
        put_back = [PastTurn(*row) for row in db.execute(_PUT_BACK, values)]
    except sqlite3.Error as trouble:
        raise JournalError(f"{path} cannot be read: {trouble}.", path=str(path)) from trouble
    if not elsewhere and not put_back:
        return in_place
    pages = (in_place, elsewhere, put_back)
    # what lies behind the end of a page that is full is for the next one
    upto = min((page[-1].key for page in pages if len(page) == PAGE), default=END << AGENT_BITS)
    return sorted((turn for turn in chain(*pages) if turn.key <= upto), key=lambda turn: turn.key)[:PAGE]
