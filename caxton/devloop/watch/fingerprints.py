"""Fingerprints of files: they decide whether something is built again.

In: files. Out: `Fingerprints`, taken before a build and compared after it and at each wake-up. So a change is found
even if it comes while a build runs or while the watcher is set up, or if the system never reported it.
"""

from __future__ import annotations

import hashlib
import stat
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FRESH_NS: Final = 100_000_000
"""A file changed this short a time ago can change once more within the same tick of the file system's clock; then its
content is compared too (git calls that racy)."""


@dataclass(frozen=True, slots=True)
class _Fingerprint:
    changed_ns: int
    size: int
    inode: int
    digest: bytes | None


class Fingerprints:
    """Those files as they were at one moment."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._at_ns = time.time_ns()
        self._seen = {file: _fingerprint(file, self._at_ns) for file in files}

    def differ(self, files: Iterable[Path]) -> bool:
        """Whether any of these files is new, gone or changed since."""
        return set(files) != self._seen.keys() or any(_changed(*one) for one in self._seen.items())

    def differing(self, files: Iterable[Path]) -> frozenset[Path]:
        """Which of these files are new, gone or changed since."""
        changed = {file for file, fingerprint in self._seen.items() if _changed(file, fingerprint)}
        return frozenset(changed | (set(files) ^ self._seen.keys()))

    def extended(self, files: Iterable[Path]) -> Fingerprints:
        """The same moment for these files. One that was not looked at then has been as it is now, unless it was changed
        since that moment: then it differs."""
        made = Fingerprints(())
        made._at_ns = self._at_ns
        for file in files:
            fingerprint = self._seen[file] if file in self._seen else _fingerprint(file, self._at_ns)
            late = (
                file not in self._seen and fingerprint is not None and fingerprint.changed_ns >= self._at_ns
            )
            made._seen[file] = None if late else fingerprint
        return made

    def renewed(self, files: Iterable[Path]) -> Fingerprints:
        """The same, but these files as they are now; those that are gone are forgotten."""
        made = Fingerprints(())
        made._at_ns, made._seen = self._at_ns, dict(self._seen)
        for file in files:
            if file.exists():
                made._seen[file] = _fingerprint(file, time.time_ns())
            else:
                made._seen.pop(file, None)
        return made


def _fingerprint(file: Path, now_ns: int) -> _Fingerprint | None:
    try:
        seen = file.stat()
    except OSError:
        return None
    # a named pipe would be read for ever
    fresh = stat.S_ISREG(seen.st_mode) and abs(now_ns - seen.st_mtime_ns) < FRESH_NS
    return _Fingerprint(seen.st_mtime_ns, seen.st_size, seen.st_ino, _digest(file) if fresh else None)


def _changed(file: Path, then: _Fingerprint | None) -> bool:
    try:
        seen = file.stat()
    except OSError:
        return then is not None
    if then is None or (seen.st_mtime_ns, seen.st_size, seen.st_ino) != (
        then.changed_ns,
        then.size,
        then.inode,
    ):
        return True
    return then.digest is not None and _digest(file) != then.digest


def _digest(file: Path) -> bytes:
    try:
        with file.open("rb") as data:
            return hashlib.file_digest(data, "blake2b").digest()
    except OSError:
        return b""
