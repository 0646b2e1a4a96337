"""Rotation of the daemon's log: what is too large becomes `daemon.log.1`, older ones move on, the oldest goes.

In: the stream that is written to, where that is the project's log file. Out: smaller files. The file is copied and
emptied, not renamed: the daemon's children write to the same open file, which has to go on.
"""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path
from typing import Final, TextIO

LOOK_EVERY: Final = 100
"""Records between two looks at the file's size."""


class RotatingHandler(logging.StreamHandler[TextIO]):
    """Writes records to a stream, and keeps the file behind it below `most_bytes`."""

    def __init__(self, stream: TextIO, path: Path, most_bytes: int, kept: int) -> None:
        super().__init__(stream)
        self._path = path
        self._most_bytes = most_bytes
        self._kept = kept
        self._records = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write it; logging holds this handler's lock, so no record of the daemon falls between copy and emptying."""
        super().emit(record)
        self._records += 1
        if self._records % LOOK_EVERY == 0:
            try:
                self._rotate()
            except OSError:
                # the log goes on in the large file
                self.handleError(record)

    def _rotate(self) -> None:
        descriptor = self.stream.fileno()
        if os.fstat(descriptor).st_size < self._most_bytes or not self._is_ours(descriptor):
            return
        for number in range(self._kept - 1, 0, -1):
            if self._older(number).exists():
                os.replace(self._older(number), self._older(number + 1))
        if self._kept:
            shutil.copyfile(self._path, self._older(1))
            os.chmod(self._older(1), 0o600)
        os.ftruncate(descriptor, 0)

    def _is_ours(self, descriptor: int) -> bool:
        """Whether the stream is that file: in a terminal, under systemd and in a container it is not."""
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(descriptor))
        except OSError:
            return False

    def _older(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")
