"""The lines that a turn wrote: which are messages, which are for the host, and how many there are.

The daemon and the cell use the same rule: a line whose object has the key `caxton` first, written plainly,
is for the host; blank lines count for nothing; `\\r\\n` ends a line as well as `\\n`, and the last end may
be missing.
"""

from __future__ import annotations

from collections.abc import Iterator

_BLANK = b" \t\r"


def is_control(line: bytes) -> bool:
    """Whether the line is for the host (a log record), not a message."""
    if line.startswith(b'{"caxton"'):
        return True
    head = line.lstrip(_BLANK)
    if not head.startswith(b"{"):
        return False
    head = head[1:].lstrip(_BLANK)
    return head.startswith(b'"caxton"') and head[8:].lstrip(_BLANK).startswith(b":")


def split(output: bytes) -> Iterator[bytes]:
    """The lines that are not blank, without their ends."""
    for line in output.split(b"\n"):
        stripped = line.strip(_BLANK)
        if stripped:
            yield stripped


def count(output: bytes, longest: int) -> int:
    """The number of message lines, or -1 where one line is longer than `longest` bytes."""
    messages = 0
    for line in split(output):
        if len(line) > longest:
            return -1
        if not is_control(line):
            messages += 1
    return messages
