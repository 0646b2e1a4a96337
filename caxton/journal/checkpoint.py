"""Copying the write-ahead log into the database beside the writer.

In: a request. Out: most of the log copied and synced by a thread of its own, while commits go on. The log
can only begin anew when nothing is left to copy, so the writer copies the little that came meanwhile
between two commits: it stands still for that and not for the whole log.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from queue import SimpleQueue

from caxton.errors import JournalError
from caxton.journal import schema


class Checkpointer:
    """Runs one copy at a time; all methods are for the writer's thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
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
        return True

    def end(self) -> None:
        """Wait for a running copy and end the thread."""
        self._asked.put(False)
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        db: sqlite3.Connection | None = None
        try:
            while self._asked.get():
                try:
                    db = db or schema.durable_connection(self._path)
                    db.execute("pragma wal_checkpoint(passive)").fetchone()
                except (sqlite3.Error, JournalError):
                    # the writer copies the same pages itself next, and reports what is wrong
                    pass
                self._copied.set()
        finally:
            if db is not None:
                db.close()
