"""The journal as the daemon's loop sees it: a batch to append to, a flush that costs next to nothing, and
news of commits.

In: rows, appended by the bus to `journal.batch`; `flush()` at the end of every burst. Out: `committed`, the
number up to which everything is on disk (`synchronous=FULL`), callbacks and waiters. One batch is in the
writer at a time, the next one grows meanwhile: the slower the disk, the larger the batches. All methods
belong to the loop's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType

from caxton.clock import Clock
from caxton.errors import JournalError
from caxton.journal import guard, recovery, schema
from caxton.journal.batch import Batch
from caxton.journal.checkpoint import Checkpointer
from caxton.journal.reader import Reader
from caxton.journal.retention import Keep, Retention
from caxton.journal.rows import StoredMessage
from caxton.journal.writer import Counts, Writer

CONGESTED_ROWS = 40_000
CONGESTED_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """What a project may set: how long and how much to keep (0 = without bound), and two paces."""

    keep_days: int = 30
    keep_mib: int = 4096
    check_mib: int = 512
    """A database above this size is not read through at the start."""
    retry_s: float = 1.0
    """Pause before a batch that could not be written is tried again."""
    retention_every_s: float = 60.0


class Journal:
    """One project's journal, open for writing and reading; made by `open`, ended by `close`."""

    def __init__(
        self,
        writer_of: Callable[[Journal], Writer],
        reader: Reader,
        files: guard.Files,
        fds: tuple[int, ...],
        last: int,
    ) -> None:
        self.batch = Batch()
        """Where the bus appends; another object after every flush."""
        self.committed = last
        """Everything up to this number is on disk."""
        self.failed: str | None = None
        """Why the last attempt to commit failed, None when it did not; the rows are kept and tried again."""
        self.on_commit: list[Callable[[Batch], None]] = []
        self.on_relieved: list[Callable[[], None]] = []
        self.on_state: list[Callable[[str | None], None]] = []
        self.reader = reader
        self.files = files
        self._fds = fds
        self._loop = asyncio.get_running_loop()
        self._flying: Batch | None = None
        self._waiters: list[tuple[int, int, asyncio.Future[None]]] = []
        self._tickets = 0
        self._written: dict[Batch, list[asyncio.Future[None]]] = {}
        self._saw_congestion = False
        self._closing = False
        self._closed: asyncio.Future[None] | None = None
        self._drained = asyncio.Event()
        self._drained.set()
        self._writer = writer_of(self)
        self._thread = threading.Thread(target=self._writer.run, name="caxton-journal", daemon=True)
        self._thread.start()

    @classmethod
    async def open(cls, folder: Path, clock: Clock, settings: JournalSettings | None = None) -> Journal:
        """Open the journal in `folder` (`.caxton/`), or make it where there never was one.

        Raises JournalDamaged for what must not be opened, JournalError when another daemon has it.
        """
        chosen = settings or JournalSettings()
        files = guard.Files(folder)
        lock_fd = guard.take_lock(files)
        db: sqlite3.Connection | None = None
        try:
            connection, last = await asyncio.to_thread(_open, files, chosen)
            db = connection
            reader = await Reader.open(files.db)
        except BaseException:
            if db is not None:
                db.close()
            os.close(lock_fd)
            raise
        head_fd = os.open(files.head, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        retention = Retention(
            Keep(chosen.keep_days, chosen.keep_mib), clock, every_s=chosen.retention_every_s
        )

        def writer_of(journal: Journal) -> Writer:
            return Writer(
                connection,
                head_fd,
                retention,
                Checkpointer(files.db),
                done=lambda batch: journal._soon(partial(journal._done, batch)),
                failed=lambda reason: journal._soon(partial(journal._fail, reason)),
                retry_s=chosen.retry_s,
            )

        return cls(writer_of, reader, files, (head_fd, lock_fd), last)

    async def __aenter__(self) -> Journal:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def counts(self) -> Counts:
        """What the writer has done; plain integers."""
        return self._writer.counts

    @property
    def trouble(self) -> str | None:
        """Why the last housekeeping (indexes, checkpoint, retention) failed, None when it did not."""
        return self._writer.trouble

    @property
    def waiting_rows(self) -> int:
        """Messages and records that are not on disk yet."""
        rows = len(self.batch.messages) + len(self.batch.records)
        if self._flying is not None:
            rows += len(self._flying.messages) + len(self._flying.records)
        return rows

    @property
    def waiting_bytes(self) -> int:
        """Bytes of messages that are not on disk yet."""
        return self.batch.size + (self._flying.size if self._flying is not None else 0)

    @property
    def congested(self) -> bool:
        """Whether the bus should take nothing more from outside until `on_relieved`."""
        if self.waiting_rows > CONGESTED_ROWS or self.waiting_bytes > CONGESTED_BYTES:
            self._saw_congestion = True
            return True
        return False

    def flush(self) -> None:
        """Hand the batch over if the writer is idle; else it goes with the next commit. Call between two
        turns only."""
        if self._flying is None:
            batch = self.batch
            if batch:
                self.batch = Batch()
                self._flying = batch
                self._drained.clear()
                self._writer.submit(batch)

    async def committed_upto(self, seq: int) -> None:
        """Return when everything up to `seq` is on disk; raises JournalError when the journal closes before
        that."""
        if seq <= self.committed:
            return
        if self._closing:
            raise JournalError("The journal is closed.", seq=seq)
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._tickets += 1
        heapq.heappush(self._waiters, (seq, self._tickets, waiter))
        await waiter

    async def written(self) -> None:
        """Return when all that was appended before now is on disk, turns too; raises JournalError when the journal
        closes before that."""
        batch = self.batch or self._flying
        if batch is None:
            return
        if self._closing:
            raise JournalError("The journal is closed.")
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._written.setdefault(batch, []).append(waiter)
        self.flush()
        await waiter

    def pending(self, low_water: int | None = None) -> Iterator[tuple[StoredMessage, list[str]]]:
        """Messages above `low_water` (default: the stored one) with the receivers that have no turn for them.

        In ascending order; for the start of the daemon, before the bus runs.
        """
        return recovery.pending(self.files.db, low_water)

    async def close(self, give_up_s: float = 10.0) -> None:
        """Write what is left, index, checkpoint, mark the head, end the threads.

        Raises JournalError when rows could not be written within `give_up_s` seconds.
        """
        if self._closed is None:
            self._closing = True
            self._closed = asyncio.ensure_future(self._close(give_up_s))
        # a cancelled caller does not stop it, another caller waits for the same end
        await asyncio.shield(self._closed)

    async def _close(self, give_up_s: float) -> None:
        lost = 0
        try:
            async with asyncio.timeout(give_up_s):
                self.flush()
                while self._flying is not None:
                    await self._drained.wait()
                    self.flush()
        except TimeoutError:
            lost = self.waiting_rows
        self._writer.stop(give_up=lost > 0)
        await asyncio.to_thread(self._thread.join)
        await self.reader.close()
        for fd in self._fds:
            os.close(fd)
        while self._waiters:
            _, _, waiter = heapq.heappop(self._waiters)
            if not waiter.done():
                waiter.set_exception(JournalError("The journal was closed before the message was on disk."))
        for waiting in self._written.values():
            for waiter in waiting:
                if not waiter.done():
                    waiter.set_exception(JournalError("The journal was closed before that was on disk."))
        if lost:
            raise JournalError(
                f"{lost:,} rows could not be written to {self.files.db}: {self.failed}.",
                hint="Free space on that disk; nothing of those rows was acknowledged.",
                path=str(self.files.db),
                rows=lost,
            )

    def _soon(self, news: Callable[[], None]) -> None:
        """From the writer's thread: run `news` in the loop, where there still is one."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(news)

    def _done(self, batch: Batch) -> None:
        """A commit is on disk: the next batch goes first, then everybody is told."""
        self._flying = None
        self.committed = max(self.committed, batch.last_seq)
        self.flush()
        if self._flying is None:
            self._drained.set()
        if self.failed is not None:
            self._fail(None)
        for written in self._written.pop(batch, ()):
            if not written.done():
                written.set_result(None)
        waiters = self._waiters
        while waiters and waiters[0][0] <= self.committed:
            waiter = heapq.heappop(waiters)[2]
            if not waiter.done():
                waiter.set_result(None)
        for tell in self.on_commit:
            tell(batch)
        if self._saw_congestion and not self.congested:
            self._saw_congestion = False
            for tell_relief in self.on_relieved:
                tell_relief()

    def _fail(self, reason: str | None) -> None:
        self.failed = reason
        for tell in self.on_state:
            tell(reason)


def _open(files: guard.Files, settings: JournalSettings) -> tuple[sqlite3.Connection, int]:
    guard.ensure(files, check_mib=settings.check_mib)
    try:
        db = schema.writing_connection(files.db)
    except sqlite3.Error as trouble:
        raise JournalError(
            f"{files.db} cannot be opened for writing: {trouble}.", path=str(files.db)
        ) from trouble
    return db, guard.check_tail(files, db)
