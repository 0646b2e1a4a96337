"""Changes one table of a TOML file and leaves every other character as it is.

In: the text of a file, where the table stands, what its keys are to say. Out: the text with that. The table may be
written within a line, under a heading of its own, or by dotted keys. Only what tomllib has read already comes here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

_SPACE: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_STRING: Final = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', re.DOTALL
)
_BARE: Final = re.compile(r"[^,\]}\n#]+")
_NAME: Final = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_KEY: Final = re.compile(rf"{_NAME}(?:[ \t]*\.[ \t]*{_NAME})*")
_HEAD: Final = re.compile(r"(\[\[?)\s*([^\]\n]+?)\s*\]\]?")


class Entry(NamedTuple):
    """One `key = value`: where it begins, and from where to where its value is."""

    key: str
    start: int
    value: int
    end: int


class _Table(NamedTuple):
    head: str
    """Such as `[step` or `[[step`: the brackets, and what is named."""
    end: int
    entries: list[Entry]


def changed(text: str, step: int, action: str, changes: Mapping[str, str | None]) -> str:
    """The text in which the action of a step, counted from 0, says this: values as TOML, None for a key that goes."""
    entries, end, within_line = _place(text, step, action)
    edits: list[tuple[int, int, str]] = []
    for entry in entries:
        if entry.key in changes:
            value = changes[entry.key]
            gone = _gone(text, entry, entries, within_line)
            edits.append(gone if value is None else (entry.value, entry.end, value))
    dotted = bool(entries) and "." in text[entries[-1].start : entries[-1].value]
    prefix = f"{action}." if dotted and not within_line else ""
    for key, value in changes.items():
        if value is not None and key not in {entry.key for entry in entries}:
            edits.append((end, end, f", {key} = {value}" if within_line else f"\n{prefix}{key} = {value}"))
    for start, stop, new in sorted(edits, key=lambda edit: edit[0], reverse=True):
        text = text[:start] + new + text[stop:]
    return text.replace("{, ", "{ ") if within_line and len(changes) >= len(entries) else text


def _place(text: str, step: int, action: str) -> tuple[list[Entry], int, bool]:
    """The entries of that table, where another one goes, and whether it is written within a line."""
    number = -1
    for table in _tables(text):
        number += table.head == "[[step"
        if number != step:
            continue
        if table.head == f"[step.{action}":
            return table.entries, table.entries[-1].end if table.entries else table.end, False
        for entry in table.entries:
            if entry.key == action and text[entry.value] == "{":
                inner = list(_entries(text, entry.value + 1, "}"))
                return inner, inner[-1].end if inner else entry.value + 1, True
        dotted = [
            entry._replace(key=entry.key.partition(".")[2].strip())
            for entry in table.entries
            if entry.key.partition(".")[0].strip() == action
        ]
        if dotted:
            return dotted, dotted[-1].end, False
    raise ValueError(f"step {step + 1} has no {action}")


def _gone(text: str, entry: Entry, entries: list[Entry], within_line: bool) -> tuple[int, int, str]:
    """What is taken out with an entry: its comma, or its line."""
    if not within_line:
        rest = text.find("\n", entry.end)
        return (text.rfind("\n", 0, entry.start) + 1, len(text) if rest < 0 else rest + 1, "")
    place = entries.index(entry)
    if place + 1 < len(entries):
        return (entry.start, entries[place + 1].start, "")
    return (entries[place - 1].end if place else entry.start, entry.end, "")


def _tables(text: str) -> Iterator[_Table]:
    place, head, end = 0, "", 0
    entries: list[Entry] = []
    while (place := _skip(text, place)) < len(text):
        heading = _HEAD.match(text, place)
        if heading is not None:
            yield _Table(head, end, entries)
            head, entries = heading[1] + re.sub(r"\s|[\"']", "", heading[2]), []
            place = end = heading.end()
        else:
            entry = _entry(text, place)
            entries.append(entry)
            place = entry.end
    yield _Table(head, end, entries)


def _entries(text: str, place: int, closing: str) -> Iterator[Entry]:
    while text[place := _skip(text, place)] != closing:
        entry = _entry(text, place)
        yield entry
        place = _skip(text, entry.end)
        if text[place] == ",":
            place += 1


def _entry(text: str, place: int) -> Entry:
    key = _KEY.match(text, place)
    assert key is not None, text[place : place + 40]
    value = _skip(text, text.index("=", key.end()) + 1)
    name = key[0].strip("\"'") if "." not in key[0] else key[0]
    return Entry(name, place, value, _end(text, value))


def _end(text: str, place: int) -> int:
    """Where the value ends that begins there."""
    if text[place] in "[{":
        closing = "]" if text[place] == "[" else "}"
        place += 1
        while text[place := _skip(text, place)] != closing:
            if text[place] == ",":
                place += 1
            elif closing == "}":
                place = _entry(text, place).end
            else:
                place = _end(text, place)
        return place + 1
    found = _STRING.match(text, place) if text[place] in "\"'" else _BARE.match(text, place)
    assert found is not None, text[place : place + 40]
    return found.start() + len(found[0].rstrip())


def _skip(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return place if found is None else found.end()
