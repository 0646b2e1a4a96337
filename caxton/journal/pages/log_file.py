"""The write-ahead log of a database, read without SQLite (https://www.sqlite.org/walformat.html).

In: the log's file, and its index, which a connection has made. Out: which pages its frames hold, and whether the
checksums of SQLite hold for them. A log begins anew at its start, with other salts, so what follows its last frame may
be of an earlier one.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Callable, Iterator
from mmap import ACCESS_READ, mmap
from struct import Struct
from typing import Final, NamedTuple

HEADER: Final = 32
HEAD: Final = 24
"""Bytes before the page of a frame."""
_AT_ONCE: Final = 256
_HEADER = struct.Struct(">8I")
_HEAD = struct.Struct(">6I")
_MAGIC: Final = 0x377F0682
"""The lowest bit says in which order of bytes checksums are made: 1 for the largest first."""

Salts = tuple[int, int]


class Frame(NamedTuple):
    """One page as a commit wrote it. `no` counts from 0; `pages` is the size of the database where a commit ends."""

    no: int
    page: int
    pages: int


class LogFile:
    """The log behind a descriptor, which its owner closes."""

    def __init__(self, fd: int, page_size: int) -> None:
        self._fd = fd
        self._size = HEAD + page_size

    def salts(self) -> Salts | None:
        """What tells this log from the one before it at the same place; None where there is none."""
        header = os.pread(self._fd, HEADER, 0)
        if len(header) < HEADER or int.from_bytes(header[:4], "big") | 1 != _MAGIC | 1:
            return None
        found = _HEADER.unpack(header)
        return found[4], found[5]

    def frames(self, first: int, upto: int) -> Iterator[Frame]:
        """The frames from number `first` on, below `upto`, as far as the file goes."""
        while first < upto:
            data = os.pread(self._fd, self._size * min(_AT_ONCE, upto - first), HEADER + self._size * first)
            many = len(data) // self._size
            for no in range(many):
                page, pages, *_ = _HEAD.unpack_from(data, self._size * no)
                yield Frame(first + no, page, pages)
            if not many:
                return
            first += many

    def sums(
        self, first: int, upto: int, sum_of: Callable[[memoryview], bytes]
    ) -> tuple[list[int], int, list[bytes]]:
        """The pages in the frames from `first` on, below `upto`, in order; how many pages the database has after them;
        and the sum of each page as it is in the last of its frames.

        The log is mapped and not read, which takes half the time; nobody makes it shorter while it is open.
        """
        size, end = self._size, HEADER + self._size * upto
        if first >= upto or os.fstat(self._fd).st_size < end:
            return [], 0, []
        newest: dict[int, int] = {}
        count = 0
        with mmap(self._fd, end, access=ACCESS_READ) as log, memoryview(log) as view:
            at = HEADER + size * first
            with view[at:end] as frames:
                for page, pages in Struct(f">2I{size - 8}x").iter_unpack(frames):
                    newest[page] = at + HEAD
                    count = pages or count
                    at += size
            sums: list[bytes] = []
            for page in sorted(newest):
                at = newest[page]
                with view[at : at + size - HEAD] as content:
                    sums.append(sum_of(content))
        return sorted(newest), count, sums

    def page(self, frame: int) -> bytes:
        """The page in that frame."""
        return os.pread(self._fd, self._size - HEAD, HEADER + self._size * frame + HEAD)

    def committed(self) -> int:
        """How many frames are as SQLite wrote them, up to the last of them that ends a commit: what it would read."""
        header = os.pread(self._fd, HEADER, 0)
        if self.salts() is None:
            return 0
        order = ">" if header[3] & 1 else "<"
        head = _HEADER.unpack(header)
        sums = _checksum(order, header[:24], (0, 0))
        count = no = 0
        while sums == head[6:] or no:
            data = os.pread(self._fd, self._size, HEADER + self._size * no)
            if len(data) < self._size:
                break
            sums = _checksum(order, data[:8] + data[HEAD:], sums)
            frame = _HEAD.unpack_from(data)
            if frame[2:4] != head[4:6] or frame[4:] != sums:
                break
            no += 1
            if frame[1]:
                count = no
        return count


def frames_in_use(index: bytes) -> int:
    """How many frames of a log are committed, as the first bytes of its index (`-shm`) say; 0 where it is not made."""
    return _number(index, 16) if len(index) >= 20 and index[12] == 1 else 0


def all_copied(index: bytes) -> bool:
    """Whether every committed frame is in the database too, as the first 100 bytes of the index say."""
    return len(index) >= 100 and _number(index, 96) >= frames_in_use(index)


def _number(index: bytes, at: int) -> int:
    return int.from_bytes(index[at : at + 4], sys.byteorder)


def _checksum(order: str, data: bytes, start: tuple[int, int]) -> tuple[int, int]:
    """SQLite's running checksum over pairs of 32-bit words."""
    one, two = start
    words = iter(struct.unpack(f"{order}{len(data) // 4}I", data))
    for word in words:
        one = (one + word + two) & 0xFFFFFFFF
        two = (two + next(words) + one) & 0xFFFFFFFF
    return one, two
