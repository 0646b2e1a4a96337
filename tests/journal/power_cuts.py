"""What a disk may hold after the power went, as ALICE makes it up (Pillai et al., OSDI 2014).

In: a trace by strace of a process that writes a journal. Out: for a moment of it, a state of its files: all that was
synced by then, and of the rest any writes, in part or not at all.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

TRACER = [
    "strace",
    "-f",
    "-y",
    "-xx",
    "-s",
    "10000000",
    "--seccomp-bpf",
    "-e",
    "trace=pwrite64,write,ftruncate,fdatasync,fsync,rename,unlink",
    "-o",
]
SECTOR = 512
_CALL = re.compile(r"^(\d+)\s+(<\.\.\. )?(\w+)(.*)$")
_FILE = re.compile(r"\((\d+)<([^>]*)>(?:, \"([^\"]*)\", \d+)?(?:, (\d+))?[) ]")
_NAMES = re.compile(r'"([^"]*)"')
_OUT = 1


class Step(NamedTuple):
    """Something that was done to a file; `at` is where, the new length, or -1 for its end."""

    call: str
    file: str
    at: int = 0
    data: bytes = b""
    other: str = ""


def steps(trace: Path, state: Path) -> Iterator[Step]:
    """What was done to the files of that folder, in order, and `said`: what the process wrote to its stdout. A sync
    stands where it ended, all else where it began."""
    begun: dict[str, str] = {}
    for line in trace.read_text("ascii").splitlines():
        match = _CALL.match(line)
        if match is None:
            continue
        thread, resumed, call, rest = match.groups()
        if resumed:
            rest = begun.pop(thread, "")
            if call in ("fdatasync", "fsync") and line.endswith("= 0"):
                yield from _step(call, rest, state)
        elif "<unfinished ...>" in rest and call in ("fdatasync", "fsync"):
            begun[thread] = rest
        elif not line.rstrip().endswith("(No such file or directory)"):
            yield from _step(call, rest, state)


def _step(call: str, rest: str, state: Path) -> Iterator[Step]:
    if call in ("rename", "unlink"):
        names = [Path(_text(name).decode()) for name in _NAMES.findall(rest)]
        if all(name.parent == state for name in names):
            yield Step(call, names[0].name, other=names[-1].name)
        return
    match = _FILE.match(rest)
    if match is None:
        return
    fd, path, data, at = match.groups()
    if call == "write" and int(fd) == _OUT:
        yield Step("said", "", data=_text(data))
    file = Path(_text(path).decode())
    if file.parent == state:
        yield Step(call, file.name, -1 if at is None else int(at), _text(data or ""))


def _text(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", "")) if "\\x" in escaped else escaped.encode()


def after_a_cut(of: list[Step], pick: random.Random) -> dict[str, bytes]:
    """What the files may hold once the power is back. Names are as they were: SQLite syncs the folder."""
    files: dict[str, bytearray] = {}
    unsynced: dict[str, list[Step]] = {}
    for step in of:
        match step.call:
            case "fdatasync" | "fsync":
                for one in unsynced.pop(step.file, []):
                    _apply(files, one)
            case "rename" if step.file in files or step.file in unsynced:
                files[step.other] = files.pop(step.file, bytearray())
                unsynced[step.other] = [one._replace(file=step.other) for one in unsynced.pop(step.file, [])]
            case "unlink":
                files.pop(step.file, None)
                unsynced.pop(step.file, None)
            case "pwrite64" | "write" | "ftruncate":
                unsynced.setdefault(step.file, []).append(step)
            case _:
                pass
    for left in unsynced.values():
        # a disk that had time for nearly all, for nearly nothing, or for half
        share = pick.choice([0.05, 0.5, 0.95])
        for one in left:
            if pick.random() < share:
                _apply(files, one, pick)
    return {name: bytes(content) for name, content in files.items()}


def _apply(files: dict[str, bytearray], step: Step, pick: random.Random | None = None) -> None:
    content = files.setdefault(step.file, bytearray())
    if step.call == "ftruncate":
        del content[step.at :]
        content.extend(bytes(step.at - len(content)))
        return
    first = len(content) if step.at < 0 else step.at
    end = first + len(step.data)
    content.extend(bytes(max(0, end - len(content))))
    torn = pick is not None and pick.random() < 0.3
    begin = first
    while first < end:
        # sectors are written whole
        upto = min(end, (first // SECTOR + 1) * SECTOR) if torn else end
        if pick is None or not torn or pick.random() < 0.5:
            content[first:upto] = step.data[first - begin : upto - begin]
        first = upto
