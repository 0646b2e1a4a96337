"""Where the journal's rows lie: the port under it, and the files of a project behind that port.

In: batches, one at a time, in order. Out: for each one call of `done`, once it is committed; or `failed` with the
reason, again and again, with the same batch until it is in. A store never loses a batch that it was given and never
reorders, and what it acknowledged is there after a crash. `memory.py` is the other store.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from caxton.clock import Clock
from caxton.disk import translated
from caxton.errors import DiskTrouble
from caxton.journal.files import Files
from caxton.journal.integrity import guard
from caxton.journal.pages.page_check import Checked
from caxton.journal.pages.page_sums import PageSums
from caxton.journal.read.reader import Reader
from caxton.journal.records.batch import Batch
from caxton.journal.records.query import last_seq, reading_connection
from caxton.journal.retention.retention import Keep, Kept, Retention
from caxton.journal.upgrade import upgrade
from caxton.journal.write import schema
from caxton.journal.write.checkpoint import Checkpointer
from caxton.journal.write.commits import Counts
from caxton.journal.write.writer import Writer


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """What a project may set: how long and how much to keep (0 = without bound), and two paces."""

    keep_days: int = 30
    keep_mib: int = 4096
    keys_days: int = 7
    check_mib: int = 512
    """Of a database above this size only the newest part is compared with its checksums at the start."""
    retry_s: float = 1.0
    """Pause before a batch that could not be written is tried again."""
    retention_every_s: float = 60.0

    def retention(self, db: sqlite3.Connection, clock: Clock) -> Retention:
        """What removes old rows."""
        keep = Keep(self.keep_days, self.keep_mib, self.keys_days)
        return Retention(db, keep, clock, every_s=self.retention_every_s)


class Store(Protocol):
    """One journal's rows; every method belongs to the loop's thread."""

    last_seq: int
    """The last number that was committed when it was opened."""
    reader: Reader
    checked: Checked
    """How much of it was compared with its checksums then."""

    @property
    def path(self) -> Path:
        """What messages for people call it."""
        ...

    @property
    def counts(self) -> Counts:
        """What was written; plain integers."""
        ...

    @property
    def kept(self) -> Kept:
        """What retention has left and why; another object after every change."""
        ...

    @property
    def trouble(self) -> str | None:
        """Why the last housekeeping failed, None when it did not."""
        ...

    def begin(self, done: Callable[[Batch], None], failed: Callable[[str], None]) -> None:
        """Say who is told of commits and of failures, in the loop's thread; before the first batch."""
        ...

    def submit(self, batch: Batch) -> None:
        """Take a batch; the one before it is done. Nobody else touches it until then."""
        ...

    def connect(self) -> sqlite3.Connection:
        """A connection that reads committed rows, for one reading; whoever asks for it closes it."""
        ...

    async def close(self, *, give_up: bool) -> None:
        """End after what was submitted; with `give_up` also where that cannot be written."""
        ...


class FileStore:
    """The journal of a project on its disk: SQLite, written by a thread of its own; made by `open`."""

    def __init__(
        self,
        files: Files,
        db: sqlite3.Connection,
        sums: PageSums,
        retention: Retention,
        reader: Reader,
        fds: tuple[int, int],
        clock: Clock,
        settings: JournalSettings,
        checked: Checked,
    ) -> None:
        self._files = files
        self.checked = checked
        self.last_seq = last_seq(db)
        self.reader = reader
        self._fds = fds
        self._loop = asyncio.get_running_loop()
        self._done: Callable[[Batch], None]
        self._failed: Callable[[str], None]
        self._writer = Writer(
            db,
            fds[0],
            retention,
            Checkpointer(files, sums),
            clock,
            done=lambda batch: self._soon(partial(self._done, batch)),
            failed=lambda reason: self._soon(partial(self._failed, reason)),
            retry_s=settings.retry_s,
        )
        self._thread = threading.Thread(target=self._writer.run, name="caxton-journal", daemon=True)

    @classmethod
    async def open(cls, folder: Path, clock: Clock, settings: JournalSettings) -> FileStore:
        """Open the journal in `folder` (`.caxton/`), or make it where there never was one.

        Raises JournalDamaged for what must not be opened, JournalError when another daemon has it.
        """
        files = Files(folder)
        with translated(folder):
            return await cls._open(files, clock, settings)

    @classmethod
    async def _open(cls, files: Files, clock: Clock, settings: JournalSettings) -> FileStore:
        lock_fd = guard.take_lock(files)
        db: sqlite3.Connection | None = None
        sums: PageSums | None = None
        try:
            opened, checked = await asyncio.to_thread(_open, files, settings)
            db = opened
            # before the first row: a log beside sums that say it was closed would be taken for a foreign one
            sums = PageSums(files)
            retention = await asyncio.to_thread(settings.retention, opened, clock)
            reader = await Reader.open(files.db)
        except BaseException:
            if db is not None:
                db.close()
            if sums is not None:
                sums.close(whole=False)
            os.close(lock_fd)
            raise
        head_fd = os.open(files.head, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return cls(files, opened, sums, retention, reader, (head_fd, lock_fd), clock, settings, checked)

    @property
    def path(self) -> Path:
        """The database."""
        return self._files.db

    @property
    def counts(self) -> Counts:
        """What the writer has done."""
        return self._writer.counts

    @property
    def kept(self) -> Kept:
        """What retention has left and why."""
        return self._writer.kept

    @property
    def trouble(self) -> str | None:
        """Why the last housekeeping (indexes, checkpoint, retention) failed, None when it did not."""
        return self._writer.trouble

    def begin(self, done: Callable[[Batch], None], failed: Callable[[str], None]) -> None:
        """Start the writer's thread."""
        self._done, self._failed = done, failed
        self._thread.start()

    def submit(self, batch: Batch) -> None:
        """Hand a batch to the writer."""
        self._writer.submit(batch)

    def connect(self) -> sqlite3.Connection:
        """A connection of its own, so that a long reading holds up no other reader."""
        return reading_connection(self.path)

    async def close(self, *, give_up: bool) -> None:
        """Write what is left, index, checkpoint, mark the head, end the threads."""
        self._writer.stop(give_up=give_up)
        await asyncio.to_thread(self._thread.join)
        await self.reader.close()
        for fd in self._fds:
            os.close(fd)

    def _soon(self, news: Callable[[], None]) -> None:
        """From the writer's thread: run `news` in the loop, where there still is one."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(news)


def _open(files: Files, settings: JournalSettings) -> tuple[sqlite3.Connection, Checked]:
    try:
        checked = guard.ensure(files, check_mib=settings.check_mib)
        upgrade(files)
        guard.ensure_sums(files)
        db = schema.writing_connection(files.db)
    except sqlite3.Error as trouble:
        raise DiskTrouble(
            f"{files.db} cannot be opened for writing: {trouble}",
            hint="Free space on that disk, or look why it fails; nothing that was acknowledged is lost.",
            path=str(files.db),
        ) from trouble
    guard.check_tail(files, db)
    return db, checked
