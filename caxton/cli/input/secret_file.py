"""A secret in a file that only its owner may read.

In: a path and a secret. Out: the file, mode 0600 from its first instant; one that is there is replaced as a whole.
"""

from __future__ import annotations

import os
from pathlib import Path

from caxton.disk import translated


def write(path: Path, secret: str) -> None:
    """Write the secret with a line's end; raises DiskTrouble."""
    fresh = path.with_name(f"{path.name}.new")
    with translated(path):
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(descriptor, 0o600)
            file.write(f"{secret}\n")
        os.replace(fresh, path)
