"""What the operating system says of a disk, as one error with a remedy.

In: OSError from whatever writes below `.caxton/`. Out: DiskTrouble, which names the file, what is wrong and what to do.
"""

from __future__ import annotations

import errno
import os
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
