"""A checksum for every page of the journal, so that each byte that changes on the disk is noticed.

In: pages, as the write-ahead log has them, each time that it is copied into the database. Out: `journal.sums`, and
which pages are not as they were written. SQLite guards its log with checksums and its database with none.

The order makes it safe: pages are committed to the log, then their sums are written and synced, then the file says up
to which frame of which log it knows them (`Known`), synced too, and only after that the log begins anew. So a page is
as its sum says, or it is in a frame that came later.
"""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple
from zlib import crc32

from caxton.disk import synced
from caxton.journal.files import Files
from caxton.journal.pages.log_file import LogFile, Salts

SUM: Final = 8
BEGIN: Final = 4096
"""Where the sums begin, the first page's first."""
CLOSED: Final[Salts] = (0xFFFFFFFF, 0xFFFFFFFF)
"""In place of salts: there is no log, all is in the database."""
OPENING: Final[Salts] = (0, 0)
"""In place of salts: a log may have begun, and nothing of it is known."""
UNKNOWN: Final = bytes(SUM)
"""The sum of a page that was never written: free pages may have none."""
_MAGIC: Final = b"CXSUMS1\n"
_KNOWN = struct.Struct(">8s32sIIII")
_AT_ONCE: Final = 1 << 20


class Known(NamedTuple):
    """Whose pages the sums are of, and up to which frame of which log."""

    install: str
    salts: Salts
    frames: int
    page_size: int


def sum_of(page: bytes | bytearray | memoryview) -> bytes:
    """The checksum of a page."""
    return sha256(page).digest()[:SUM]


def read_known(path: Path) -> Known | None:
    """What the file says of itself; None where there is no such file or its beginning is damaged."""
    try:
        with path.open("rb") as file:
            data = file.read(_KNOWN.size + 4)
    except FileNotFoundError:
        return None
    if len(data) < _KNOWN.size + 4 or crc32(data[:-4]) != int.from_bytes(data[-4:], "big"):
        return None
    magic, install, one, two, frames, page_size = _KNOWN.unpack(data[:-4])
    return (
        Known(install.decode("ascii", "replace"), (one, two), frames, page_size) if magic == _MAGIC else None
    )


def read_sums(path: Path) -> bytes:
    """The sums, eight bytes a page."""
    with path.open("rb") as file:
        file.seek(BEGIN)
        return file.read()


def build(path: Path, db: Path, install: str) -> None:
    """Make the sums of a database that nobody has open and that has no log."""
    path.unlink(missing_ok=True)
    with db.open("rb") as file:
        page_size = page_size_of(file.read(100))
        file.seek(0)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            at = BEGIN
            while data := file.read(_AT_ONCE):
                view = memoryview(data)
                sums = b"".join(sum_of(view[n : n + page_size]) for n in range(0, len(data), page_size))
                os.pwrite(fd, sums, at)
                at += len(sums)
            synced(fd)
            _write_known(fd, Known(install, CLOSED, 0, page_size))
        finally:
            os.close(fd)


def page_size_of(header: bytes) -> int:
    """As the first bytes of a database say it."""
    size = int.from_bytes(header[16:18], "big")
    return 65_536 if size == 1 else size


class PageSums:
    """The sums of an open journal; the writer's thread and the checkpointer's take turns."""

    def __init__(self, files: Files) -> None:
        known = read_known(files.sums)
        assert known is not None, "sums are made before a journal is opened"
        self._known = known
        self._files = files
        self._log: LogFile | None = None
        self._log_fd = -1
        self._fd = os.open(files.sums, os.O_WRONLY | os.O_CLOEXEC)
        self._turn = threading.Lock()
        if known.salts == CLOSED:
            self._know(OPENING, 0)

    def take_in(self, frames: int) -> None:
        """Know the pages of the log's first `frames` frames. Raises OSError; then it is to be tried again."""
        with self._turn:
            log = self._open_log()
            salts = None if log is None else log.salts()
            if log is None or salts is None:
                return
            first = self._known.frames if salts == self._known.salts else 0
            newest, pages, sums = log.sums(first, frames, sum_of)
            if not newest:
                return
            for page, run in _runs(newest, sums):
                os.pwrite(self._fd, run, BEGIN + SUM * (page - 1))
            # the file has shrunk: what comes in that place later has another sum, or none
            if pages and os.fstat(self._fd).st_size > BEGIN + SUM * pages:
                os.ftruncate(self._fd, BEGIN + SUM * pages)
            synced(self._fd)
            self._know(salts, frames)

    def close(self, *, whole: bool) -> None:
        """Nothing is written any more; `whole`: the log is gone, and all is in the database."""
        try:
            if whole:
                self._know(CLOSED, 0)
        finally:
            for fd in (self._fd, self._log_fd):
                if fd >= 0:
                    os.close(fd)

    def _open_log(self) -> LogFile | None:
        if self._log is None:
            try:
                self._log_fd = os.open(self._files.log, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return None
            self._log = LogFile(self._log_fd, self._known.page_size)
        return self._log

    def _know(self, salts: Salts, frames: int) -> None:
        known = self._known._replace(salts=salts, frames=frames)
        _write_known(self._fd, known)
        self._known = known


def _write_known(fd: int, known: Known) -> None:
    data = _KNOWN.pack(_MAGIC, known.install.encode("ascii"), *known.salts, known.frames, known.page_size)
    os.pwrite(fd, data + crc32(data).to_bytes(4, "big"), 0)
    synced(fd)


def _runs(pages: list[int], sums: list[bytes]) -> Iterator[tuple[int, bytes]]:
    """The sums of pages that follow each other, joined, with the first page of each run."""
    begin = 0
    for at in range(1, len(pages) + 1):
        if at == len(pages) or pages[at] != pages[at - 1] + 1:
            yield pages[begin], b"".join(sums[begin:at])
            begin = at
