"""Copying the write-ahead log into the database beside the writer.

In: a request. Out: most of the log copied and synced by a thread of its own, while commits go on, and the checksums of
its pages written (page_sums.py). The log can only begin anew when nothing is left to copy, so the writer copies the
little that came meanwhile between two commits: it stands still for that and not for the whole log. Until then a reader
of ours holds the log, so that it cannot begin anew before its checksums are known.
"""

from __future__ import annotations

import sqlite3
import threading
from queue import SimpleQueue

from caxton.errors import JournalError
from caxton.journal.files import Files
from caxton.journal.pages.page_sums import PageSums
from caxton.journal.records.query import reading_connection
from caxton.journal.write import schema


class Checkpointer:
    """Runs one copy at a time; all methods are for the writer's thread."""

    def __init__(self, files: Files, sums: PageSums) -> None:
        self._files = files
        self._sums = sums
        self._holder: sqlite3.Connection | None = None
        self._asked: SimpleQueue[bool] = SimpleQueue()
        self._copied = threading.Event()
        self._busy = False
        self._thread: threading.Thread | None = None

    def ask(self) -> None:
        """Begin to copy, unless a copy runs or waits to be finished."""
        if self._busy:
            return
        self._busy = True
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="caxton-checkpoint", daemon=True)
            self._thread.start()
        self._asked.put(True)

    def ready(self) -> bool:
        """Whether the large part is done and the rest should be copied now; true once a copy."""
        if not self._copied.is_set():
            return False
        self._copied.clear()
        self._busy = False
        self._release()
        return True

    def end(self) -> None:
        """Wait for a running copy and end the thread."""
        self._asked.put(False)
        if self._thread is not None:
            self._thread.join()
        self._release()
        if self._holder is not None:
            self._holder.close()

    def close(self, *, whole: bool) -> None:
        """Give the checksums back; `whole`: nothing is in the log any more. Raises OSError."""
        self._sums.close(whole=whole)

    def copy_rest(self, db: sqlite3.Connection) -> None:
        """Copy what is left, by the writer's connection; raises sqlite3.Error, OSError."""
        _, frames, _ = db.execute("pragma wal_checkpoint(passive)").fetchone()
        self._sums.take_in(frames)

    def _run(self) -> None:
        db: sqlite3.Connection | None = None
        try:
            while self._asked.get():
                try:
                    db = db or schema.durable_connection(self._files.db)
                    self._hold()
                    self.copy_rest(db)
                except (sqlite3.Error, OSError, JournalError):
                    # the writer copies the same pages itself next, and reports what is wrong
                    pass
                self._copied.set()
        finally:
            if db is not None:
                db.close()

    def _hold(self) -> None:
        holder = self._holder = self._holder or reading_connection(self._files.db)
        holder.execute("begin")
        holder.execute("select 1 from meta").fetchone()

    def _release(self) -> None:
        if self._holder is not None and self._holder.in_transaction:
            self._holder.execute("rollback")
