"""A JSON value as lines that can be folded, each with the path to what stands in it. No Textual in here.

In: a value, and the paths that are folded. Out: one line a member, its parts with what they are, for colours. Paths
are written as jq reads them: `.items[0].price`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from caxton import exact_numbers
from caxton.presentation.text import plural, safe

INDENT: Final = 2
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class JsonLine:
    """One line."""

    path: str
    """To what begins, stands or ends here; `.` is the whole."""
    value: Any
    parts: tuple[tuple[str, str], ...]
    """Texts, each with what it is: name, text, number, word, or nothing for signs."""
    folds: bool = False
    """Whether something begins here that can be folded, or is."""

    @property
    def text(self) -> str:
        """The whole line."""
        return "".join(text for text, _ in self.parts)


def json_lines(value: Any, folded: Collection[str] = ()) -> Iterator[JsonLine]:
    """The lines of a value; what stands under a folded path is left out, and counted."""
    return _lines(value, ".", (), "", folded)


def _lines(
    value: Any, path: str, head: tuple[tuple[str, str], ...], end: str, folded: Collection[str]
) -> Iterator[JsonLine]:
    """`head`: indent and name; `end`: a comma, or nothing."""
    if not isinstance(value, dict | list) or not value:
        yield JsonLine(path, value, (*head, (_scalar(value), _kind(value)), (end, "")))
        return
    named = isinstance(value, dict)
    first, last = "{}" if named else "[]"
    members: Iterable[tuple[str | int, Any]] = (
        cast("dict[str | int, Any]", value).items() if named else enumerate(cast("Sequence[Any]", value))
    )
    items = list(members)
    if path in folded:
        inside = plural(len(items), "member" if named else "item")
        yield JsonLine(path, value, (*head, (f"{first}…{last}{end}", ""), (f"  {inside}", "")), folds=True)
        return
    yield JsonLine(path, value, (*head, (first, "")), folds=True)
    indent = head[0][0] if head else ""
    inner = indent + " " * INDENT
    for place, (name, one) in enumerate(items):
        comma = "," if place < len(items) - 1 else ""
        label = ((inner, ""), (_scalar(name), "name"), (": ", "")) if named else ((inner, ""),)
        yield from _lines(one, _under(path, name), label, comma, folded)
    yield JsonLine(path, value, ((indent, ""), (last + end, "")))


def containers(value: Any) -> set[str]:
    """The paths of all that can be folded, but for the whole."""
    return {line.path for line in json_lines(value) if line.folds} - {"."}


def _under(path: str, name: str | int) -> str:
    before = path.rstrip(".")
    if isinstance(name, int):
        return f"{before or '.'}[{name}]"
    return f"{before}.{name}" if _PLAIN.fullmatch(name) else f"{before or '.'}[{exact_numbers.text(name)}]"


def _scalar(value: Any) -> str:
    return safe(exact_numbers.text(value))


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return "text"
    if value is None or isinstance(value, bool):
        return "word"
    return "number" if isinstance(value, int | float) else ""
