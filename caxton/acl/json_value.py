"""JSON as Caxton takes it: one value, no doubled keys, no deep nesting, nothing that only some readers understand.

In: bytes that somebody wrote. Out: the value, or its compact text with every number as it was spelled; else
`InvalidMessage` with the rule and the remedy. Time is linear in the length.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final, NoReturn, TypeGuard

import msgspec

from caxton.errors import InvalidMessage

DEPTH: Final = 64
"""The most brackets that may be open at once, in a message and in everything inside it."""

_STRUCTURE = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)
_encode = msgspec.json.Encoder().encode


def read_value(line: bytes, what: str = "the message", depth: int = DEPTH) -> Any:
    """The value of a JSON text; `what` names it where it is refused.

    Raises InvalidMessage.
    """
    text = _checked_text(line, what, depth)
    value = _loads(text, what, parse_float=_finite)
    _no_surrogates(text, value, what)
    return value


def compact(line: bytes, what: str = "the message", depth: int = DEPTH) -> str:
    """The same value as JSON text without spaces and needless escapes, its numbers as they were spelled.

    Raises InvalidMessage.
    """
    read_value(line, what, depth)
    return as_text(with_spelled_numbers(line))


def with_spelled_numbers(line: bytes | str) -> Any:
    """The value of a text that `read_value` accepts, each number as `msgspec.Raw`, so that no digit is lost."""
    return json.loads(line, parse_int=_spelled, parse_float=_spelled)


def as_text(value: Any) -> str:
    """A value, numbers spelled or not, as compact JSON text."""
    return _encode(value).decode()


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Whether a JSON value is a list."""
    return isinstance(value, list)


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def check_depth(line: bytes, what: str = "the message", depth: int = DEPTH) -> None:
    """Whether no more than `depth` brackets are open at once; InvalidMessage where they are."""
    opened = 0
    for found in _STRUCTURE.finditer(line):
        first = line[found.start()]
        if first in b"[{":
            opened += 1
            if opened > depth:
                refuse(f"{what} is nested deeper than {depth}", "flatten the content", at=found.start())
        elif first in b"]}":
            opened -= 1


def kind(value: Any) -> str:
    """What a JSON value is, in words."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float() | msgspec.Raw():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "an object"


def refuse(message: str, hint: str | None, **details: Any) -> NoReturn:
    """Raise InvalidMessage."""
    raise InvalidMessage(message, hint=hint, **details)


def _checked_text(line: bytes, what: str, depth: int) -> str:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        before = line[: error.start].decode()
        refuse(
            f"{what} is not valid UTF-8: byte {error.start} is {line[error.start]:#04x}",
            "send UTF-8",
            line=before.count("\n") + 1,
            column=len(before) - before.rfind("\n"),
            expected="UTF-8",
        )
    check_depth(line, what, depth)
    return text


def _loads(text: str, what: str, **hooks: Any) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_no_doubles, parse_constant=_no_constant, **hooks)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        hint = "a message is one JSON object" if what == "the message" else None
        refuse(
            f"{what} is not JSON: {error.msg} at {where}",
            hint,
            at=error.pos,
            line=error.lineno,
            column=error.colno,
            expected=error.msg.removeprefix("Expecting ") if error.msg.startswith("Expecting ") else "JSON",
        )
    except ValueError as error:
        if isinstance(error, InvalidMessage):
            raise
        refuse(f"a number in {what} has too many digits", "use fewer than 4,300 digits, or a string")


def _spelled(digits: str) -> msgspec.Raw:
    return msgspec.Raw(digits.encode())


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                refuse(f"the key {key[:80]!r} stands twice in one object", "keep one of them", field=key[:80])
            seen.add(key)
    return found


def _no_constant(name: str) -> NoReturn:
    refuse(f"{name} is not JSON", "use null or a string")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        refuse(f"the number {digits[:40]} is too large", "use a string")
    return number


def _no_surrogates(text: str, value: Any, what: str) -> None:
    if "\\u" not in text and "\\U" not in text:
        return
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        refuse(f"{what} has half of a surrogate pair (\\ud800 to \\udfff alone)", "send whole characters")
