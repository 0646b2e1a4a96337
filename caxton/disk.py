"""What the operating system says of a disk, as one error with a remedy.

In: OSError from whatever writes below `.caxton/`. Out: DiskTrouble, which names the file, what is wrong and what to do.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sys
import weakref
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from caxton.errors import DiskTrouble

# macOS has no fdatasync
_sync = getattr(os, "fdatasync", os.fsync)

_REMEDIES = {
    errno.ENOSPC: "Free space on that disk, then start again; nothing that was acknowledged is lost.",
    errno.EDQUOT: "Free some of your quota on that disk, then start again.",
    errno.EROFS: "The file system is read-only: mount it for writing, or move the project.",
    errno.EACCES: "The project's folder must be yours.",
    errno.EPERM: "The project's folder must be yours.",
    errno.EIO: "The disk fails: look at the system's log (dmesg), and copy the folder to another disk.",
}


@contextmanager
def translated(path: Path) -> Generator[None]:
    """An OSError inside becomes DiskTrouble; `path` is named where the error names no file."""
    try:
        yield
    except OSError as error:
        named = error.filename if isinstance(error.filename, str) else str(path)
        raise DiskTrouble(
            f"{named} cannot be used: {error.strerror or error}",
            hint=_REMEDIES.get(error.errno or 0, "Look at that file and at its disk."),
            path=named,
        ) from error


class MovableFolder:
    """A folder by its descriptor: where it is now, if somebody has renamed or moved it since it was first looked at."""

    __slots__ = ("__weakref__", "_fd", "_path")

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = -1

    @property
    def path(self) -> Path:
        """Where it is; where nobody can tell, where it was."""
        if self._fd < 0:
            try:
                self._fd = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            except OSError:
                return self._path
            weakref.finalize(self, os.close, self._fd)
            self._path = self._path.absolute()
        if self._path.is_dir() and os.path.samestat(self._path.stat(), os.fstat(self._fd)):
            return self._path
        try:
            if sys.platform == "darwin":
                now = fcntl.fcntl(self._fd, fcntl.F_GETPATH, bytes(1024)).rstrip(b"\0")
            else:
                now = os.readlink(f"/proc/self/fd/{self._fd}".encode())
        except OSError:
            return self._path
        found = Path(os.fsdecode(now))
        if found.is_dir():
            self._path = found
        return self._path


def sync_folder(folder: Path) -> None:
    """Make names that were given or taken in a folder outlast a power cut."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def synced(fd: int) -> None:
    """Return when the file's bytes are on the disk."""
    _sync(fd)
