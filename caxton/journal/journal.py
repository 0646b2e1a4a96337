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
from collections.abc import AsyncGenerator, Callable, Collection, Iterator
from pathlib import Path
from types import TracebackType

from caxton.clock import Clock
from caxton.errors import JournalError
from caxton.journal.read import recovery
from caxton.journal.read.past import PastTurn, count_turns, past_turns
from caxton.journal.records.batch import Batch
from caxton.journal.records.rows import StoredMessage
from caxton.journal.retention.age import TRUST
from caxton.journal.retention.retention import Kept
from caxton.journal.store import FileStore, JournalSettings, Store
from caxton.journal.write.commits import Counts

BEHIND_ROWS = 2_000
BEHIND_BYTES = 2 << 20
CONGESTED_ROWS = 40_000
CONGESTED_BYTES = 32 << 20


class Journal:
    """One project's journal, open for writing and reading; made by `open`, ended by `close`."""

    def __init__(self, store: Store) -> None:
        self.batch = Batch()
        """Where the bus appends; another object after every flush."""
        self.committed = store.last_seq
        """Everything up to this number is on disk."""
        self.failed: str | None = None
        """Why the last attempt to commit failed, None when it did not; the rows are kept and tried again."""
        self.on_commit: list[Callable[[Batch], None]] = []
        self.on_relieved: list[Callable[[], None]] = []
        self.on_state: list[Callable[[str | None], None]] = []
        self.reader = store.reader
        self.checked = store.checked
        """How much was compared with its checksums at the start."""
        self._store = store
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
        store.begin(self._done, self._fail)

    @classmethod
    async def open(cls, folder: Path, clock: Clock, settings: JournalSettings | None = None) -> Journal:
        """Open the journal in `folder` (`.caxton/`), or make it where there never was one.

        Raises JournalDamaged for what must not be opened, JournalError when another daemon has it.
        """
        return cls(await FileStore.open(folder, clock, settings or JournalSettings()))

    async def __aenter__(self) -> Journal:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def path(self) -> Path:
        """What messages for people call it."""
        return self._store.path

    @property
    def counts(self) -> Counts:
        """What the writer has done; plain integers."""
        return self._store.counts

    @property
    def kept(self) -> Kept:
        """What retention has left and why; another object after every change."""
        return self._store.kept

    @property
    def trouble(self) -> str | None:
        """Why the last housekeeping (indexes, checkpoint, retention) failed, None when it did not."""
        return self._store.trouble

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
    def behind(self) -> bool:
        """Whether so much waits that whoever writes most should write less."""
        return self.waiting_rows > BEHIND_ROWS or self.waiting_bytes > BEHIND_BYTES

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
                self._store.submit(batch)

    def trust_clock(self) -> None:
        """The operator says that the wall clock is right as it is: rows may be removed for their age again."""
        self.batch.meta(TRUST, max(self.committed, self.batch.last_seq))
        self.flush()

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
        with contextlib.closing(self._store.connect()) as db:
            yield from recovery.pending(db, low_water)

    def past_turns(
        self, agents: Collection[int], *, after_seq: int, before_seq: int
    ) -> AsyncGenerator[list[PastTurn]]:
        """Pages of the turns of those agents between two numbers, both left out, in the order of the messages.

        The next page is read while the last one is used. Raises JournalError where the journal cannot be read.
        """
        return past_turns(self._store.connect, self.path, agents, after_seq=after_seq, before_seq=before_seq)

    async def count_past_turns(self, agent: int, *, after_seq: int, before_seq: int) -> int:
        """How many turns that agent had there; looks at everybody's, so it takes a while in a long past."""
        return await count_turns(
            self._store.connect, self.path, agent, after_seq=after_seq, before_seq=before_seq
        )

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
        await self._store.close(give_up=lost > 0)
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
                f"{lost:,} rows could not be written to {self.path}: {self.failed}.",
                hint="Free space on that disk; nothing of those rows was acknowledged.",
                path=str(self.path),
                rows=lost,
            )

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
