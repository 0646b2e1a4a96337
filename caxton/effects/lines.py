"""What the daemon and an effect's process say to each other: one JSON object a line.

In: bytes of the process's output, whatever it may be. Out: lines that were read, those that cannot be, and those that
are too long, of which no more is kept than their beginning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

HEAD: Final = 256
"""What is kept of a line that is too long: enough for its id."""
_ID: Final = re.compile(rb'\s*\{\s*"id"\s*:\s*"([^"\\]{1,128})"')


class Request(msgspec.Struct, omit_defaults=True):
    """A call, as the process gets it."""

    id: str
    """The message's own: the idempotency key."""
    request: msgspec.Raw
    """The message's content."""
    sender: str
    conversation_id: str
    timeout_ms: int


class Cancel(msgspec.Struct):
    """Nobody waits for that call any more."""

    cancel: str


class Said(msgspec.Struct, kw_only=True):
    """A line of the process: an answer (`inform`, `refuse` or `failure` with the call's `id`), how far it has come
    (`progress`), a log record (`log`), or what it offers (`about`)."""

    id: str = ""
    inform: msgspec.Raw | UnsetType = UNSET
    refuse: msgspec.Raw | UnsetType = UNSET
    failure: msgspec.Raw | UnsetType = UNSET
    progress: msgspec.Raw | UnsetType = UNSET
    log: str = ""
    message: str = ""
    about: msgspec.Raw | UnsetType = UNSET


class Garbage(msgspec.Struct):
    """A line that cannot be read."""

    head: bytes


class TooLong(msgspec.Struct):
    """A line with more bytes than there may be, of which only the beginning is there."""

    head: bytes

    @property
    def id(self) -> str:
        """The call's, where it begins with one."""
        found = _ID.match(self.head)
        return found[1].decode("utf-8", "replace") if found else ""


Line = Said | Garbage | TooLong
_read = msgspec.json.Decoder(Said).decode
write = msgspec.json.Encoder().encode


def read(line: bytes) -> Line:
    """One line, without its end."""
    try:
        return _read(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Garbage(line[:HEAD])


class Lines:
    """Cuts output into lines of at most `most` bytes; never keeps more than that."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._part = bytearray()
        self._skips = False

    def feed(self, data: bytes) -> Iterator[bytes | TooLong]:
        """The lines that this ends, and the news of one that has become too long."""
        *ends, rest = data.split(b"\n")
        for end in ends:
            yield from self._add(end)
            if not self._skips and self._part.strip():
                yield bytes(self._part)
            self._part.clear()
            self._skips = False
        yield from self._add(rest)

    def _add(self, data: bytes) -> Iterator[TooLong]:
        if self._skips:
            return
        self._part += data
        if len(self._part) > self._most:
            self._skips = True
            head = bytes(self._part[:HEAD])
            self._part.clear()
            yield TooLong(head)
