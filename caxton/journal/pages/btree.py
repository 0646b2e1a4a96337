"""The b-trees of a database, read without SQLite, so that one bad page does not hide the others
(https://www.sqlite.org/fileformat2.html).

In: pages, and which of them are damaged. Out: to which table a page belongs and between which keys it lies, and the
rows of every page that is sound. A database with `auto_vacuum` has a map that names each page's parent: so a page is
placed from below, and what hangs under a damaged page is found all the same.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Iterator
from typing import Final, NamedTuple

_TABLE_LEAF, _TABLE, _INDEX_LEAF, _INDEX = 0x0D, 0x05, 0x0A, 0x02
_ROOT, _FREE, _FIRST_OVERFLOW, _OVERFLOW, _NODE = 1, 2, 3, 4, 5
LEAST, MOST = -(1 << 63), (1 << 63) - 1
_INTEGERS: Final = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}

Value = int | float | str | bytes | None


class Table(NamedTuple):
    """One tree: a table, `keyed` by the numbers of its rows, or an index of one."""

    name: str
    root: int
    keyed: bool = True
    of_index: bool = False


class Place(NamedTuple):
    """Where a page is: of which table, above which number and up to which. None: it is free, or part of the map."""

    table: Table | None
    above: int = LEAST
    upto: int = MOST


_SCHEMA: Final = Table("sqlite_schema", 1)


class Row(NamedTuple):
    """A row as its record has it; `key` is its number, None in trees without numbers."""

    key: int | None
    values: list[Value]


class Trees:
    """All trees of one database."""

    def __init__(self, page: Callable[[int], bytes], count: int, bad: Collection[int]) -> None:
        self._page = page
        self._count = count
        self._bad = frozenset(bad)
        self._size = len(page(1))
        self.tables = {
            table.root: table
            for values in (row.values for number in self.pages(1) for row in self.rows(number))
            for table in [_table(values)]
            if table is not None
        }

    def place(self, page: int) -> Place | None:
        """Where that page is; None where the map is damaged too."""
        if page == 1:
            return Place(_SCHEMA)
        if page == self._map_page(page):
            return Place(None)
        key: int | None = None
        above = page
        while above not in self.tables and above != 1:
            entry = self._entry(above)
            if entry is None:
                return None
            kind, parent = entry
            if kind == _FREE:
                return Place(None)
            if kind == _FIRST_OVERFLOW and parent not in self._bad:
                key = self._owner_of(parent, above)
            if kind not in (_FIRST_OVERFLOW, _OVERFLOW, _NODE) or not 0 < parent <= self._count:
                return None
            above = parent
        table = self.tables.get(above, _SCHEMA)
        if not table.keyed:
            return Place(table)
        return Place(table, key - 1, key) if key is not None else Place(table, *self._bounds(page, above))

    def pages(self, root: int) -> Iterator[int]:
        """The sound pages of a tree, those under a damaged page too, in the order of their keys where that is known."""
        waiting = [root]
        seen: set[int] = set()
        while waiting:
            page = waiting.pop()
            if page in seen or not 0 < page <= self._count:
                continue
            seen.add(page)
            if page in self._bad:
                waiting += [
                    other for other in range(3, self._count + 1) if self._entry(other) == (_NODE, page)
                ]
                continue
            yield page
            waiting += reversed([child for child, _ in self._children(page)])

    def rows(self, page: int, *, damaged: bool = False) -> Iterator[Row]:
        """The rows of a page, without those that go on in a damaged one; `damaged`: what can be guessed of one that
        is damaged itself."""
        data, kind, cells = self._cells(page)
        for at in cells:
            try:
                if kind == _TABLE_LEAF:
                    size, at = _varint(data, at)
                    key, at = _varint(data, at)
                    yield Row(_signed(key), _record(self._payload(data, at, size, keyed=True)))
                elif kind in (_INDEX_LEAF, _INDEX):
                    size, at = _varint(data, at + (4 if kind == _INDEX else 0))
                    yield Row(None, _record(self._payload(data, at, size, keyed=False)))
            except (IndexError, ValueError, struct.error):
                # it goes on in a page that is damaged
                if not damaged and not self._bad:
                    raise

    def _cells(self, page: int) -> tuple[bytes, int, list[int]]:
        data = self._page(page)
        at = 100 if page == 1 else 0
        kind = data[at]
        first = at + (12 if kind in (_TABLE, _INDEX) else 8)
        many = min(int.from_bytes(data[at + 3 : at + 5], "big"), (self._size - first) // 2)
        return data, kind, list(struct.unpack_from(f">{many}H", data, first))

    def _children(self, page: int) -> list[tuple[int, int]]:
        """The pages below, each with the highest key that it may have."""
        data, kind, cells = self._cells(page)
        if kind not in (_TABLE, _INDEX):
            return []
        found = [
            (
                int.from_bytes(data[at : at + 4], "big"),
                _signed(_varint(data, at + 4)[0]) if kind == _TABLE else 0,
            )
            for at in cells
        ]
        at = 100 if page == 1 else 0
        return [*found, (int.from_bytes(data[at + 8 : at + 12], "big"), MOST)]

    def _bounds(self, page: int, root: int) -> tuple[int, int]:
        low, high = LEAST, MOST
        while page != root:
            entry = self._entry(page)
            if entry is None:
                break
            kind, parent = entry
            if kind == _NODE and parent not in self._bad:
                before = LEAST
                for child, upto in self._children(parent):
                    if child == page:
                        low, high = max(low, before), min(high, upto)
                    before = upto
            page = parent
        return low, high

    def _owner_of(self, page: int, overflow: int) -> int | None:
        """The number of the row that goes on in that page."""
        data, kind, cells = self._cells(page)
        for at in cells if kind == _TABLE_LEAF else ():
            size, at = _varint(data, at)
            key, at = _varint(data, at)
            at += self._local(size, keyed=True)
            if int.from_bytes(data[at : at + 4], "big") == overflow:
                return _signed(key)
        return None

    def _map_page(self, page: int) -> int:
        """The page of the map that names this page's parent; page 2 is the first of them."""
        each = self._size // 5 + 1
        return (page - 2) // each * each + 2

    def _entry(self, page: int) -> tuple[int, int] | None:
        map_page = self._map_page(page)
        if map_page in self._bad or map_page > self._count or page <= map_page:
            return None
        at = 5 * (page - map_page - 1)
        data = self._page(map_page)
        return data[at], int.from_bytes(data[at + 1 : at + 5], "big")

    def _local(self, size: int, *, keyed: bool) -> int:
        """How many bytes of a record of that size are in its cell."""
        most = self._size - 35 if keyed else (self._size - 12) * 64 // 255 - 23
        if size <= most:
            return size
        least = (self._size - 12) * 32 // 255 - 23
        fits = least + (size - least) % (self._size - 4)
        return fits if fits <= most else least

    def _payload(self, data: bytes, at: int, size: int, *, keyed: bool) -> bytes:
        local = self._local(size, keyed=keyed)
        parts, left = [data[at : at + local]], size - local
        following = int.from_bytes(data[at + local : at + local + 4], "big") if left else 0
        while left > 0:
            if following in self._bad or not 0 < following <= self._count:
                raise ValueError("the rest of the row is damaged")
            page = self._page(following)
            parts.append(page[4 : 4 + left])
            left -= len(parts[-1])
            following = int.from_bytes(page[:4], "big")
        return b"".join(parts)


def _table(values: list[Value]) -> Table | None:
    kind, name, of, root, sql = values
    if not isinstance(root, int) or not root:
        return None
    if kind != "table":
        return Table(str(of), root, keyed=False, of_index=True)
    return Table(str(name), root, keyed="without rowid" not in str(sql).lower())


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for _ in range(8):
        byte = data[at]
        at += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at
    return value << 8 | data[at], at + 1


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _record(payload: bytes) -> list[Value]:
    size, at = _varint(payload, 0)
    end = size
    values: list[Value] = []
    while at < size:
        kind, at = _varint(payload, at)
        length = _INTEGERS.get(kind, 8 if kind == 7 else (kind - 12) // 2 if kind >= 12 else 0)
        data = payload[end : end + length]
        if len(data) < length:
            raise ValueError("the record is cut")
        end += length
        values.append(_value(kind, data))
    return values


def _value(kind: int, data: bytes) -> Value:
    if kind in _INTEGERS:
        return int.from_bytes(data, "big", signed=True)
    match kind:
        case 0:
            return None
        case 7:
            return float(struct.unpack(">d", data)[0])
        case 8 | 9:
            return kind - 8
        case _ if kind >= 12:
            return data if kind % 2 == 0 else data.decode()
        case _:
            raise ValueError(f"no record has a value of kind {kind}")
