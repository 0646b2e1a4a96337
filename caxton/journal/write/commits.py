"""Batches into the database, a transaction each, and what is put in order between two of them.

In: a connection that may write, and batches in order. Out: committed rows; between two batches, when it is asked for,
the indexes behind them, and old rows removed. A batch that could not be written is not there at all, and the reason is
a value. Which thread calls this, and when what failed is tried again, is for its owner to say (writer.py, memory.py).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import msgspec

from caxton.clock import Clock
from caxton.journal.records.batch import Batch, Event
from caxton.journal.records.query import last_seq
from caxton.journal.records.record import Record, Scalar
from caxton.journal.retention.retention import Kept, Retention
from caxton.journal.write import deferred_index, schema

FEW_UNINDEXED = 10_000
"""Removal looks through what is not indexed yet, so more than this is indexed before it."""
IDLE_S = 1.0
"""After so long without a batch the rest is indexed and the write-ahead log is copied into the database."""
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
    """Processor time of the writer's thread, all its work together; 0 where it has none."""
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

    def failed(self) -> None:
        """A commit or a step of housekeeping was refused by the disk."""
        self.failures += 1

    def checkpointed(self, spent_us: int) -> None:
        """The log was copied into the database, which took the writer so long."""
        self.checkpoints += 1
        self.checkpoint_us += spent_us
        self.longest_checkpoint_us = max(self.longest_checkpoint_us, spent_us)

    def worked(self, cpu_us: int) -> None:
        """The writer's thread has used so much processor time by now."""
        self.cpu_us = cpu_us


class Committer:
    """Writes on one connection; one thread at a time may use it."""

    def __init__(self, db: sqlite3.Connection, retention: Retention, clock: Clock) -> None:
        self.counts = Counts()
        self.last_seq = last_seq(db)
        """The number up to which everything is committed."""
        self.log_bytes = 0
        """About how much was written since the write-ahead log was last copied."""
        self._db = db
        self._indexed = deferred_index.indexed_upto(db)
        self._retention = retention
        self._clock = clock
        self._last_batch_at = clock.monotonic()

    def commit(self, batch: Batch, *, again: bool = False) -> str | None:
        """Write a batch in one transaction; None, or why it could not be. `again`: an earlier try of it failed."""
        started = self._clock.monotonic()
        try:
            # a commit that was reported as failed may have gone through after all
            if not (again and self._is_in(batch)):
                self._write(batch)
        except (sqlite3.Error, OSError, ValueError, TypeError, OverflowError) as trouble:
            if self._db.in_transaction:
                self._db.execute("rollback")
            self.counts.failed()
            return f"{type(trouble).__name__}: {trouble}"
        self._retention.saw(batch)
        self._count(batch, self._since(started))
        self._last_batch_at = self._clock.monotonic()
        return None

    @property
    def idle(self) -> bool:
        """Whether there was no batch for a while."""
        return self._clock.monotonic() - self._last_batch_at >= IDLE_S

    @property
    def unindexed(self) -> int:
        """How many numbers are not in the indexes yet."""
        return self.last_seq - self._indexed

    @property
    def kept(self) -> Kept:
        """How retention stands."""
        return self._retention.kept

    @property
    def pressing(self) -> bool:
        """Whether more has to be removed before anything is written."""
        return self._retention.due() and self._retention.pressing()

    def next_trim_s(self) -> float:
        """Seconds until `trim` has something to look at."""
        return self._retention.wait_s()

    def trim(self) -> None:
        """Remove a chunk of old rows where that is due. Raises sqlite3.Error."""
        if not self._retention.due():
            return
        if self.unindexed > FEW_UNINDEXED or (self.unindexed and self._retention.starved(self._indexed)):
            self.index_chunk(FEW_UNINDEXED)
        started = self._clock.monotonic()
        removed = self._retention.step(self._indexed)
        self.counts.trimmed_rows += removed
        self.counts.trim_us += self._since(started)
        self.log_bytes += 512 * removed

    def close(self) -> None:
        """Write down what the next life needs to know. Raises sqlite3.Error."""
        self._retention.close()

    def index_chunk(self, most: int = deferred_index.CHUNK) -> None:
        """Index the next chunk of what is committed. Raises sqlite3.Error."""
        started = self._clock.monotonic()
        before = self._indexed
        self._indexed = deferred_index.index_chunk(self._db, before, self.last_seq, chunk=most)
        self.counts.indexed += self._indexed - before
        self.counts.index_us += self._since(started)
        self.log_bytes += 32 * (self._indexed - before)

    def _is_in(self, batch: Batch) -> bool:
        """Whether its first message is, or else its first event; without either it may be written twice."""
        if batch.messages:
            table, seq = "message", batch.messages[0][0]
        else:
            table, seq = "event", next((one.seq for one in batch.records if isinstance(one, Event)), 0)
        return self._db.execute(f"select 1 from {table} where seq = ?", (seq,)).fetchone() is not None

    def _write(self, batch: Batch) -> None:
        self._db.execute("begin immediate")
        self._insert(schema.MESSAGES, batch.messages)
        self._insert(schema.TURNS, batch.turns)
        self._insert(schema.CONVERSATIONS, batch.conversations)
        self._insert(schema.PARTICIPANTS, batch.participants)
        for group in batch.groups():
            self._write_records(group)
        self._db.execute("commit")

    def checkpointed(self, spent_us: int) -> None:
        """Somebody has copied the write-ahead log into the database, so it begins anew."""
        self.log_bytes = 0
        self.counts.checkpointed(spent_us)

    def _count(self, batch: Batch, spent_us: int) -> None:
        counts = self.counts
        counts.commits += 1
        counts.messages += len(batch.messages)
        counts.turns += len(batch.turns)
        counts.records += len(batch.records)
        counts.bytes += batch.size
        counts.commit_us += spent_us
        counts.last_commit_us = spent_us
        counts.longest_commit_us = max(counts.longest_commit_us, spent_us)
        self.last_seq = max(self.last_seq, batch.last_seq)
        written = batch.size + 64 * batch.rows + 16_384
        self.log_bytes += written
        self._retention.grown(written)

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
        self.log_bytes += offset + 256 * len(group)

    def _since(self, started: float) -> int:
        return int((self._clock.monotonic() - started) * 1e6)
