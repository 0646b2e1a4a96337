"""Whether a content says what is expected of it: exactly, at paths, by patterns, approximately.

In: JSON values. Out: the first place where one is not as expected, with both sides in words; None where all is. A path
is the one that tasks choose by: `price`, `offer.price`, `offers.0.price`; `*` is every member.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeGuard, cast

from caxton import exact_numbers
from caxton.finding.regular_expression import RegularExpression
from caxton.presentation.json_line import compact

ROOM = 200
"""Characters of a value that a difference shows."""


ANY: Final = {"any": True}
NULL: Final = {"null": True}
"""How a file writes whatever is there, and null."""


class Unlike(NamedTuple):
    """Where a content is not as expected, and both sides in words."""

    where: str
    expected: str
    got: str


def exactly(expected: Any, content: Any) -> Unlike | None:
    """Whether both are the same JSON; 1 and 1.0 are."""
    for place, one, other in _parted("", expected, content):
        if one == other == ANY:
            continue
        return Unlike(place, _shown(one), _shown(other))
    return None


def like(expected: Any, content: Any) -> Unlike | None:
    """The same, but that `{ any = true }` is whatever is there."""
    for place, one, other in _parted("", expected, content):
        if one != ANY or other is _NOTHING:
            return Unlike(place, _shown(one), _shown(other))
    return None


def with_nulls(value: Any) -> Any:
    """A value as a file has it: TOML has no null, so `{ null = true }` stands for it."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return None if members == NULL else {name: with_nulls(one) for name, one in members.items()}
    return [with_nulls(one) for one in value] if is_list(value) else value


def at_path(path: str, expected: Any, content: Any) -> Unlike | None:
    """Whether what stands at a path is as expected, each where the path means several."""
    found = found_at(path, content)
    if not found:
        return Unlike(path, _wanted(expected), "nothing is there")
    for value in found:
        if not _fits(expected, value):
            return Unlike(path, _wanted(expected), _shown(value))
    return None


def found_at(path: str, content: Any) -> list[Any]:
    """What stands at a path; several where it means several."""
    return list(_at(content, path.removeprefix("$").lstrip(".").split(".")))


def by_pattern(pattern: str, content: Any) -> Unlike | None:
    """Whether a regular expression occurs in the content's text: a string as it is, all else as JSON."""
    if RegularExpression(pattern).occurs_in(_text(content)):
        return None
    return Unlike("", f"~{pattern}", _shown(content))


def check_expected(expected: Any) -> None:
    """ValueError where a table that means a comparison says something that none means."""
    match expected:
        case {"pattern": pattern, **rest}:
            if rest or not isinstance(pattern, str):
                raise ValueError('a pattern stands alone: { pattern = "^re" }')
            RegularExpression(pattern)
        case {"approx": figure, **rest}:
            if set(rest) != {"by"} or not (_is_number(figure) and _is_number(rest["by"])):
                raise ValueError("approximately is two numbers: { approx = 9.99, by = 0.01 }")
        case {"equals": _, **rest} if rest:
            raise ValueError("equals stands alone: { equals = … }")
        case _:
            pass


def _fits(expected: Any, value: Any) -> bool:
    match expected:
        case {"pattern": pattern}:
            return RegularExpression(pattern).occurs_in(_text(value))
        case {"approx": figure, "by": by}:
            return _is_number(value) and abs(value - figure) <= by
        case {"equals": exact}:
            return exactly(exact, value) is None
        case _:
            return exactly(expected, value) is None


def _wanted(expected: Any) -> str:
    match expected:
        case {"pattern": pattern}:
            return f"~{pattern}"
        case {"approx": figure, "by": by}:
            return f"{figure} ± {by}"
        case {"equals": exact}:
            return _shown(exact)
        case _:
            return _shown(expected)


_NOTHING: Any = object()
"""Stands for what is not there."""


def _parted(place: str, one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    """The places where two values part; one that is any value is such a place."""
    if one == ANY:
        yield place, one, other
    elif isinstance(one, Mapping) and isinstance(other, Mapping):
        ours, theirs = cast("Mapping[str, Any]", one), cast("Mapping[str, Any]", other)
        for key in [*ours, *(key for key in theirs if key not in ours)]:
            yield from _parted(_joined(place, key), ours.get(key, _NOTHING), theirs.get(key, _NOTHING))
    elif is_list(one) and is_list(other) and len(one) == len(other):
        for number, both in enumerate(zip(one, other, strict=True)):
            yield from _parted(_joined(place, str(number)), *both)
    elif isinstance(one, bool) is not isinstance(other, bool) or one != other:
        yield place, one, other


def _joined(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


def _at(value: Any, parts: list[str]) -> Iterator[Any]:
    if not parts or parts == [""]:
        yield value
        return
    part, rest = parts[0], parts[1:]
    if isinstance(value, Mapping):
        members = cast("Mapping[str, Any]", value)
        if part == "*":
            for one in members.values():
                yield from _at(one, rest)
        elif part in members:
            yield from _at(members[part], rest)
    elif is_list(value):
        if part == "*":
            for one in value:
                yield from _at(one, rest)
        elif part.isascii() and part.isdigit() and int(part) < len(value):
            yield from _at(value[int(part)], rest)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Whether it is a JSON array."""
    return isinstance(value, list)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else exact_numbers.text(value, -1)


def _shown(value: Any) -> str:
    return "nothing" if value is _NOTHING else compact(value, ROOM)
