"""The lock of a project: two loops would build into each other's files.

In: the project's state folder. Out: the lock for as long as the context lasts, or InvalidState.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from caxton.errors import InvalidState


@contextmanager
def project_lock(state: Path) -> Generator[None]:
    """Hold the project for one loop; InvalidState where another does."""
    state.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(state / "dev.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidState(
                f"another `caxton dev` is running on {state.parent}",
                hint="stop it, or use its terminal",
            ) from None
        yield
    finally:
        os.close(descriptor)
