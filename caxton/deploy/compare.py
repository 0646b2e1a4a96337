"""What one turn says and what another says to the same message, compared by structure.

In: two outputs as guests wrote them. Out: the places where they differ, as sentences; none where they say the same.
Order of keys, blanks and what the host sets (id, time, trace) mean nothing; the order of messages does.
"""

from __future__ import annotations

from typing import Any, Final, cast

import msgspec

from caxton.bus.spoken import TurnRefused, parse_output

MASKED: Final = frozenset({"id", "timestamp", "trace_id", "span_id", "sender"})
"""What the host sets, whatever the guest wrote."""
MOST: Final = 5
"""Differences that are named for one turn."""
SHOWN: Final = 60


def differences(old: bytes, new: bytes) -> list[str]:
    """Where they differ, at most `MOST` places."""
    before, after = _messages(old), _messages(new)
    found: list[str] = []
    if len(before) != len(after):
        found.append(f"{len(before)} messages before, {len(after)} after")
    for number, (one, other) in enumerate(zip(before, after, strict=False), 1):
        _compare(f"message {number}", one, other, found)
    return found[:MOST]


def _messages(output: bytes) -> list[Any]:
    lines = [line for line in output.split(b"\n") if line.strip() and not _is_log(line)]
    return [_masked(line) for line in lines]


def _is_log(line: bytes) -> bool:
    try:
        return not parse_output(line, 0).messages
    except TurnRefused:
        return False


def _masked(line: bytes) -> Any:
    try:
        value = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return line.decode("utf-8", "replace")
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {key: one for key, one in fields.items() if key not in MASKED}
    return value


def _compare(place: str, old: Any, new: Any, found: list[str]) -> None:
    if isinstance(old, dict) and isinstance(new, dict):
        before, after = cast("dict[str, Any]", old), cast("dict[str, Any]", new)
        for key in dict.fromkeys((*before, *after)):
            if key not in after:
                found.append(f"{place}.{key}: {_shown(before[key])} before, nothing after")
            elif key not in before:
                found.append(f"{place}.{key}: nothing before, {_shown(after[key])} after")
            else:
                _compare(f"{place}.{key}", before[key], after[key], found)
        return
    if isinstance(old, list) and isinstance(new, list):
        _compare_items(place, old, new, found)  # pyright: ignore[reportUnknownArgumentType]
        return
    if type(cast("object", old)) is not type(cast("object", new)) or old != new:
        found.append(f"{place}: {_shown(old)} before, {_shown(new)} after")


def _compare_items(place: str, old: list[Any], new: list[Any], found: list[str]) -> None:
    if len(old) != len(new):
        found.append(f"{place}: {len(old)} items before, {len(new)} after")
    for number, (one, other) in enumerate(zip(old, new, strict=False)):
        _compare(f"{place}[{number}]", one, other, found)


def _shown(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
