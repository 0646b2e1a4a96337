"""The journal's one writer: a thread of its own over sqlite3.

In: batches, one at a time, in order. Out: for each, one committed transaction (`synchronous=FULL`) and then
one call of `done`; or `failed` with the reason, again and again each `retry_s`, with the same rows until
they are in. Between batches and while idle: the indexes behind, checkpoints, retention, the head mark.
Never loses a batch, never reorders.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from queue import Empty, SimpleQueue

import msgspec

from caxton.journal import deferred_index, schema
from caxton.journal.batch import Batch, Record, Scalar
from caxton.journal.checkpoint import Checkpointer
from caxton.journal.retention import Retention

HEAD_EVERY_S = 0.2
"""The head mark is written at most this often."""
IDLE_S = 1.0
"""After so long without a batch the rest is indexed and the write-ahead log is copied into the database."""
CHECKPOINT_BYTES = 32 << 20
"""The write-ahead log is copied into the database after about this many bytes of rows."""
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Counts:
    """What the writer has done since the start; plain integers that anybody may read."""

    commits: int = 0
    messages: int = 0
    turns: int = 0
    records: int = 0
    bytes: int = 0
    commit_us: int = 0
    cpu_us: int = 0
    """Processor time of the writer's thread, all its work together."""
    last_commit_us: int = 0
    longest_commit_us: int = 0
    failures: int = 0
    indexed: int = 0
    index_us: int = 0
    checkpoints: int = 0
    checkpoint_us: int = 0
    longest_checkpoint_us: int = 0
    trimmed_rows: int = 0
    trim_us: int = 0


class Writer:
    """Runs `run` in a thread; `submit` and `stop` may be called from any other."""

    def __init__(
        self,
        db: sqlite3.Connection,
        head_fd: int,
        retention: Retention,
        checkpointer: Checkpointer,
        *,
        done: Callable[[Batch], None],
        failed: Callable[[str], None],
        retry_s: float,
    ) -> None:
        self.counts = Counts()
        self.trouble: str | None = None
        self._db = db
        self._head_fd = head_fd
        self._retention = retention
        self._checkpointer = checkpointer
        self._done = done
        self._failed = failed
        self._retry_s = retry_s
        self._queue: SimpleQueue[Batch | None] = SimpleQueue()
        self._give_up = threading.Event()
        # only the writer's thread touches these
        self._last_seq = schema.last_seq(db)
        self._indexed = deferred_index.indexed_upto(db)
        self._marked = -1
        self._marked_at = 0.0
        self._wal_bytes = 0
        self._last_batch_at = 0.0

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
            self._last_batch_at = time.monotonic()
            self._keep_house()
            self.counts.cpu_us = time.thread_time_ns() // 1000
        try:
            self._finish()
        except (sqlite3.Error, OSError) as trouble:
            self.counts.failures += 1
            self.trouble = f"{type(trouble).__name__}: {trouble}"
        finally:
            self._db.close()

    def _write(self, batch: Batch) -> bool:
        """Commit the batch, however often it takes; False when told to give up."""
        tried = False
        while True:
            try:
                if not (tried and self._is_in(batch)):
                    self._commit(batch)
                return True
            except (sqlite3.Error, OSError, ValueError, TypeError, OverflowError) as trouble:
                if self._db.in_transaction:
                    self._db.execute("rollback")
                self.counts.failures += 1
                tried = True
                self._failed(f"{type(trouble).__name__}: {trouble}")
                if self._give_up.wait(self._retry_s):
                    return False

    def _is_in(self, batch: Batch) -> bool:
        """Whether a failed commit went through after all."""
        if not batch.messages:
            return False
        seq = batch.messages[0][0]
        return self._db.execute("select 1 from message where seq = ?", (seq,)).fetchone() is not None

    def _commit(self, batch: Batch) -> None:
        started = time.perf_counter()
        self._db.execute("begin immediate")
        self._insert(schema.MESSAGES, batch.messages)
        self._insert(schema.TURNS, batch.turns)
        self._insert(schema.CONVERSATIONS, batch.conversations)
        self._insert(schema.PARTICIPANTS, batch.participants)
        for group in batch.groups():
            self._write_records(group)
        self._db.execute("commit")
        spent = int((time.perf_counter() - started) * 1e6)
        counts = self.counts
        counts.commits += 1
        counts.messages += len(batch.messages)
        counts.turns += len(batch.turns)
        counts.records += len(batch.records)
        counts.bytes += batch.size
        counts.commit_us += spent
        counts.last_commit_us = spent
        counts.longest_commit_us = max(counts.longest_commit_us, spent)
        self._last_seq = max(self._last_seq, batch.last_seq)
        self._wal_bytes += batch.size + 64 * batch.rows + 16_384

    def _insert(self, statements: dict[int, str], rows: Sequence[tuple[Scalar | bytes, ...]]) -> None:
        """Insert rows, many a statement: the interpreter is given back and taken again once a statement."""
        at, left = 0, len(rows)
        for many, statement in statements.items():
            while left >= many:
                self._db.execute(statement, list(chain.from_iterable(rows[at : at + many])))
                at += many
                left -= many

    def _write_records(self, group: list[Record]) -> None:
        offset, rows = 1, list[tuple[Scalar, ...]]()
        for record in group:
            rows.append((*record.fields(), offset, len(record.blob)))
            offset += len(record.blob)
        kind = group[0]
        if kind.takes_blob:
            blobs = b"".join([record.blob for record in group])
            self._db.execute(kind.sql, (_encode(rows).decode(), blobs))
        else:
            self._db.execute(kind.sql, (_encode(rows).decode(),))
        self._wal_bytes += offset + 256 * len(group)

    def _patience(self) -> float:
        """Seconds until there is something to do without a batch."""
        if self._marked < self._last_seq:
            return HEAD_EVERY_S
        if self._indexed < self._last_seq or self._wal_bytes:
            return IDLE_S
        return self._retention.wait_s()

    def _keep_house(self) -> None:
        """What is due between two batches; failures (a full disk) are tried again later, the rows are
        safe."""
        try:
            self._mark()
            if self._last_seq - self._indexed >= deferred_index.CHUNK:
                self._index_chunk()
            if self._checkpointer.ready():
                self._checkpoint()
            elif self._wal_bytes >= CHECKPOINT_BYTES:
                self._checkpointer.ask()
            if self._retention.due():
                self._trim()
            if time.monotonic() - self._last_batch_at >= IDLE_S:
                while self._indexed < self._last_seq and self._queue.empty():
                    self._index_chunk()
                if self._wal_bytes and self._queue.empty():
                    self._checkpoint()
            self.trouble = None
        except (sqlite3.Error, OSError) as trouble:
            self.counts.failures += 1
            self.trouble = f"{type(trouble).__name__}: {trouble}"

    def _mark(self) -> None:
        """Rewrite the head mark; without fsync, because it must survive the process and not the machine."""
        now = time.monotonic()
        if self._marked < self._last_seq and now - self._marked_at >= HEAD_EVERY_S:
            os.pwrite(self._head_fd, f"{self._last_seq:020d}\n".encode(), 0)
            self._marked, self._marked_at = self._last_seq, now

    def _index_chunk(self) -> None:
        started = time.perf_counter()
        before = self._indexed
        self._indexed = deferred_index.index_chunk(self._db, before, self._last_seq)
        self.counts.indexed += self._indexed - before
        self.counts.index_us += int((time.perf_counter() - started) * 1e6)
        self._wal_bytes += 32 * (self._indexed - before)

    def _checkpoint(self) -> None:
        """Copy the log into the database. Between two commits the copy is complete, so the log begins
        anew."""
        started = time.perf_counter()
        self._db.execute("pragma wal_checkpoint(passive)").fetchone()
        self._wal_bytes = 0
        spent = int((time.perf_counter() - started) * 1e6)
        self.counts.checkpoints += 1
        self.counts.checkpoint_us += spent
        self.counts.longest_checkpoint_us = max(self.counts.longest_checkpoint_us, spent)

    def _trim(self) -> None:
        started = time.perf_counter()
        removed = self._retention.step(self._db, self._indexed)
        self.counts.trimmed_rows += removed
        self.counts.trim_us += int((time.perf_counter() - started) * 1e6)
        self._wal_bytes += 512 * removed

    def _finish(self) -> None:
        while self._indexed < self._last_seq:
            self._index_chunk()
        self._checkpointer.end()
        self._db.execute("pragma wal_checkpoint(truncate)").fetchone()
        self._marked_at = 0.0
        self._mark()
