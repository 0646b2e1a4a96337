"""Committed rows to everybody who watches, at a cost that the bus does not feel.

In: the journal's commits. Out: for each subscriber the rows that it wants, in order, once each, or a count of
what it lost. With nobody there a commit costs one `if`. A subscriber keeps a bounded tail of the rows: what
is too old for the bound is counted as a gap, and nothing is rendered before somebody reads it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from caxton.errors import ResourceError
from caxton.ids import conversation_key
from caxton.journal import Batch, Event, Journal, Reader, StoredEvent, StoredMessage
from caxton.journal.records.batch import MessageRow

WAITING_ROWS: Final = 4_096
WAITING_BYTES: Final = 4 * 1024 * 1024
MOST_VIEWERS: Final = 64


class StreamRow(NamedTuple):
    """One row on its way to a viewer: a message (`kind` "message") or an event of that kind."""

    seq: int
    at_us: int
    kind: str
    cause: int
    hops: int
    flags: int
    body: bytes


Waiting = MessageRow | Event
"""A row that nobody has asked for yet, as the batch had it."""


class Gap(NamedTuple):
    """Rows that a subscriber lost: how many, and the first and last number among them."""

    lost: int
    first: int
    last: int


class EventFilter:
    """Which rows a subscriber wants; no filter takes everything. `shown` says of an event's kind and agent whether the
    subscriber may have it; of messages that is asked when they are rendered."""

    __slots__ = ("_agent", "_key", "_kinds", "_quoted", "_shown", "events", "messages")

    def __init__(
        self,
        kinds: frozenset[str] | None = None,
        agent: str | None = None,
        conversation: str | None = None,
        shown: Callable[[str, str | None], bool] | None = None,
    ) -> None:
        self._shown = shown
        self._kinds = kinds
        self._agent = agent
        self._quoted = f'"{agent}"'.encode()
        self._key = None if conversation is None else conversation_key(conversation)
        self.messages = kinds is None or "message" in kinds
        self.events = kinds is None or bool(kinds - {"message"})

    def message(self, key: int, body: bytes) -> bool:
        """Whether a message passes; by agent it may pass too easily, where its name stands in the content."""
        if self._key is not None and key != self._key:
            return False
        return self._agent is None or self._quoted in body

    def event(self, kind: str, agent: str | None, key: int | None) -> bool:
        """Whether an event passes."""
        if self._kinds is not None and kind not in self._kinds:
            return False
        if self._key is not None and key != self._key:
            return False
        if self._shown is not None and not self._shown(kind, agent):
            return False
        return self._agent is None or agent == self._agent

    def of_batch(self, batch: Batch, most: int) -> Sequence[Waiting]:
        """The last rows of a batch that pass, `most` messages of them at most."""
        rows: Sequence[Waiting] = ()
        if self.messages:
            if self._key is None and self._agent is None:
                # at full load this is most rows of the bus, so nothing is done for each of them
                rows = batch.messages if len(batch.messages) <= most else batch.messages[-most:]
            else:
                rows = [row for row in batch.messages if self.message(row[2], row[6])][-most:]
        if self.events:
            found: list[Waiting] = [
                record
                for record in batch.records
                if isinstance(record, Event)
                and self.event(record.kind, record.agent, record.conversation_key)
            ]
            if found:
                rows = sorted([*rows, *found], key=_seq)
        return rows

    def skipped(self, batch: Batch, most: int) -> int:
        """How many of a batch's messages `of_batch` leaves out only because they are too many."""
        if not self.messages or self._key is not None or self._agent is not None:
            return 0
        return max(0, len(batch.messages) - most)

    def of_stored(self, stored: Sequence[StoredMessage | StoredEvent]) -> list[StreamRow]:
        """The rows from the journal that pass."""
        rows: list[StreamRow] = []
        for row in stored:
            if isinstance(row, StoredMessage):
                if self.messages and self.message(row.conversation_key, row.body):
                    rows.append(
                        StreamRow(row.seq, row.at_us, "message", row.cause, row.hops, row.flags, row.body)
                    )
            elif self.events and self.event(row.kind, row.agent, row.conversation_key):
                rows.append(StreamRow(row.seq, row.at_us, row.kind, 0, 0, 0, row.body))
        return rows


class _Part:
    """What waits of one batch: its rows from `at` on, and their bytes."""

    __slots__ = ("at", "bytes", "rows")

    def __init__(self, rows: Sequence[Waiting], size: int) -> None:
        self.rows = rows
        self.at = 0
        self.bytes = size


class Subscriber:
    """One viewer's tail of rows, as a context manager; `lost` is told of lost rows, `left` of the end."""

    def __init__(
        self, wanted: EventFilter, lost: Callable[[int], None], left: Callable[[Subscriber], None]
    ) -> None:
        self.wanted = wanted
        self._tell_lost = lost
        self._tell_left = left
        self._parts: deque[_Part] = deque()
        self.most = WAITING_ROWS
        """Rows that may wait. What waits cannot be freed, and what is freed late is in no cache any more: a viewer that
        is sent a sample keeps no more than its next part."""
        self.waiting = 0
        """Rows that wait."""
        self.waiting_bytes = 0
        self.offered = 0
        """Rows that it wanted and that were there for it, taken, lost or waiting; a plain counter."""
        self._lost = 0
        self._lost_first = 0
        self._lost_last = 0
        self._woken = asyncio.Event()
        self.closed = False

    def __enter__(self) -> Subscriber:
        return self

    def __exit__(self, *_: object) -> None:
        self._tell_left(self)

    def keep_at_most(self, rows: int) -> None:
        """So many rows may wait from now on."""
        self.most = rows

    def give(self, batch: Batch) -> None:
        """Take a committed batch; drops the oldest batches where it becomes too much, and then of this one."""
        skipped = self.wanted.skipped(batch, self.most)
        if skipped:
            # everything that waits is older than what was skipped, so it goes first
            while self._parts:
                self._drop(self.waiting)
            self.lose(skipped, batch.messages[0][0], batch.messages[skipped - 1][0])
        rows = self.wanted.of_batch(batch, self.most)
        self.offered += skipped + len(rows)
        if rows:
            size = batch.size if rows is batch.messages else sum([len(_body(row)) for row in rows])
            self._parts.append(_Part(rows, size))
            self.waiting += len(rows)
            self.waiting_bytes += size
        # a batch as a whole: at full load its rows are never looked at
        while len(self._parts) > 1 and (self.waiting > self.most or self.waiting_bytes > WAITING_BYTES):
            self._drop(self.waiting)
        if self.waiting > self.most:
            self._drop(self.waiting - self.most)
        while self.waiting_bytes > WAITING_BYTES:
            self._drop(1)
        if self.waiting or self._lost:
            self._woken.set()

    def lose(self, count: int, first: int, last: int) -> None:
        """Count rows as lost; the next `take` tells."""
        self._tell_lost(count)
        self._lost_first = self._lost_first or first
        self._lost_last = last
        self._lost += count

    def take(self, most: int) -> list[StreamRow | Gap]:
        """What waits, the oldest first, at most so many rows; a gap comes before what follows it."""
        taken: list[StreamRow | Gap] = []
        if self._lost:
            taken.append(Gap(self._lost, self._lost_first, self._lost_last))
            self._lost = self._lost_first = self._lost_last = 0
        while self.waiting and most > 0:
            rows = self._first(most)
            taken.extend(map(_row, rows))
            most -= len(rows)
        if not self.waiting:
            self._woken.clear()
        return taken

    async def wait(self, timeout_s: float) -> bool:
        """True when there is something to take, False when the time is over or the subscriber is closed."""
        if not self._woken.is_set() and not self.closed:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._woken.wait()
            except TimeoutError:
                return False
        return not self.closed

    def close(self) -> None:
        """End the stream; who waits is woken."""
        self.closed = True
        self._woken.set()

    def _drop(self, most: int) -> None:
        """Lose the oldest rows, at most so many, of one batch."""
        rows = self._first(most)
        self.lose(len(rows), _seq(rows[0]), _seq(rows[-1]))

    def _first(self, most: int) -> Sequence[Waiting]:
        """Take out the oldest rows, at most so many, of one batch."""
        part = self._parts[0]
        rows = part.rows[part.at : part.at + most]
        part.at += len(rows)
        if part.at == len(part.rows):
            size = part.bytes
            self._parts.popleft()
        else:
            size = sum([len(_body(row)) for row in rows])
            part.bytes -= size
        self.waiting -= len(rows)
        self.waiting_bytes -= size
        return rows


def _seq(row: Waiting) -> int:
    return row.seq if isinstance(row, Event) else row[0]


def _body(row: Waiting) -> bytes:
    return row.body if isinstance(row, Event) else row[6]


def _row(row: Waiting) -> StreamRow:
    if isinstance(row, Event):
        return StreamRow(row.seq, row.at_us, row.kind, 0, 0, 0, row.body)
    return StreamRow(row[0], row[1], "message", row[3], row[4], row[5], row[6])


class Hub:
    """Everybody who watches; hangs on the journal's commits for as long as there is somebody."""

    def __init__(self, journal: Journal, reader: Reader, platform: str) -> None:
        self.journal = journal
        self.reader = reader
        self.platform = platform
        self.lost = 0
        """Rows that subscribers lost since the start; a plain counter."""
        self.viewers = 0
        self.closed = False
        self._subscribers: list[Subscriber] = []
        journal.on_commit.append(self._committed)

    @contextmanager
    def viewer(self) -> Generator[None]:
        """One more viewer for as long as this lasts; ResourceError when there are too many already."""
        if self.viewers >= MOST_VIEWERS:
            raise ResourceError(
                f"{MOST_VIEWERS} viewers watch already", hint="close one of them and try again"
            )
        self.viewers += 1
        try:
            yield
        finally:
            self.viewers -= 1

    @property
    def subscribers(self) -> int:
        """How many take rows now; a viewer that still reads old rows does not."""
        return len(self._subscribers)

    def join(self, wanted: EventFilter) -> Subscriber:
        """Take rows from the journal's `committed` on."""
        subscriber = Subscriber(wanted, self._count_lost, self.leave)
        if self.closed:
            subscriber.close()
        self._subscribers.append(subscriber)
        return subscriber

    def leave(self, subscriber: Subscriber) -> None:
        """Watch no longer."""
        if subscriber in self._subscribers:
            self._subscribers.remove(subscriber)

    def close(self) -> None:
        """End every stream, and those to come."""
        self.closed = True
        for subscriber in self._subscribers:
            subscriber.close()

    def _count_lost(self, rows: int) -> None:
        self.lost += rows

    def _committed(self, batch: Batch) -> None:
        if self._subscribers:
            for subscriber in self._subscribers:
                subscriber.give(batch)
