"""A journal in memory: the same rows, written by the same statements, on a disk that fails and stops on command.

In: batches, as every store takes them. Out: rows that outlive the store: a `MemoryDisk` is what a crash leaves, and
another store over it is a restart. A commit takes time on the clock that is passed in and no thread; a store whose
machine has stopped neither writes nor answers any more, whatever is still asked of it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing, contextmanager
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from caxton.clock import Alarm, Clock
from caxton.journal.pages.page_check import Checked
from caxton.journal.read.reader import Reader
from caxton.journal.records.batch import Batch
from caxton.journal.records.query import Query, Row, Value, last_seq
from caxton.journal.retention.retention import Kept
from caxton.journal.store import JournalSettings
from caxton.journal.write import schema
from caxton.journal.write.commits import IDLE_S, Committer, Counts

PATH = Path("memory")


class DiskError(StrEnum):
    """What a disk says when a commit fails, in SQLite's words."""

    FULL = "database or disk is full"
    IO = "disk I/O error"


class _Fault(NamedTuple):
    error: DiskError
    times: int
    landed: bool


class _Connection(sqlite3.Connection):
    """The one connection to a disk: readers borrow it, so only the disk itself can close it."""

    fault: _Fault | None = None
    """What the next commit ends with."""

    def fail_with(self, fault: _Fault | None) -> None:
        """The next commit ends with that; None: as it should."""
        self.fault = fault

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        fault = self.fault
        if fault is None or sql != "commit":
            return super().execute(sql, parameters)
        self.fault = None
        if fault.landed:
            super().execute(sql)
        raise sqlite3.OperationalError(str(fault.error))

    def close(self) -> None:
        """Whoever borrowed it gives it back."""

    def end(self) -> None:
        super().close()


class MemoryDisk:
    """What was committed, and what is to go wrong. `image` is what another disk holds."""

    def __init__(self, image: bytes | None = None) -> None:
        self.db = sqlite3.connect(
            ":memory:", isolation_level=None, check_same_thread=False, factory=_Connection
        )
        self.writes = 0
        """How many commits were tried so far."""
        self._faults: dict[int, _Fault] = {}
        self.db.deserialize(_empty() if image is None else image)

    def image(self) -> bytes:
        """A copy of everything that is committed."""
        return self.db.serialize()

    def fail(self, error: DiskError, *, after: int = 0, times: int = 1, landed: bool = False) -> None:
        """Let commits fail: `times` in a row, once `after` more have gone well.

        `landed`: the first of them is on disk all the same, and only the word of it is lost.
        """
        self._faults[self.writes + after + 1] = _Fault(error, times, landed)

    def heal(self) -> None:
        """Nothing that was to go wrong goes wrong any more."""
        self._faults.clear()

    @contextmanager
    def write(self) -> Generator[None]:
        """A commit is tried."""
        self.writes += 1
        fault = self._faults.pop(self.writes, None)
        if fault is not None and fault.times > 1:
            self._faults[self.writes + 1] = fault._replace(times=fault.times - 1, landed=False)
        self.db.fail_with(fault)
        try:
            yield
        finally:
            self.db.fail_with(None)

    def reader(self) -> Reader:
        """Reads what is committed at once, in no time of the run: for whoever looks on."""
        return Reader(Query(_AtOnce(self.db), PATH))

    def rows(self) -> dict[str, list[Row]]:
        """Every committed row of every table, each table in the order of its key."""
        tables = self.db.execute(
            "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name"
        ).fetchall()
        # without an order SQLite walks a table by its key
        return {name: self.db.execute(f"select * from {name}").fetchall() for (name,) in tables}

    def close(self) -> None:
        """Give the memory back."""
        self.db.end()


class Power(Protocol):
    """How long the disk takes, and when the machine under it stops."""

    def commit_s(self) -> float:
        """Seconds for the next commit."""
        ...

    def read_s(self) -> float:
        """Seconds for the next reading."""
        ...

    def goes_on(self) -> bool:
        """One more step: False where the machine has stopped before it."""
        ...


class MemoryStore:
    """One life's journal over a disk in memory; see `Store` for what each of these promises."""

    def __init__(self, disk: MemoryDisk, clock: Clock, power: Power, settings: JournalSettings) -> None:
        self.path = PATH
        self.last_seq = last_seq(disk.db)
        self.reader = Reader(Query(_Reading(disk.db, power), PATH))
        self.checked = Checked(0, 0)
        self.trouble: str | None = None
        self.busy = False
        """Whether a batch is on its way to the disk."""
        self._disk = disk
        self._clock = clock
        self._power = power
        self._retry_s = settings.retry_s
        self._committer = Committer(disk.db, settings.retention(disk.db, clock), clock)
        self._done: Callable[[Batch], None]
        self._failed: Callable[[str], None]
        self._retry: Alarm | None = None
        self._idle: Alarm | None = None

    @property
    def counts(self) -> Counts:
        """What was written in this life."""
        return self._committer.counts

    @property
    def kept(self) -> Kept:
        """What retention has left and why."""
        return self._committer.kept

    def begin(self, done: Callable[[Batch], None], failed: Callable[[str], None]) -> None:
        """Nothing has to be started."""
        self._done, self._failed = done, failed

    def submit(self, batch: Batch) -> None:
        """Commit the batch after a while."""
        self.busy = True
        self._clock.later(self._power.commit_s(), lambda: self._commit(batch))

    def connect(self) -> sqlite3.Connection:
        """The disk's connection: between two commits nothing on it is uncommitted."""
        return self._disk.db

    async def close(self, *, give_up: bool) -> None:
        """Stop trying, and index the rest."""
        for alarm in (self._retry, self._idle):
            if alarm is not None:
                alarm.cancel()
        if self._power.goes_on():
            self._index()
            self._committer.close()

    def _commit(self, batch: Batch, *, again: bool = False) -> None:
        if not self._power.goes_on():
            return
        with self._disk.write():
            reason = self._committer.commit(batch, again=again)
        if reason is not None:
            self._failed(reason)
            self._retry = self._clock.later(self._retry_s, lambda: self._commit(batch, again=True))
        elif self._power.goes_on():
            self.busy = False
            self._committer.trim()
            self._rest()
            self._done(batch)

    def _rest(self) -> None:
        """Put things in order once nothing was written for a while."""
        if self._idle is not None:
            self._idle.cancel()
        self._idle = self._clock.later(IDLE_S, self._keep_house)

    def _keep_house(self) -> None:
        if self._power.goes_on():
            self._index()
            self._committer.trim()
            self._idle = self._clock.later(max(IDLE_S, self._committer.next_trim_s()), self._keep_house)

    def _index(self) -> None:
        while self._committer.unindexed > 0:
            self._committer.index_chunk()


class _Reading:
    """Reads on the disk's connection; each reading takes a while, in which others may come first."""

    def __init__(self, db: sqlite3.Connection, power: Power) -> None:
        self._db = db
        self._power = power

    async def execute_fetchall(self, sql: str, parameters: Mapping[str, Value]) -> Iterable[Row]:
        """Every row of a statement."""
        await asyncio.sleep(self._power.read_s())
        return self._db.execute(sql, parameters).fetchall()

    async def close(self) -> None:
        """Nothing has to be closed."""


class _AtOnce:
    """Reads on the disk's connection without waiting."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    async def execute_fetchall(self, sql: str, parameters: Mapping[str, Value]) -> Iterable[Row]:
        """Every row of a statement."""
        return self._db.execute(sql, parameters).fetchall()

    async def close(self) -> None:
        """Nothing has to be closed."""


@cache
def _empty() -> bytes:
    """A disk with tables and no rows."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        schema.begin(db)
        return db.serialize()
