"""What is removed when it is old, or when the journal is too large.

In: how many days and MiB to keep. Out: small transactions that remove the oldest rows (removal.py), and pages given
back to the file system. What waits for an agent or is held is never removed, nor what a pin or an agent's memory needs
(spared.py), nor idempotency keys, which have days of their own: none of that counts for the size, so that it cannot
push out everything else. Up to `low_water` nothing waits; above it, each message that does is put down before others
behind it go (unfinished.py).

One step takes about as many bytes as were removed in `STEP_S` before, and not more rows than `CHUNK`, however quick
the steps before it were: no commit waits long for it.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from itertools import chain
from typing import Final

from caxton.clock import Clock
from caxton.journal.records.batch import Batch, DeadLetter, Meta, Pin, Unpin
from caxton.journal.records.query import END, last_seq
from caxton.journal.records.registry_rows import AgentRow, DeploymentRow, SnapshotRow
from caxton.journal.records.revision_memory import SnapshotsGone
from caxton.journal.retention.age import DAY_US, TRUST, Age
from caxton.journal.retention.removal import remove_handled, remove_needless, remove_range, settle
from caxton.journal.retention.spared import MEMORY, PINNED, ROW_BYTES, SAID, Needed, Spared, going_with
from caxton.journal.retention.unfinished import UNFINISHED

CHUNK: Final = 2_000
"""Rows that one step changes at most, about; one message is never parted."""
SETTLED: Final = 3 * CHUNK
"""The same where rows are only looked at, and few are put down."""
STEP_S: Final = 0.02
"""How long a step is meant to take."""
SMALLEST, LARGEST = 64 << 10, 8 << 20
"""Bounds of the bytes that a step removes."""
BEYOND: Final = 1.25
"""Above so many times the size that is allowed, removal goes before writing."""
SLACK: Final = 0.25
"""Free pages are given back to the file system above this part of the file,"""
SLACK_BYTES: Final = 1 << 20
"""and above so many bytes."""

KEY_BYTES: Final = 450
"""About what an idempotency key takes whose message has gone."""

UNSETTLED: Final = 200_000
"""So many numbers are looked through at a start at the most, about, whatever waits."""

_MATTERS = frozenset({SnapshotRow, SnapshotsGone, DeploymentRow, AgentRow, Meta, Pin, Unpin})


@dataclass(frozen=True, slots=True)
class Keep:
    """How much to keep; 0 days or 0 MiB mean without that bound."""

    days: int = 30
    mib: int = 4096
    keys_days: int = 7


@dataclass(frozen=True, slots=True)
class Kept:
    """How retention stands, for whoever wants to know what is in the journal and why."""

    memories: dict[int, Needed]
    """What is spared for an agent's memory, by its number."""
    unfinished: dict[int, Needed]
    """What stays because an agent has not handled it while others of its age went or were looked at, by its number."""
    pinned: Needed
    doubt: str | None
    """Why the clock is doubted, so that nothing goes for its age until an operator trusts it."""
    removed_upto: int
    """What was numbered up to here has gone, but what is spared."""
    counted: int
    """Bytes that count for `keep_mib`: all that is used but what is spared, and keys."""


class Retention:
    """Decides what goes and removes it a step at a time; used by the writer's thread only."""

    def __init__(self, db: sqlite3.Connection, keep: Keep, clock: Clock, *, every_s: float = 60.0) -> None:
        self._grown = 0
        """About how much was written since the size was looked at."""
        self.kept = Kept({}, {}, Needed(0, 0), None, 0, 0)
        """The latest; another object after every change."""
        self._db = db
        self._keep = keep
        self._clock = clock
        self._every_s = every_s
        self._last_seq = last_seq(db)
        self._age = Age(db, clock, self._last_seq)
        self._next = clock.monotonic()
        self._spared = Spared(db)
        self._page = int(db.execute("pragma page_size").fetchone()[0])
        self._shrinks = db.execute("pragma auto_vacuum").fetchone()[0] == 2
        self._keys = self._outlived(0, END)
        """Idempotency keys whose messages have gone."""
        self._budget = 1 << 20
        self._needless = True
        """Whether something may be spared that is not needed any more."""
        self._handled = True
        """Whether messages that waited may be finished since they were looked at,"""
        self._looks_at: tuple[int, int] | None = None
        """how far they are looked at now,"""
        self._look_from = 0.0
        """and when that may begin."""
        self._trimmed = self._settled = 0
        """Up to where what was to go has gone, and up to where it is known what waits."""
        self._moved: set[int] = set()
        """Agents of whose moments something was written since the last step."""
        self._pins_changed = False
        self._tell()

    def due(self) -> bool:
        """Whether `step` should be called now."""
        return self._clock.monotonic() >= self._next

    def wait_s(self) -> float:
        """Seconds until it is due."""
        return max(0.0, self._next - self._clock.monotonic())

    def pressing(self) -> bool:
        """Whether the journal is so far above its size that removal has to go before writing."""
        return bool(self._keep.mib) and self.kept.counted > BEYOND * (self._keep.mib << 20)

    def starved(self, indexed: int) -> bool:
        """Whether nothing can be removed before more is indexed."""
        return self._trimmed >= indexed

    def saw(self, batch: Batch) -> None:
        """A batch was committed: what is in it may change what is needed."""
        self._last_seq = max(self._last_seq, batch.last_seq)
        if self.kept.unfinished:
            ended = (one.seq for one in batch.records if isinstance(one, DeadLetter))
            self._handled |= any(
                seq <= self._settled for seq in chain((turn[0] for turn in batch.turns), ended)
            )
        if _MATTERS.isdisjoint(map(type, batch.records)):
            return
        for record in batch.records:
            match record:
                case SnapshotRow() | SnapshotsGone() | DeploymentRow():
                    self._moved.add(record.agent_no)
                case AgentRow():
                    self._moved.add(record.no)
                    self._handled |= record.no in self.kept.unfinished
                case Pin() | Unpin():
                    self._pins_changed = True
                case Meta() if record.key == TRUST:
                    self._age.trust(int(record.value))
                    self._next = 0.0
                case _:
                    pass
        if self._spared.owners:
            self._next = 0.0

    def grown(self, size: int) -> None:
        """About so many bytes were written: too large may come before the next look."""
        bound = self._keep.mib << 20
        self._grown += size
        if bound and self.kept.counted + self._grown > bound:
            self._next = 0.0

    def step(self, indexed: int) -> int:
        """Remove one chunk of what may go, up to number `indexed`; returns the rows removed, 0 when done for now.

        One transaction; raises sqlite3.Error and leaves everything as it was when it fails.
        """
        began = self._clock.monotonic()
        self._next = began + self._every_s
        self._age.tick(self._last_seq)
        settled, removed = self._settled, self._remove(indexed)
        if removed or self._settled > settled or self._looks_at is not None or self._shrink():
            # there may be more: come back after the next batch
            self._next = 0.0
            self._pace(self._clock.monotonic() - began)
        self._tell()
        return removed

    def _remove(self, indexed: int) -> int:
        if self._moved:
            self._spared.know_moments(self._moved)
        if self._pins_changed:
            self._spared.know_pins()
        if self._moved or self._pins_changed:
            self._moved, self._pins_changed, self._needless = set(), False, True
        if self._needless:
            removed = remove_needless(self._db, self._spared, self._rows(), indexed)
            self._needless = removed > 0
            if removed:
                return removed
        removed = self._remove_handled(indexed)
        if removed:
            return removed
        start, bound = self._bounds(indexed)
        if indexed - bound > UNSETTLED or (start == bound < indexed and self._wants(start, indexed) > start):
            # something that waits holds the mark back
            self._settled = self._chunk(bound, indexed, SETTLED)
            settle(self._db, self._spared, bound, self._settled)
            return 0
        upto = self._wants(start, bound)
        if upto > start:
            removed = remove_range(self._db, self._spared, start, upto, indexed)
            self._keys += self._outlived(start, upto)
            return removed
        return self._old_keys()

    def close(self) -> None:
        """Write down how long the journal was in use. Raises sqlite3.Error."""
        self._age.tick(self._last_seq)
        self._age.save(self._last_seq)

    def _pace(self, spent_s: float) -> None:
        if spent_s > STEP_S:
            self._budget = max(SMALLEST, self._budget // 2)
        elif spent_s < STEP_S / 2:
            self._budget = min(LARGEST, self._budget * 2)

    def _remove_handled(self, indexed: int) -> int:
        """Take a look at what waited, once in a while, some at a time."""
        now = self._clock.monotonic()
        if self._looks_at is None and self._handled and now >= self._look_from:
            self._handled, self._looks_at, self._look_from = False, (0, 0), now + self._every_s
        if self._looks_at is None:
            return 0
        removed, self._looks_at = remove_handled(
            self._db, self._spared, self._looks_at, self._rows(), indexed
        )
        return removed

    def _rows(self) -> int:
        return min(self._budget * 2 // ROW_BYTES, CHUNK)

    def _bounds(self, indexed: int) -> tuple[int, int]:
        """After which number removal goes on, and up to where it may."""
        meta = dict(
            self._db.execute(
                "select key, value from meta where key in ('trimmed_upto', 'low_water', 'settled_upto')"
            ).fetchall()
        )
        start = self._trimmed = int(meta["trimmed_upto"])
        self._settled = int(meta["settled_upto"])
        return start, max(start, min(max(int(meta["low_water"]), self._settled), indexed))

    def _wants(self, start: int, bound: int) -> int:
        """Up to which number the next step is to remove, `bound` at the most; `start` for nothing."""
        if bound <= start:
            return start
        chunk = self._chunk(start, bound, CHUNK)
        return chunk if self._too_large() else self._older(start, chunk)

    def _chunk(self, start: int, bound: int, rows: int) -> int:
        """The last number that the next step may take, so that about so many rows at the most are touched."""
        left = self._budget
        upto = start
        for seq, size, touched in self._db.execute(
            f"""select seq, length(body), {going_with("m.seq")} from message m where seq > :start and seq <= :bound
               union all select seq, length(body), 1 from event where seq > :start and seq <= :bound
               order by 1""",
            {"start": start, "bound": bound},
        ):
            rows -= touched
            if rows < 0 and upto > start:
                return upto
            upto = int(seq)
            left -= size + ROW_BYTES
            if left <= 0:
                return upto
        # numbers that have no row (any more) go with those before them
        following = self._db.execute(
            """select min(seq) from (select min(seq) seq from message where seq > :upto
                 union all select min(seq) from event where seq > :upto)""",
            {"upto": upto},
        ).fetchone()
        return bound if following[0] is None else min(bound, int(following[0]) - 1)

    def _too_large(self) -> bool:
        self._tell()
        return bool(self._keep.mib) and self.kept.counted > self._keep.mib << 20

    def _older(self, start: int, bound: int) -> int:
        """The last number in (start, bound] that is older than `keep.days`, else `start`."""
        if not self._keep.days:
            return start
        bound = min(bound, self._age.old_upto(self._keep.days))
        if bound <= start:
            return start
        row = self._db.execute(
            """select max(coalesce((select max(seq) from message where seq > :start and seq <= :bound
                                      and at_us < :cutoff), 0),
                          coalesce((select max(seq) from event where seq > :start and seq <= :bound
                                      and at_us < :cutoff), 0))""",
            {"start": start, "bound": bound, "cutoff": self._clock.now_us() - self._keep.days * DAY_US},
        ).fetchone()
        return max(start, int(row[0]))

    def _old_keys(self) -> int:
        """Remove idempotency keys that are older than their days, some at a time."""
        if not self._keep.keys_days:
            return 0
        gone = self._db.execute(
            """delete from client_key where key in
                 (select key from client_key where at_us < ? and seq <= ? order by at_us limit ?)""",
            (
                self._clock.now_us() - self._keep.keys_days * DAY_US,
                self._age.old_upto(self._keep.keys_days),
                self._rows(),
            ),
        ).rowcount
        self._keys = max(0, self._keys - gone)
        return gone

    def _outlived(self, start: int, upto: int) -> int:
        row = self._db.execute(
            """select count(*) from client_key where seq > ? and seq <= ?
                 and seq <= (select value from meta where key = 'trimmed_upto')""",
            (start, upto),
        ).fetchone()
        return int(row[0])

    def _shrink(self) -> bool:
        """Give some free pages at the end of the file back, where there are many."""
        free, pages = self._pragma("freelist_count"), self._pragma("page_count")
        spare = free - max(int(pages * SLACK), SLACK_BYTES // self._page)
        if not self._shrinks or spare <= 0:
            return False
        back = min(spare, max(1, self._budget // (8 * self._page)))
        # a script is run to its end: the statement frees a page a step, and `execute` takes one step
        self._db.executescript(f"pragma incremental_vacuum({back})")
        return True

    def _tell(self) -> None:
        used = (self._pragma("page_count") - self._pragma("freelist_count")) * self._page
        memories, waiting = self._spared.by_agent(MEMORY), self._spared.by_agent(UNFINISHED)
        pinned = self._spared.of(PINNED, SAID)
        spared = pinned.bytes + self._spared.of(MEMORY, UNFINISHED).bytes + self._keys * KEY_BYTES
        self._grown = 0
        (removed_upto,) = self._db.execute("select value from meta where key = 'trimmed_upto'").fetchone()
        self.kept = Kept(memories, waiting, pinned, self._age.doubt, removed_upto, max(0, used - spared))

    def _pragma(self, name: str) -> int:
        return int(self._db.execute(f"pragma {name}").fetchone()[0])
