"""Labels: small files that stand where a compiled module would, and say what an instance is made of instead.

In: a path that the compiler gave out. Out: the label in that file, or None where the file is a compiled core module.
The daemon writes and seals labels as it does compiled modules, so a cell may believe them. Nothing here imports
wasmtime.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

MAGIC: Final = b"CXL1\n"


class CacheLabel(msgspec.Struct, frozen=True, kw_only=True):
    """A component, and the source that it gets where it is a language's runtime."""

    component: str
    """Path of the compiled component, made and checked by our own compile child."""
    file: str = ""
    """What the source is called in tracebacks."""
    source: str | None = None


# before there are threads: two that learn a type at once end the process
_decode = msgspec.json.Decoder(CacheLabel).decode


def written(label: CacheLabel) -> bytes:
    """The label as the content of a file."""
    return MAGIC + msgspec.json.encode(label)


def read(path: Path) -> CacheLabel | None:
    """The label in that file; None where it is no label. Raises OSError, and MsgspecError for a damaged one."""
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            return None
        return _decode(file.read())
