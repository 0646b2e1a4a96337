"""What one turn said: lines of NDJSON, taken apart.

In: the output of a guest as it wrote it. Out: message lines and log records, or `TurnRefused`.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

LEVELS = frozenset({"debug", "info", "warning", "error"})
TEXT_MAX = 4096


class TurnRefused(Exception):
    """Raised when a turn said something that it may not say; nothing of it is sent."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Lines(NamedTuple):
    """The two kinds of lines that a turn writes."""

    messages: list[bytes]
    logs: list[tuple[str, str]]
    """Level and text, in order."""


def parse_output(payload: bytes, count: int) -> Lines:
    """Split a turn's output; `count` is how many messages the guest says it sends."""
    messages: list[bytes] = []
    logs: list[tuple[str, str]] = []
    for line in payload.split(b"\n"):
        text = line.strip()
        if not text:
            continue
        if text.startswith(b"{") and text[1:].lstrip().startswith(b'"caxton"'):
            logs.append(_control(text))
        else:
            messages.append(text)
    if len(messages) != count:
        raise TurnRefused("count", f"the turn says it sends {count} messages and wrote {len(messages)}")
    return Lines(messages, logs)


def _control(line: bytes) -> tuple[str, str]:
    try:
        record = msgspec.json.decode(line)
    except msgspec.DecodeError as error:
        raise TurnRefused("control_line", f"a control line is not JSON: {error}") from None
    if record.get("caxton") != "log":
        return "warning", f"unknown control line {str(record.get('caxton'))[:80]!r} was skipped"
    level = record.get("level", "info")
    text = record.get("message", record.get("msg", ""))
    if not isinstance(text, str):
        text = msgspec.json.encode(text).decode()
    return (level if level in LEVELS else "info"), text[:TEXT_MAX]
