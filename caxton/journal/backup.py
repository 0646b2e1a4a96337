"""A project in one file: its journal at one moment, the modules of its agents, its settings.

In: a project's folder, with its daemon running or not. Out: one SQLite file, the journal itself with a table
`backup_file` beside, which holds the other files with their sha256. The journal is read in one transaction, a portion
at a time, so the daemon goes on, and what it writes meanwhile is not in it. A file that is there is whole: it gets its
name last. Nothing is ever written over.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Final

from caxton.disk import sync_folder, translated
from caxton.errors import JournalDamaged, JournalError
from caxton.journal.files import Files
from caxton.journal.records.query import last_seq
from caxton.journal.write import schema

APPLICATION_ID: Final = 0x4358544B
"""`CXTK`, so that a backup is taken neither for a journal nor for another program's database."""
SETTINGS: Final = "caxton.toml"
_PAGES: Final = 2_048
_MODULES: Final = "modules"

Progress = Callable[[int, int], None]
"""Told how many pages are done, and of how many."""


def back_up(folder: Path, state: Path, target: Path, progress: Progress) -> int:
    """Write a backup of the project in `folder` to `target`; the last number that is in it.

    Raises JournalError where there is no journal or `target` is there already, DiskTrouble.
    """
    files = Files(state)
    if not files.db.exists():
        raise JournalError(f"there is no journal in {state}", hint="start the project first: caxton up")
    if target.exists():
        raise JournalError(f"{target} is there already", hint="name another file: a backup replaces nothing")
    draft = target.with_name(target.name + ".part")
    with translated(target):
        draft.unlink(missing_ok=True)
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            last = _write(files, folder, draft, progress)
            _sync(draft)
            draft.rename(target)
            sync_folder(target.absolute().parent)
        except sqlite3.Error as trouble:
            raise JournalError(f"{target} cannot be written: {trouble}", path=str(target)) from trouble
        finally:
            draft.unlink(missing_ok=True)
    return last


def restore(source: Path, folder: Path, state: Path, progress: Progress) -> int:
    """Make the project again in `folder`, where there must be no journal; the last number that it has.

    Settings that are there already stay. Raises JournalDamaged for a file that is no sound backup, JournalError where a
    journal is in the way, DiskTrouble.
    """
    files = Files(state)
    if files.db.exists() or files.install.exists():
        raise JournalError(
            f"{state} has a journal already", hint="restore into another folder, or move that one away"
        )
    with translated(state):
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.fresh.unlink(missing_ok=True)
        try:
            with closing(_opened(source)) as backup:
                install = _check(source, backup)
                with closing(sqlite3.connect(files.fresh, isolation_level=None)) as db:
                    files.fresh.chmod(0o600)
                    backup.backup(db, pages=_PAGES, progress=_told(progress))
                    last = _make_journal(db)
                for name, content in _files(source, backup):
                    _place(folder / name if name == SETTINGS else state / name, content)
        except sqlite3.DatabaseError as trouble:
            raise JournalDamaged(f"{source} is damaged: {trouble}", hint="take another backup") from trouble
        _sync(files.fresh)
        files.head.unlink(missing_ok=True)
        files.sums.unlink(missing_ok=True)
        _place(files.install, f"{install}\n".encode())
        # last: until now there is nothing that a daemon would take for a journal
        files.fresh.rename(files.db)
        sync_folder(state)
    return last


def _write(files: Files, folder: Path, draft: Path, progress: Progress) -> int:
    reading = f"{files.db.absolute().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(reading, uri=True, isolation_level=None)) as journal,
        closing(sqlite3.connect(draft, isolation_level=None)) as db,
    ):
        # one transaction, so that every portion is of the same moment
        journal.execute("begin")
        last = last_seq(journal)
        journal.backup(db, pages=_PAGES, progress=_told(progress))
        journal.execute("rollback")
        db.execute("pragma journal_mode = delete")
        db.execute(f"pragma application_id = {APPLICATION_ID}")
        db.execute(
            "create table backup_file(name text primary key, sha256 text not null, content blob not null)"
        )
        modules = sorted((files.folder / _MODULES).glob("*.wasm"))
        for path in (folder / SETTINGS, *modules):
            if path.exists():
                name = path.name if path.name == SETTINGS else f"{_MODULES}/{path.name}"
                content = path.read_bytes()
                row = (name, sha256(content).hexdigest(), content)
                db.execute("insert into backup_file values (?, ?, ?)", row)
        return last


def _opened(source: Path) -> sqlite3.Connection:
    if not source.is_file():
        raise JournalError(f"there is no file {source}", hint="a backup is made by: caxton backup FILE")
    return sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)


def _check(source: Path, backup: sqlite3.Connection) -> str:
    """The install id of a sound backup."""
    if backup.execute("pragma application_id").fetchone()[0] != APPLICATION_ID:
        raise JournalDamaged(f"{source} is not a backup of a project", hint="see: caxton backup --help")
    version = backup.execute("pragma user_version").fetchone()[0]
    if version > len(schema.MIGRATIONS):
        raise JournalDamaged(f"{source} was made by a newer Caxton", hint="run that one")
    found = backup.execute("pragma quick_check(1)").fetchone()[0]
    if found != "ok":
        raise JournalDamaged(
            f"{source} is damaged: {' '.join(str(found).split())}", hint="take another backup"
        )
    return str(backup.execute("select value from meta where key = 'install_id'").fetchone()[0])


def _files(source: Path, backup: sqlite3.Connection) -> Iterator[tuple[str, bytes]]:
    for name, digest, content in backup.execute("select name, sha256, content from backup_file"):
        if sha256(content).hexdigest() != digest:
            raise JournalDamaged(
                f"{source} is damaged: {name} in it is not as it was", hint="take another backup"
            )
        if name != SETTINGS and Path(name).parent != Path(_MODULES):
            raise JournalDamaged(
                f"{source} has a file in it that no backup has: {name}", hint="do not use it"
            )
        yield str(name), bytes(content)


def _make_journal(db: sqlite3.Connection) -> int:
    db.execute("drop table backup_file")
    db.execute(f"pragma application_id = {schema.APPLICATION_ID}")
    db.executescript("pragma incremental_vacuum")
    return last_seq(db)


def _place(path: Path, content: bytes) -> None:
    """Write a file that is not there yet, and make sure of it."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, exist_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def _told(progress: Progress) -> Callable[[int, int, int], None]:
    return lambda status, left, total: progress(total - left, total)


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
