"""A journal of an earlier version becomes one of this version, and what it was stays beside it.

In: a sound journal whose schema is older. Out: one with today's tables, packed anew, under the same name; the old file
under another one. Until the new file is whole nothing of the old one is touched, so an upgrade that is killed begins
again, or has ended (`guard.ensure` gives a whole file its name).
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Final

import structlog

from caxton.disk import sync_folder
from caxton.errors import DiskTrouble
from caxton.journal.files import Files
from caxton.journal.write import schema

PROGRESS_S: Final = 5.0
_STEPS: Final = 1_000_000
"""Steps of SQLite between two looks at the time."""

log = structlog.get_logger("caxton.journal")


def upgrade(files: Files) -> Path | None:
    """Bring an older journal to today's schema; where the old file is, None where there was nothing to do.

    Raises DiskTrouble where there is no room for both, sqlite3.Error and OSError for what the disk says.
    """
    # without SQLite: closing the last connection that may write moves the log into the database
    with files.db.open("rb") as file:
        version = int.from_bytes(file.read(64)[60:], "big")
    if version >= len(schema.MIGRATIONS):
        return None
    with closing(sqlite3.connect(files.db, isolation_level=None)) as db:
        size = files.db.stat().st_size
        _check_room(files, size)
        log.info("upgrading the journal", schema=version, to=len(schema.MIGRATIONS), mib=size >> 20)
        files.fresh.unlink(missing_ok=True)
        # closing the last connection takes the log away, so that it is not taken for the new file's
        db.execute("pragma wal_checkpoint(truncate)").fetchone()
        # it has an effect on the copy only
        db.execute("pragma auto_vacuum = incremental")
        db.set_progress_handler(_Progress(files.fresh, size), _STEPS)
        db.execute("vacuum into ?", (str(files.fresh),))
    files.fresh.chmod(0o600)
    with closing(sqlite3.connect(files.fresh, isolation_level=None)) as fresh:
        fresh.execute("pragma synchronous = full")
        schema.migrate(fresh)
    fd = os.open(files.fresh, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    kept = _free_name(files, version)
    # they are of the old file
    files.sums.unlink(missing_ok=True)
    files.db.rename(kept)
    files.fresh.rename(files.db)
    sync_folder(files.folder)
    log.info("the journal is upgraded", before=str(kept), hint="remove that file when all is well")
    return kept


class _Progress:
    """Says how far it is, now and then."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._size = size
        self._told = time.monotonic()

    def __call__(self) -> int:
        if time.monotonic() - self._told > PROGRESS_S:
            self._told = time.monotonic()
            done = self._path.stat().st_size if self._path.exists() else 0
            log.info("upgrading the journal", percent=min(99, 100 * done // max(1, self._size)))
        return 0


def _check_room(files: Files, size: int) -> None:
    # the copy, what the new tables and their log take
    needs = size + size // 2 + (8 << 20)
    room = shutil.disk_usage(files.folder).free
    if room < needs:
        raise DiskTrouble(
            f"{files.db} is of an earlier version, and there is no room to upgrade it: {room >> 20} MiB are free, "
            f"{needs >> 20} MiB are needed",
            hint="Free space on that disk, or go back to the earlier version; nothing was changed.",
            path=str(files.db),
        )


def _free_name(files: Files, version: int) -> Path:
    number = 0
    while True:
        path = files.folder / f"journal-schema{version}{f'-{number}' if number else ''}.db"
        if not path.exists():
            return path
        number += 1
