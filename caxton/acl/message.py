"""A message as the bus carries it (DESIGN.md 5), and its bytes.

A `Message` is complete: the host has set id, sender, conversation and trace. Its bytes are made once and serve the
guest, the journal and every viewer.
"""

from __future__ import annotations

from typing import Final

import msgspec

from caxton.acl.performative import Performative

NULL: Final = msgspec.Raw(b"null")


class Message(msgspec.Struct, gc=False, omit_defaults=True):
    """One message. Nobody changes it once it is admitted; it is not frozen only because that costs time."""

    id: str
    performative: Performative
    sender: str
    receiver: list[str]
    conversation_id: str
    trace_id: str
    span_id: str
    timestamp: int
    """Microseconds since 1970, UTC, when the bus admitted it."""
    content: msgspec.Raw = NULL
    protocol: str | None = None
    reply_with: str | None = None
    in_reply_to: str | None = None
    reply_by: str | None = None
    """RFC 3339, UTC."""
    reply_to: list[str] | None = None
    language: str | None = None
    encoding: str | None = None
    ontology: str | None = None


_encode = msgspec.json.Encoder().encode


def write_message(message: Message, extensions: dict[str, msgspec.Raw] | None = None) -> bytes:
    """The message as one line of JSON; `extensions` are its `x_…` parameters."""
    body = _encode(message)
    return body if not extensions else body[:-1] + b"," + _encode(extensions)[1:]


_TRACE: Final = b'"trace_id":"'


def trace_id_of(body: bytes) -> str:
    """The trace id of a stored message without reading the rest: it stands before anything that a guest has a say in
    but its names, which have no quotes inside."""
    at = body.find(_TRACE) + len(_TRACE)
    return body[at : at + 32].decode("ascii", "replace")


read_message = msgspec.json.Decoder(Message).decode
"""A stored message again; its `x_…` parameters stay in the bytes."""
