"""A damaged journal becomes a sound one without what is damaged, and what it was stays beside it.

In: a project's state whose daemon does not run. Out: the same journal; a page in which one bit has changed is put
right, as its checksum proves; of other damaged pages the rows are gone, and the report names them. The damaged files
are kept under other names. Until the new file is whole nothing of the old one is touched.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from caxton.disk import sync_folder, translated
from caxton.errors import JournalDamaged, JournalError
from caxton.journal.files import Files
from caxton.journal.integrity import guard
from caxton.journal.integrity.verify import Finding, Progress, checked, compared, log_findings, page_findings
from caxton.journal.pages.btree import Row, Table, Trees
from caxton.journal.pages.page_check import Pages, pages_at_rest
from caxton.journal.records.query import last_seq
from caxton.journal.write import deferred_index, schema

_MADE_AGAIN = frozenset({"conversation_index", "conversation_key"})
_MIRROR = {"participant": "participation", "participation": "participant"}


class Repaired(msgspec.Struct, frozen=True, kw_only=True):
    """What a repair did: pages that were put right, what is gone, and where the damaged file is kept."""

    mended: list[int]
    gone: list[Finding]
    lost_rows: int
    """Acknowledged rows that were lost at the end."""
    kept: str | None


def repair(state: Path, progress: Progress) -> Repaired:
    """Repair what can be; nothing is touched where nothing is wrong.

    Raises JournalError where a daemon runs or there is no journal, JournalDamaged where nothing can be saved.
    """
    files = Files(state)
    if not files.db.exists():
        raise JournalError(f"there is no {files.db}", hint="put back a backup: caxton restore FILE")
    with translated(state):
        lock = guard.take_lock(files)
        try:
            return _repair(files, progress)
        except sqlite3.Error as trouble:
            raise JournalDamaged(
                f"{files.db} cannot be repaired: {trouble}", hint="Put back a backup: caxton restore FILE."
            ) from trouble
        finally:
            os.close(lock)


def _repair(files: Files, progress: Progress) -> Repaired:
    if files.repairing.exists():
        kept = _exchange(files, int(files.repairing.read_text()))
        return Repaired(mended=[], gone=[], lost_rows=0, kept=str(kept))
    image = files.folder / "journal.db.image"
    with pages_at_rest(files.db, files.sums) as (pages, there):
        sums = compared(files, there)
        gone = log_findings(files, pages, sums)
        faults = checked(files, pages, sums, progress)
        found = page_findings(files, pages, faults)
        mended = {page: whole for page in faults.pages if (whole := pages.mended(page, sums)) is not None}
        left = [page for page in faults.pages if page not in mended]
        gone += [one for one in found if one.page in left and one.lost]
        _write(image, pages, mended)
        size, count = pages.size, pages.count
    files.fresh.unlink(missing_ok=True)
    if left:
        with _Image(image, size) as page_of:
            _save(Trees(page_of.page, count, left), files.fresh, sums.known.install, gone, progress)
        image.unlink()
    else:
        image.rename(files.fresh)
    last = _finish(files.fresh)
    lost_rows = max(0, guard.read_head(files) - last)
    if not (faults.pages or faults.sums or gone or lost_rows):
        files.fresh.unlink()
        guard.identify(files)
        return Repaired(mended=[], gone=[], lost_rows=0, kept=None)
    kept = _exchange(files, last)
    return Repaired(mended=sorted(mended), gone=gone, lost_rows=lost_rows, kept=str(kept))


def _write(path: Path, pages: Pages, mended: dict[int, bytes]) -> None:
    """All pages in one file, and nothing in a log."""
    path.unlink(missing_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "wb") as file:
        for number in range(1, pages.count + 1):
            file.write(mended.get(number) or pages.page(number))


class _Image:
    """A file of pages."""

    def __init__(self, path: Path, size: int) -> None:
        self._file = path.open("rb")
        self._size = size

    def __enter__(self) -> _Image:
        return self

    def __exit__(self, *ignored: object) -> None:
        self._file.close()

    def page(self, number: int) -> bytes:
        """One of them."""
        self._file.seek(self._size * (number - 1))
        return self._file.read(self._size)


def _save(trees: Trees, path: Path, install: str, gone: list[Finding], progress: Progress) -> None:
    """Every row on a sound page into a new journal; what follows from rows is made again."""
    if not trees.tables:
        raise JournalDamaged("the page that names the tables is damaged", hint="Put back a backup.")
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        schema.begin(db)
        db.execute("begin")
        tables = [
            one for one in trees.tables.values() if not one.of_index and not one.name.startswith("sqlite_")
        ]
        for done, table in enumerate(tables):
            progress("tables", done, len(tables))
            if table.name not in _MADE_AGAIN:
                _copy(trees, table, db)
        lowest = (
            "coalesce((select min(seq) from (select seq from message union all select seq from event)), 1)"
        )
        for statement in (
            *(
                f"insert or ignore into {to}(key, agent) select key, agent from {of}"
                for to, of in _MIRROR.items()
            ),
            f"insert or ignore into meta values ('install_id', '{install}')",
            "update meta set value = 0 where key = 'indexed_upto'",
            f"insert or ignore into meta values ('trimmed_upto', {lowest} - 1), ('low_water', 0)",
        ):
            db.execute(statement)
        forgot = max(last_seq(db) if one.last_seq is None else one.last_seq for one in gone)
        # what an agent remembers of these is not whole any more, and it is told so
        db.execute("update meta set value = max(value, ?) where key = 'forgot_upto'", (forgot,))
        db.execute("commit")
        indexed, last = 0, last_seq(db)
        while indexed < last:
            indexed = deferred_index.index_chunk(db, indexed, last)


def _copy(trees: Trees, table: Table, db: sqlite3.Connection) -> None:
    columns = db.execute(f"pragma table_info({table.name})").fetchall()
    if not columns:
        return
    places = ",".join("?" * len(columns))
    numbered = next(
        (no for no, column in enumerate(columns) if column[2].lower() == "integer" and column[5]), None
    )
    keyed = table.keyed and sum(column[5] > 0 for column in columns) == 1
    defaults = [column[4] for column in columns]
    for page in trees.pages(table.root):
        for row in trees.rows(page):
            values = _values(row, defaults, numbered if keyed else None)
            db.execute(f"insert or replace into {table.name} values ({places})", values)


def _values(row: Row, defaults: list[str | None], numbered: int | None) -> list[object]:
    """The row's columns: its number in its place, and what was added to the table after it was written."""
    values: list[object] = [*row.values]
    for default in defaults[len(values) :]:
        values.append(None if default is None else int(default) if default.isdigit() else default)
    if numbered is not None and values[numbered] is None:
        values[numbered] = row.key
    return values


def _finish(path: Path) -> int:
    """Make sure of it, and say where it ends."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("pragma synchronous = full")
        db.execute("pragma journal_mode = delete")
        last = last_seq(db)
        found = db.execute("pragma quick_check(1)").fetchone()[0]
        if found != "ok":
            raise JournalDamaged(f"the repaired journal is not sound: {found}", hint="Put back a backup.")
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    return last


def _exchange(files: Files, last: int) -> Path:
    """The sound file gets the name, the damaged ones others. What breaks off in here is gone on with: every step may
    be done twice."""
    number = 0
    while (kept := files.folder / f"journal-damaged{f'-{number}' if number else ''}.db").exists():
        number += 1
    if not files.repairing.exists():
        os.link(files.db, kept)
        if files.log.exists():
            os.link(files.log, kept.with_name(kept.name + "-wal"))
        files.repairing.write_text(f"{last}\n")
        sync_folder(files.folder)
    if files.fresh.exists():
        for path in (files.log, files.log.with_name("journal.db-shm")):
            path.unlink(missing_ok=True)
        files.fresh.replace(files.db)
    files.sums.unlink(missing_ok=True)
    files.head.write_text(f"{last:020d}\n")
    sync_folder(files.folder)
    files.repairing.unlink()
    sync_folder(files.folder)
    return kept
