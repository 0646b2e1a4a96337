"""The reading connection and the few questions that every reader asks it.

In: SQL with named values. Out: rows, and JournalError where SQLite refuses. Rows of one conversation come
from the index up to `indexed_upto` and from a scan of the rows above it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import aiosqlite
import msgspec

from caxton.errors import JournalError

Value = int | str | None
Row = tuple[Any, ...]

READ_ONLY = ("pragma query_only = 1", "pragma busy_timeout = 2000")
END = (1 << 43) - 1
"""No number is as high as this."""
FEW = 500
"""An agent with at most so many conversations is looked up through them, another by scanning."""


class Connection(Protocol):
    """What reads; aiosqlite's connection is one."""

    def execute_fetchall(self, sql: str, parameters: Mapping[str, Value], /) -> Awaitable[Iterable[Any]]:
        """Every row of a statement; raises sqlite3.Error, ValueError once it is closed."""
        ...

    async def close(self) -> None:
        """End it."""
        ...


class Query:
    """One connection that only reads."""

    def __init__(self, db: Connection, path: Path) -> None:
        self._db = db
        self._path = path

    @classmethod
    async def open(cls, path: Path, *, alone: bool = False) -> Query:
        """Open it. The caller closes it, else its thread keeps the process alive. `alone`: no daemon may have the file,
        and closing must leave its log where it is."""
        if alone:
            db = await aiosqlite.connect(only_reading(path), uri=True, isolation_level=None)
        else:
            db = await aiosqlite.connect(path, isolation_level=None)
        try:
            for pragma in READ_ONLY:
                await db.execute(pragma)
        except BaseException:
            await db.close()
            raise
        return cls(db, path)

    async def close(self) -> None:
        """Close the connection and end its thread."""
        await asyncio.shield(asyncio.ensure_future(self._db.close()))

    async def all(self, sql: str, **values: Value) -> list[Row]:
        try:
            return [tuple(row) for row in await self._db.execute_fetchall(sql, values)]
        except sqlite3.Error as trouble:
            raise JournalError(f"{self._path} cannot be read: {trouble}.", path=str(self._path)) from trouble
        except ValueError as closed:
            raise JournalError("The journal is closed.", path=str(self._path)) from closed

    async def indexed(self) -> int:
        ((indexed,),) = await self.all("select value from meta where key = 'indexed_upto'")
        return int(indexed)

    async def select(
        self,
        columns: str,
        join: str,
        wanted: list[str],
        keys: list[int] | None,
        values: dict[str, Value],
        limit: int,
        newest_first: bool,
    ) -> list[Row]:
        """Rows of messages `m` that fit; with `keys` through the index, and by scanning above it.

        `indexed` is read first and both statements keep to it, so a row that is indexed in between is neither
        missed nor given twice.
        """
        direction = "desc" if newest_first else "asc"
        where = " and ".join(wanted)
        values = values | {"limit": limit}
        if keys is None:
            return await self.all(
                f"""select {columns} from message m {join} where {where}
                    order by m.seq {direction} limit :limit""",
                **values,
            )
        values |= {"keys": numbers(keys), "indexed": await self.indexed()}
        # one conversation lies in the order that is asked for: a long one is read no further than the limit
        among = (
            "= json_extract(:keys, '$[0]')" if len(keys) == 1 else "in (select value from json_each(:keys))"
        )
        index = f"""select {columns} from conversation_index i cross join message m on m.seq = i.seq {join}
            where i.conversation {among} and i.seq <= :indexed
              and i.seq > :after and i.seq < :before and {where} order by i.seq {direction} limit :limit"""
        tail = f"""select {columns} from message m {join}
            where m.conversation in (select value from json_each(:keys)) and m.seq > :indexed
              and {where} order by m.seq {direction} limit :limit"""
        rows: list[Row] = []
        for part in (tail, index) if newest_first else (index, tail):
            if len(rows) < limit:
                rows += await self.all(part, **(values | {"limit": limit - len(rows)}))
        return rows

    async def few_keys(self, agent: str, few: int = FEW) -> list[int] | None:
        """The agent's conversations, None when they are so many that scanning is better."""
        rows = await self.all(
            """select key from (select key from participation where agent = :agent limit :limit)
               union select key from (select key from participant_log where agent = :agent limit :limit)""",
            agent=agent,
            limit=few + 1,
        )
        return None if len(rows) > few else [row[0] for row in rows]

    async def range(
        self, after_seq: int, before_seq: int | None, since_us: int | None, until_us: int | None
    ) -> tuple[int, int]:
        after, before = after_seq, END if before_seq is None else before_seq
        if since_us is not None:
            after = max(after, await self._first_at(since_us) - 1)
        if until_us is not None:
            before = min(before, await self._first_at(until_us))
        return after, before

    async def _first_at(self, at_us: int) -> int:
        """The lowest number from which on no message is earlier than `at_us`."""
        ((low, high),) = await self.all(
            """select coalesce((select min(seq) from message), 1),
                 coalesce((select max(seq) from message), 0) + 1"""
        )
        while low < high:
            middle = (low + high) // 2
            rows = await self.all(
                "select seq, at_us from message where seq >= :seq order by seq limit 1", seq=middle
            )
            if rows and rows[0][1] < at_us:
                low = rows[0][0] + 1
            else:
                high = middle
        return int(low)


def only_reading(path: Path) -> str:
    """The address of a file that is only to be read, whoever else has it."""
    return f"{path.absolute().as_uri()}?mode=ro"


def reading_connection(path: Path) -> sqlite3.Connection:
    """A connection for one reading, for whichever thread does it."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for pragma in READ_ONLY:
        db.execute(pragma)
    return db


def numbers(of: Sequence[int]) -> str:
    """Whole numbers as a JSON array, for `json_each(:name)`."""
    return msgspec.json.encode(of).decode()


def last_seq(db: sqlite3.Connection) -> int:
    """The highest number that the journal has given out, rows removed by retention included."""
    row = db.execute(
        """select max(coalesce((select max(seq) from message), 0), coalesce((select max(seq) from event), 0),
             (select value from meta where key = 'trimmed_upto'))"""
    ).fetchone()
    last = int(row[0])
    # a journal of an earlier version has no such tables until it is migrated
    for table in ("turn_place", "put_back"):
        if db.execute("select 1 from sqlite_schema where name = ?", (table,)).fetchone():
            places = db.execute(f"select coalesce(max(place), 0) from {table}").fetchone()
            last = max(last, int(places[0]))
    return last
