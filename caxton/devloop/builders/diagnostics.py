"""The one line that matters in what a compiler says.

In: everything that a builder printed. Out: the first error with file, line and column, as clang, zig, gcc, go, rustc,
tsc, asc and our own WAT translation write them; the best line there is for anything else.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from caxton.devloop.events import Diagnostic

_PLACE: Final = r"(?P<file>(?:[A-Za-z]:)?[^\s:][^:\n]*):(?P<line>\d+)(?::(?P<column>\d+))?:"
_CLANG: Final = re.compile(rf"^{_PLACE} (?:fatal )?error: (?P<message>.+)$", re.MULTILINE)
_RUST: Final = re.compile(
    r"^error(?:\[\w+\])?: (?P<message>.+)\n(?:.*\n)??\s*--> (?P<file>[^\n:]+):(?P<line>\d+):(?P<column>\d+)",
    re.MULTILINE,
)
_TSC: Final = re.compile(
    r"^(?P<file>[^\s(][^(\n]*)\((?P<line>\d+),(?P<column>\d+)\): error (?P<message>.+)$", re.MULTILINE
)
_ASC: Final = re.compile(
    r"^ERROR (?:[A-Z]+\d+: )?(?P<message>.+)\n(?:.*\n)*?.*└─ in (?P<file>[^\n(]+)\((?P<line>\d+),(?P<column>\d+)\)",
    re.MULTILINE,
)
_GO: Final = re.compile(rf"^{_PLACE} (?!warning:|note:)(?P<message>.+)$", re.MULTILINE)
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def first_error(output: str, folder: Path, shown_from: Path) -> Diagnostic:
    """The first error in a builder's output; paths in it are relative to `folder`, in the answer to `shown_from`."""
    text = _COLOUR.sub("", output)
    found = [match for shape in (_CLANG, _RUST, _TSC, _ASC) if (match := shape.search(text))]
    place = min(found, key=lambda match: match.start()) if found else _GO.search(text)
    if place is not None:
        column = place["column"]
        return Diagnostic(
            message=place["message"].strip(),
            file=_relative(place["file"].strip(), folder, shown_from),
            line=int(place["line"]),
            column=int(column) if column else None,
        )
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return Diagnostic("the builder failed without any output")
    return Diagnostic(
        next((line for line in lines if re.search(r"\berror\b", line, re.IGNORECASE)), lines[-1])
    )


def _relative(file: str, folder: Path, shown_from: Path) -> str:
    path = (folder / file).resolve()
    return path.relative_to(shown_from).as_posix() if path.is_relative_to(shown_from) else file
