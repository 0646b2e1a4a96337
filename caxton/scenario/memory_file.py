"""What agents remembered at the beginning of a recording, as a file beside the scenario.

    {"format":1,"platform":"local","at":"2026-11-30T20:00:00.000000Z"}
    ["agent",17,"seller-ann@local"]
    ["snapshot",17,120,…]
    ["message",121,…,{"performative":"cfp",…}]

In: a moment of a journal. Out: lines of JSON that a person can read before they leave, and the same moment again for a
run. A state that is not text stands in base64.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from caxton import exact_numbers
from caxton.errors import ConfigurationError, JournalError
from caxton.journal.memory import MemoryDisk
from caxton.journal.moment import fill
from caxton.journal.records.query import Row
from caxton.schemas.shape import iso, micros
from caxton.simulation.agents import Agent
from caxton.simulation.past import settle

FORMAT: Final = 1
_TABLES: Final = ("snapshot", "message", "turn", "put_back", "turn_place")
_BLOBS: Final = {"snapshot": 5, "message": 6}
"""The column of each table that is bytes."""


def write_memory(
    disk: MemoryDisk, platform: str, at_us: int, content: Callable[[Any], Any], other: Callable[[Any], Any]
) -> str:
    """The lines; `content` and, elsewhere, `other` leave out what must not leave."""
    rows = disk.rows()
    lines: list[Any] = [{"format": FORMAT, "platform": platform, "at": iso(at_us)}]
    lines += [["seeds", value] for key, value in rows["meta"] if key == "seeds"]
    lines += [["agent", row[0], row[1]] for row in rows["agent"] if row[2] != "platform"]
    for table in _TABLES:
        for row in rows[table]:
            values = list(row)
            if table in _BLOBS:
                values[_BLOBS[table]] = _written(table, values[_BLOBS[table]], content, other)
            lines.append([table, *values])
    return "".join(exact_numbers.encode(line).decode() + "\n" for line in lines)


def _written(table: str, data: bytes, content: Callable[[Any], Any], other: Callable[[Any], Any]) -> Any:
    if table == "snapshot":
        try:
            return data.decode()
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(data).decode()}
    message: dict[str, Any] = exact_numbers.decode(data)
    return {key: content(value) if key == "content" else other(value) for key, value in message.items()}


def read_memory(path: Path) -> tuple[MemoryDisk, int]:
    """The moment, and its time in microseconds since 1970; ConfigurationError for what is no such file. Whoever gets
    the disk closes it."""
    rows: dict[str, list[Row]] = {table: [] for table in ("meta", "agent", *_TABLES)}
    number = 1
    try:
        lines: list[Any] = [exact_numbers.decode(line) for line in path.read_bytes().splitlines()]
        at_us = micros(datetime.fromisoformat(lines[0]["at"]))
        if lines[0]["format"] != FORMAT:
            raise ConfigurationError(
                f"{path} has format {lines[0]['format']}, this Caxton reads {FORMAT}",
                hint="use a newer Caxton",
            )
        for table, *values in lines[1:]:
            number += 1
            if table == "seeds":
                rows["meta"].append(("seeds", *values))
            elif table == "agent":
                no, name = values
                rows["agent"].append((no, name, "removed", None, "{}", at_us, at_us))
            else:
                rows[table].append(tuple(_read(table, values)))
        last = max([row[0] for row in rows["message"]], default=0)
        rows["meta"] += [("low_water", last), ("judged_upto", last)]
        return _filled(rows), at_us
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror}", hint="record it again"
        ) from error
    except (msgspec.MsgspecError, JournalError, ValueError, KeyError, TypeError, IndexError) as error:
        raise ConfigurationError(
            f"{path}:{number} is not what caxton record writes: {error}", hint="record it again"
        ) from error


def _filled(rows: Mapping[str, list[Row]]) -> MemoryDisk:
    disk = MemoryDisk()
    try:
        fill(disk, rows)
    except BaseException:
        disk.close()
        raise
    return disk


def _read(table: str, values: list[Any]) -> list[Any]:
    if table in _BLOBS:
        blob = values[_BLOBS[table]]
        if table == "message":
            data = exact_numbers.encode(blob)
        elif isinstance(blob, str):
            data = blob.encode()
        else:
            data = base64.b64decode(blob["base64"], validate=True)
        values[_BLOBS[table]] = data
    return values


def begin_with(path: Path, agents: Mapping[str, Agent], platform: str) -> tuple[MemoryDisk, int]:
    """A disk on which these agents have that past, on the builds that they are to run with, and when it begins."""
    disk, at_us = read_memory(path)
    try:
        settle(disk, agents, platform, at_us)
    except BaseException:
        disk.close()
        raise
    return disk, at_us
