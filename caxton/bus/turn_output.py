"""What one turn said: lines of NDJSON, taken apart.

In: the output of a guest as it wrote it. Out: message lines and log records, or `TurnRefused`.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from caxton.acl.json_value import as_text, kind, read_value
from caxton.errors import InvalidMessage

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
    put_back: bool = False
    """Whether the message in hand is put back."""


_PUT_BACK = "put-back"


class _Log(msgspec.Struct):
    """A control line as nearly all are."""

    caxton: Literal["log"]
    message: str
    level: str = "info"


_read_log = msgspec.json.Decoder(_Log).decode


def parse_output(payload: bytes, count: int) -> Lines:
    """Split a turn's output; `count` is how many messages the guest says it sends."""
    messages: list[bytes] = []
    logs: list[tuple[str, str]] = []
    put_back = False
    for line in payload.split(b"\n"):
        text = line.strip()
        if not text:
            continue
        if text.startswith(b"{") and text[1:].lstrip().startswith(b'"caxton"'):
            record = _control(text)
            if record is None:
                put_back = True
            else:
                logs.append(record)
        else:
            messages.append(text)
    if len(messages) != count:
        raise TurnRefused("count", f"the turn says it sends {count} messages and wrote {len(messages)}")
    if put_back and messages:
        raise TurnRefused(
            "put_back", "the turn puts its message back, and sends something: it may not do both"
        )
    return Lines(messages, logs, put_back)


def _control(line: bytes) -> tuple[str, str] | None:
    """Level and text of a control line, None where it puts the message back; whatever the guest wrote there is data, or
    a refusal."""
    try:
        record = _read_log(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _control_strictly(line)
    return (record.level if record.level in LEVELS else "info"), record.message[:TEXT_MAX]


def _control_strictly(line: bytes) -> tuple[str, str] | None:
    """The same for a line that is wrong or merely unusual, slowly and with words for what is wrong."""
    try:
        record = read_value(line, "a control line")
    except InvalidMessage as error:
        raise TurnRefused("control_line", error.message) from None
    if record.get("caxton") == _PUT_BACK:
        return None
    if record.get("caxton") != "log":
        return "warning", f"unknown control line {str(record.get('caxton'))[:80]!r} was skipped"
    level = record.get("level")
    if level is not None and not isinstance(level, str):
        raise TurnRefused("control_line", f"the level of a log line must be a string, this is {kind(level)}")
    text = record.get("message", record.get("msg", ""))
    if not isinstance(text, str):
        text = as_text(text)
    return (level if level in LEVELS else "info"), text[:TEXT_MAX]
