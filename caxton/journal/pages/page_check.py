"""Every page of a journal as its last commit left it, and whether it is as it was written.

In: the database, its write-ahead log with the number of committed frames, the sums (page_sums.py). Out: pages, and the
numbers of those that do not fit their sums. A page that the sums do not know yet is in a frame of the log, which has
checksums of its own. Nothing is written.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from caxton.errors import JournalDamaged
from caxton.journal.pages.log_file import LogFile, all_copied, frames_in_use
from caxton.journal.pages.page_sums import (
    CLOSED,
    OPENING,
    SUM,
    UNKNOWN,
    Known,
    page_size_of,
    read_known,
    read_sums,
    sum_of,
)

_TOLD_EVERY: Final = 4_096
Progress = Callable[[int, int], None]
"""Told how much is done, and of how much."""


class Checked(NamedTuple):
    """How many pages were compared with their sums, and how many there are."""

    pages: int
    of: int


class Faults(NamedTuple):
    """Pages that are not as they were written, and pages whose sum has changed instead, by one bit."""

    pages: list[int]
    sums: list[int]


class Sums(NamedTuple):
    """What `journal.sums` says at one moment."""

    known: Known
    sums: bytes

    @classmethod
    def read(cls, path: Path) -> Sums | None:
        """None where there are none, or where their beginning is damaged."""
        while (known := read_known(path)) is not None:
            sums = read_sums(path)
            if read_known(path) == known:
                return cls(known, sums)
        return None

    def of(self, page: int) -> bytes:
        """The sum of a page."""
        return self.sums[SUM * (page - 1) : SUM * page] or UNKNOWN


class Pages:
    """The pages at one moment. Frames up to `frames` of the log are committed."""

    def __init__(self, db: int, log: int | None, frames: int, size: int, sums: Sums | None) -> None:
        self._db = db
        self._sums = sums
        self.size = size
        self.log = None if log is None else LogFile(log, self.size)
        self.salts = None if self.log is None else self.log.salts()
        self.frames = frames if self.salts is not None else 0
        self._newest: dict[int, int] = {}
        count = 0
        if self.log is not None:
            for frame in self.log.frames(0, self.frames):
                self._newest[frame.page] = frame.no
                count = frame.pages or count
        first = sums.known.frames if sums is not None and sums.known.salts == self.salts else 0
        self._late = {page for page, frame in self._newest.items() if frame >= first}
        """Committed after the sums were written."""
        self.count = count or os.fstat(db).st_size // size
        """How many pages there are."""

    def page(self, number: int) -> bytes:
        """The page as it was committed last; where the log is cut, the database may have more of it."""
        frame = self._newest.get(number)
        if frame is not None and self.log is not None and number in self._late:
            return self.log.page(frame)
        copied = os.pread(self._db, self.size, self.size * (number - 1))
        if frame is None or self.log is None:
            return copied
        fits = self._sums is not None and sum_of(copied) == self._sums.of(number)
        return copied if fits else self.log.page(frame)

    def cut(self, known: Known) -> str | None:
        """Whether the log is not the one that belongs here, or not all of it: why, or None."""
        if self.salts is None or not self.frames:
            # a log that was lost with what is acknowledged is missed by the head mark
            return None
        if known.salts == CLOSED:
            return "is of another journal: this one was closed, and all of it is in the database"
        if known.salts == self.salts:
            if self.frames < known.frames:
                return f"is cut or damaged after {self.frames:,} of {known.frames:,} pages"
            return None
        if known.salts != OPENING and self.salts[0] != (known.salts[0] + 1) & 0xFFFFFFFF:
            return "is of another journal, or of another time"
        return None

    def check(self, sums: Sums, numbers: Iterable[int], progress: Progress | None = None) -> Faults:
        """Compare pages with their sums."""
        faults = Faults([], [])
        for done, number in enumerate(numbers):
            if progress is not None and done % _TOLD_EVERY == 0:
                progress(done, self.count)
            wanted = sums.of(number)
            if wanted == UNKNOWN or number in self._late:
                continue
            found = sum_of(self.page(number))
            if found != wanted:
                one_bit = (int.from_bytes(found, "big") ^ int.from_bytes(wanted, "big")).bit_count() == 1
                (faults.sums if one_bit else faults.pages).append(number)
        return faults

    def mended(self, number: int, sums: Sums) -> bytes | None:
        """The page with the one bit put right that makes it fit its sum; None where no one bit does."""
        wanted = sums.of(number)
        page = bytearray(self.page(number))
        for at in range(len(page)):
            for bit in range(8):
                page[at] ^= 1 << bit
                if sum_of(page) == wanted:
                    return bytes(page)
                page[at] ^= 1 << bit
        return None


@contextmanager
def pages_at_rest(path: Path, sums: Path) -> Generator[tuple[Pages, Sums | None]]:
    """The same of a database that nobody has open, also where SQLite cannot read it. It takes about 0.1 ms for each
    page of the log."""
    fds: list[int] = []
    try:
        main = _opened(path, fds)
        if main is None:
            raise JournalDamaged(f"{path} is missing.", hint="Put back a backup.", path=str(path))
        there = Sums.read(sums)
        size = there.known.page_size if there is not None else page_size_of(os.pread(main, 100, 0))
        log = _opened(path.with_name(path.name + "-wal"), fds)
        frames = 0 if log is None else LogFile(log, size).committed()
        yield Pages(main, log, frames, size, there), there
    finally:
        for fd in fds:
            os.close(fd)


@contextmanager
def pages_of(path: Path, sums: Path, *, live: bool = False) -> Generator[tuple[Pages, Sums | None]]:
    """The pages of the database at `path`, held as they are until the end, and their sums; `live`: a daemon writes to
    it.

    Raises JournalDamaged where SQLite cannot read it, sqlite3.OperationalError where the disk does not answer.
    """
    fds: list[int] = []
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    try:
        db.execute("begin")
        db.execute("select 1 from sqlite_schema").fetchone()
        main = _opened(path, fds)
        assert main is not None
        log = _opened(path.with_name(path.name + "-wal"), fds)
        index = _opened(path.with_name(path.name + "-shm"), fds)
        begun = b"" if index is None else os.pread(index, 100, 0)
        there = Sums.read(sums)
        # where all of the log is in the database the daemon may begin it anew meanwhile
        frames = 0 if live and all_copied(begun) else frames_in_use(begun)
        if frames and live and log is not None and there is not None:
            salts = LogFile(log, there.known.page_size).salts()
            # that it knows them already means that they are committed
            frames = max(frames, there.known.frames if there.known.salts == salts else 0)
        yield Pages(main, log, frames, page_size_of(os.pread(main, 100, 0)), there), there
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as trouble:
        raise JournalDamaged(
            f"{path} is damaged: {trouble}.", hint="Put back a backup.", path=str(path)
        ) from trouble
    finally:
        db.close()
        # only now: closing a file takes away the locks that this process has on it
        for fd in fds:
            os.close(fd)


def _opened(path: Path, fds: list[int]) -> int | None:
    try:
        fds.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
    except FileNotFoundError:
        return None
    return fds[-1]
