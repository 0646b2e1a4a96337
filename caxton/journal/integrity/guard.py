"""What is checked before a journal is opened, so that a damaged one is never taken for a fresh one.

In: the folder `.caxton/`. Out: a locked, sound journal with its install id, or JournalDamaged that names
the file, what is wrong and what to do. Five files lie side by side: `journal.db`, `journal.id` (the install
id, also inside the database: a database that vanished or was swapped is noticed), `journal.head` (number of
the last commit: a lost tail is noticed, which SQLite itself takes for a clean end), `journal.sums` (a checksum of every
page: a changed byte is noticed) and `journal.lock`. Nothing here repairs or recreates.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import structlog

from caxton.disk import sync_folder
from caxton.errors import JournalDamaged, JournalError
from caxton.journal.files import Files
from caxton.journal.pages.page_check import Checked, Faults, pages_of
from caxton.journal.pages.page_sums import build, read_known
from caxton.journal.records.query import last_seq
from caxton.journal.write import schema

_MAGIC = b"SQLite format 3\x00"
_RESTORE = "Put back a backup of the whole folder, or move it away to begin with an empty journal."
_LOOK = (
    "See what is on it: caxton journal verify. Take it out and go on with the rest: caxton journal repair. Or put back "
    "a backup of the whole folder."
)

log = structlog.get_logger("caxton.journal")


def take_lock(files: Files) -> int:
    """Lock the journal for this process and return the descriptor that holds the lock.

    Raises JournalError when another process (or another Journal of this one) has it.
    """
    files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd = os.open(files.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as refusal:
        holder = os.read(fd, 32).decode("ascii", "replace").strip() or "unknown"
        os.close(fd)
        raise JournalError(
            f"{files.db} is open in another daemon (process {holder}).",
            hint="Stop that daemon first: caxton down.",
            path=str(files.db),
            process=holder,
        ) from refusal
    try:
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
    except OSError:
        os.close(fd)
        raise
    return fd


def ensure(files: Files, *, check_mib: int) -> Checked:
    """Make the journal where there never was one, else check the one that is there; what was checked.

    `check_mib`: of a database larger than this many MiB only the newest part is compared with its checksums; its tail
    and identity are checked all the same.
    """
    if files.repairing.exists():
        raise _damaged(
            files.db, "is being repaired, and that broke off", "Go on with it: caxton journal repair."
        )
    install = _installed(files)
    if install is None and not files.db.exists():
        _create(files)
    elif install is None or files.db.exists() or not _completes(files, install):
        return _inspect(files, install, check_mib)
    return Checked(0, 0)


def ensure_sums(files: Files) -> None:
    """Make the checksums where there are none, or where nobody says any more what was committed last; before the
    journal is opened."""
    if files.head.exists() and read_known(files.sums) is not None:
        return
    install = _installed(files)
    assert install is not None
    # closing it takes the log away; nothing is written past the log from now on
    with closing(schema.durable_connection(files.db)) as db:
        db.execute("pragma wal_checkpoint(truncate)").fetchone()
    build(files.sums, files.db, install)


def read_head(files: Files) -> int:
    """The head mark, 0 where there is none yet. Raises JournalDamaged for anything but a number."""
    try:
        text = files.head.read_bytes().strip()
    except FileNotFoundError:
        return 0
    if not text:
        return 0
    if not text.isdigit():
        raise _damaged(
            files.head, "does not hold a number", "Delete it if the journal is known to be complete."
        )
    return int(text)


def check_tail(files: Files, db: sqlite3.Connection) -> int:
    """The journal's last number; raises JournalDamaged when the head mark knows a higher one."""
    mark, last = read_head(files), last_seq(db)
    if mark > last:
        raise _damaged(
            files.db,
            f"has lost {mark - last:,} rows at the end: {files.head.name} says {mark:,} were committed, "
            f"the database ends at {last:,}",
            f"Put back a backup, or delete {files.head} to go on without those rows.",
            lost=mark - last,
        )
    return last


def _installed(files: Files) -> str | None:
    try:
        install = files.install.read_text("ascii", "replace").strip()
    except FileNotFoundError:
        return None
    if not install:
        raise _damaged(files.install, "is empty", _RESTORE)
    return install


def _create(files: Files) -> None:
    """Make the database under another name, then the id file, then give the database its name.

    So a crash in between leaves either nothing or an id file whose database waits under the other name.
    """
    for leftover in (files.fresh, files.fresh.with_name(files.fresh.name + "-journal")):
        leftover.unlink(missing_ok=True)
    install = secrets.token_hex(16)
    os.close(os.open(files.fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    db = sqlite3.connect(files.fresh, isolation_level=None)
    try:
        db.execute("pragma synchronous = full")
        schema.begin(db)
        db.execute("insert into meta values ('install_id', ?)", (install,))
    finally:
        db.close()
    files.head.unlink(missing_ok=True)
    fd = os.open(files.install, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(fd, f"{install}\n".encode())
        os.fsync(fd)
    finally:
        os.close(fd)
    _rename(files)


def _completes(files: Files, install: str) -> bool:
    if not files.fresh.exists():
        return False
    db = sqlite3.connect(files.fresh)
    try:
        row = db.execute("select value from meta where key = 'install_id'").fetchone()
    except sqlite3.DatabaseError:
        return False
    finally:
        db.close()
    if row is None or row[0] != install:
        return False
    _rename(files)
    return True


def _rename(files: Files) -> None:
    files.fresh.rename(files.db)
    sync_folder(files.folder)


def identify(files: Files, *, tail: bool = True) -> str:
    """The install id of the journal that is there, whatever its pages are like; raises JournalDamaged where it is not
    the one that belongs here, or, with `tail`, where its end is missing."""
    install = _installed(files)
    _check_header(files, install)
    with _reading(files) as db:
        _inspect_open(files, install, db)
        if tail:
            check_tail(files, db)
    assert install is not None
    return install


def _inspect(files: Files, install: str | None, check_mib: int) -> Checked:
    _check_header(files, install)
    with _reading(files) as db:
        _inspect_open(files, install, db)
        check_tail(files, db)
        known = read_known(files.sums) if files.head.exists() else None
        if known is None:
            _check_structure(files, db, check_mib)
            return Checked(0, 0)
    if known.install != install:
        raise _damaged(
            files.sums,
            f"is of another installation ({known.install})",
            f"Put back the file that belongs to {files.db}.",
        )
    return _check_pages(files, check_mib)


@contextmanager
def _reading(files: Files) -> Generator[sqlite3.Connection]:
    # a connection that may write moves the sound part of the write-ahead log into the database when it closes, and
    # deletes the log with the rest, which is what a rescue would need
    db = sqlite3.connect(f"{files.db.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    try:
        yield db
    except sqlite3.OperationalError as trouble:
        raise JournalError(f"{files.db} cannot be read: {trouble}.", path=str(files.db)) from trouble
    except sqlite3.DatabaseError as trouble:
        raise _damaged(files.db, f"is damaged: {trouble}", _LOOK) from trouble
    finally:
        db.close()


def _check_pages(files: Files, check_mib: int) -> Checked:
    """Compare pages with their sums, the newest part of the file where it is large."""
    with pages_of(files.db, files.sums) as (pages, sums):
        assert sums is not None
        cut = pages.cut(sums.known)
        if cut is not None:
            raise _damaged(files.log, cut, _LOOK)
        first = max(1, pages.count - (check_mib << 20) // pages.size + 1)
        try:
            faults = pages.check(sums, {1: None, **dict.fromkeys(range(first, pages.count + 1))})
        except OSError as trouble:
            raise _failing(files) from trouble
    if not_of_one_time(pages.count, faults):
        raise _damaged(
            files.db,
            f"and {files.sums.name} are not of one time: {len(faults.pages):,} pages do not fit",
            f"Put back both as they belong together; where {files.db.name} is the right one, delete {files.sums}.",
        )
    if faults.pages:
        more = len(faults.pages) - 1
        raise _damaged(
            files.db,
            f"is damaged: page {faults.pages[0]:,} is not as it was written{f', and {more:,} more' if more else ''}",
            _LOOK,
            pages=len(faults.pages),
        )
    if faults.sums:
        log.warning("a checksum has changed, and the page has not", pages=faults.sums, file=str(files.sums))
    return Checked(min(pages.count, pages.count - first + 2), pages.count)


def not_of_one_time(count: int, faults: Faults) -> bool:
    """Whether so much does not fit that one of the files is another one."""
    return len(faults.pages) > max(20, count // 2)


def _check_structure(files: Files, db: sqlite3.Connection, check_mib: int) -> None:
    """What can be found without sums; they are made after this."""
    if files.head.exists():
        log.warning(
            "the journal has no checksums: they are made now, and what changed before is not noticed",
            file=str(files.sums),
        )
    if files.db.stat().st_size > check_mib << 20:
        log.warning("the journal is too large to be read through at the start", hint="caxton journal verify")
        return
    found = str(db.execute("pragma quick_check(1)").fetchone()[0])
    if _is_io_error(found):
        raise _failing(files)
    if found != "ok":
        raise _damaged(files.db, f"is damaged: {' '.join(found.split())}", _LOOK)


def _check_header(files: Files, install: str | None) -> None:
    """Look at the first 100 bytes, without SQLite so that a foreign file is not touched."""
    try:
        with files.db.open("rb") as file:
            header = file.read(100)
    except FileNotFoundError:
        raise _damaged(
            files.db, f"is missing, though {files.install.name} says that it was there", _RESTORE
        ) from None
    if not header and install is not None:
        raise _damaged(files.db, f"is empty, though {files.install.name} says that it was not", _RESTORE)
    if len(header) < 100 or not header.startswith(_MAGIC):
        raise _damaged(files.db, "is not a database", _LOOK)
    application = int.from_bytes(header[68:72], "big")
    if application != schema.APPLICATION_ID:
        raise _damaged(
            files.db,
            f"is a database of another program (application_id {application:#010x})",
            "Move that file out of the project's folder.",
        )


def _inspect_open(files: Files, install: str | None, db: sqlite3.Connection) -> None:
    version = db.execute("pragma user_version").fetchone()[0]
    if version > len(schema.MIGRATIONS):
        raise _damaged(
            files.db,
            f"was written by a newer Caxton (schema {version}, this one knows {len(schema.MIGRATIONS)})",
            "Run the newer Caxton again.",
        )
    row = db.execute("select value from meta where key = 'install_id'").fetchone()
    own = None if row is None else row[0]
    if install is None:
        raise _damaged(
            files.install,
            f"is missing, though {files.db.name} is there",
            f"If it is the right journal, write its id into that file: {own}",
        )
    if own != install:
        raise _damaged(files.db, f"belongs to another installation ({own} instead of {install})", _RESTORE)


def _failing(files: Files) -> JournalError:
    return JournalError(
        f"{files.db} cannot be read: disk I/O error.",
        hint="The disk fails: look at the system's log (dmesg), and copy the folder to another disk.",
        path=str(files.db),
    )


def _is_io_error(found: str) -> bool:
    """Whether what a check found is that the disk does not answer, and nothing about what is on it."""
    code = re.search(r"unable to get the page\. error code=(\d+)", found)
    return code is not None and int(code[1]) & 0xFF == sqlite3.SQLITE_IOERR


def _damaged(path: Path, wrong: str, remedy: str, **details: int) -> JournalDamaged:
    return JournalDamaged(f"{path} {wrong}.", hint=remedy, path=str(path), **details)
