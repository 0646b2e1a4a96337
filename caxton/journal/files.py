"""The files of a journal.

In: the folder `.caxton/`. Out: their paths, which follow the folder where somebody moves the project meanwhile.
"""

from __future__ import annotations

from pathlib import Path

from caxton.disk import MovableFolder


class Files:
    """Where one journal's files are, also after its folder was moved."""

    __slots__ = ("_place",)

    def __init__(self, folder: Path) -> None:
        self._place = MovableFolder(folder)

    @property
    def folder(self) -> Path:
        """The folder `.caxton/`."""
        return self._place.path

    @property
    def db(self) -> Path:
        """The database; SQLite keeps `-wal` and `-shm` beside it."""
        return self.folder / "journal.db"

    @property
    def fresh(self) -> Path:
        """A database that is being made and has not got its name yet."""
        return self.folder / "journal.db.new"

    @property
    def install(self) -> Path:
        """The install id, one line."""
        return self.folder / "journal.id"

    @property
    def head(self) -> Path:
        """The number of the last commit, 20 digits."""
        return self.folder / "journal.head"

    @property
    def log(self) -> Path:
        """SQLite's write-ahead log."""
        return self.folder / "journal.db-wal"

    @property
    def sums(self) -> Path:
        """A checksum of every page."""
        return self.folder / "journal.sums"

    @property
    def repairing(self) -> Path:
        """There while a repaired journal takes the place of the damaged one; the last number of the repaired."""
        return self.folder / "journal.repairing"

    @property
    def lock(self) -> Path:
        """Held by the daemon that has the journal open."""
        return self.folder / "journal.lock"
