"""The journal's one writer: a thread of its own over sqlite3.

In: batches, one at a time, in order. Out: for each, one committed transaction (`synchronous=FULL`), the synced head
mark, and then one call of `done`; or `failed` with the reason, again and again each `retry_s`, with the same rows until
they are in. Between batches and while idle: the indexes behind, checkpoints, retention.
Never loses a batch, never reorders.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue

from caxton.clock import Clock
from caxton.disk import synced
from caxton.journal.records.batch import Batch
from caxton.journal.retention.retention import Kept, Retention
from caxton.journal.write import deferred_index
from caxton.journal.write.checkpoint import Checkpointer
from caxton.journal.write.commits import IDLE_S, Committer, Counts

CHECKPOINT_BYTES = 32 << 20
"""The write-ahead log is copied into the database after about this many bytes of rows."""


class Writer:
    """Runs `run` in a thread; `submit` and `stop` may be called from any other."""

    def __init__(
        self,
        db: sqlite3.Connection,
        head_fd: int,
        retention: Retention,
        checkpointer: Checkpointer,
        clock: Clock,
        *,
        done: Callable[[Batch], None],
        failed: Callable[[str], None],
        retry_s: float,
    ) -> None:
        self.trouble: str | None = None
        self._db = db
        self._head_fd = head_fd
        self._checkpointer = checkpointer
        self._clock = clock
        self._done = done
        self._failed = failed
        self._retry_s = retry_s
        self._queue: SimpleQueue[Batch | None] = SimpleQueue()
        self._give_up = threading.Event()
        # only the writer's thread touches these
        self._whole = False
        """Whether all is in the database, and nothing in its log."""
        self._committer = Committer(db, retention, clock)

    @property
    def counts(self) -> Counts:
        """What was done so far."""
        return self._committer.counts

    @property
    def kept(self) -> Kept:
        """What retention has left and why."""
        return self._committer.kept

    def submit(self, batch: Batch) -> None:
        """Hand over a batch; the caller does not touch it again until `done`."""
        self._queue.put(batch)

    def stop(self, *, give_up: bool = False) -> None:
        """End after what was submitted; with `give_up` also when that cannot be written."""
        if give_up:
            self._give_up.set()
        self._queue.put(None)

    def run(self) -> None:
        """The thread's body: ends after `stop`, with everything indexed, checkpointed and marked."""
        try:
            self._work()
        except BaseException as fault:
            # a fault of ours: without this word nothing would be acknowledged any more and nobody would know why
            self._failed(f"the writer ended: {type(fault).__name__}: {fault}")
            raise

    def _work(self) -> None:
        while True:
            try:
                batch = self._queue.get(timeout=self._patience())
            except Empty:
                self._keep_house()
                continue
            if batch is None or not self._write(batch):
                break
            self._done(batch)
            self._keep_house()
            self.counts.worked(time.thread_time_ns() // 1000)
        try:
            self._finish()
        except (sqlite3.Error, OSError) as trouble:
            self._note(trouble)
        finally:
            self._db.close()
            self._checkpointer.close(whole=self._whole)

    def _write(self, batch: Batch) -> bool:
        """Commit the batch, however often it takes; False when told to give up."""
        again = False
        while (reason := self._committer.commit(batch, again=again) or self._mark()) is not None:
            again = True
            self._failed(reason)
            if self._give_up.wait(self._retry_s):
                return False
        return True

    def _patience(self) -> float:
        """Seconds until there is something to do without a batch."""
        trim_s = self._committer.next_trim_s()
        if self._committer.unindexed or self._committer.log_bytes:
            return min(trim_s, IDLE_S)
        return trim_s

    def _keep_house(self) -> None:
        """What is due between two batches; failures (a full disk) are tried again later, the rows are
        safe."""
        committer = self._committer
        try:
            if committer.unindexed >= deferred_index.CHUNK:
                committer.index_chunk()
            if self._checkpointer.ready():
                self._checkpoint()
            elif committer.log_bytes >= CHECKPOINT_BYTES:
                self._checkpointer.ask()
            committer.trim()
            while committer.pressing:
                committer.trim()
            if committer.idle:
                while committer.unindexed and self._queue.empty():
                    committer.index_chunk()
                if committer.log_bytes and self._queue.empty():
                    self._checkpoint()
            self.trouble = None
        except (sqlite3.Error, OSError) as trouble:
            self._note(trouble)

    def _note(self, trouble: Exception) -> None:
        self.counts.failed()
        self.trouble = f"{type(trouble).__name__}: {trouble}"

    def _mark(self) -> str | None:
        """Write the number of the last commit beside the database, before anybody is told of it; None, or why not.

        SQLite takes a log whose end is damaged for one that ends earlier. With this, what is missing is noticed.
        """
        try:
            os.pwrite(self._head_fd, f"{self._committer.last_seq:020d}\n".encode(), 0)
            synced(self._head_fd)
        except OSError as trouble:
            return f"{type(trouble).__name__}: {trouble}"
        return None

    def _checkpoint(self) -> None:
        """Copy the log into the database. Between two commits the copy is complete, so the log begins
        anew."""
        started = self._clock.monotonic()
        self._checkpointer.copy_rest(self._db)
        self._committer.checkpointed(int((self._clock.monotonic() - started) * 1e6))

    def _finish(self) -> None:
        while self._committer.unindexed:
            self._committer.index_chunk()
        self._committer.close()
        self._checkpointer.end()
        self._checkpointer.copy_rest(self._db)
        busy, *_ = self._db.execute("pragma wal_checkpoint(truncate)").fetchone()
        self._whole = not busy
