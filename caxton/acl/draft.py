"""Reading what a guest or a client wants to say, quickly for what is well formed.

In: one line of JSON. Out: a `Draft`. The quick way accepts a line only where it can prove that the strict way
(`strict.py`) would accept it too; anything else, wrong or merely unusual, goes the strict way, which also finds
the words for what is wrong. What the quick way must prove, because its decoder does not:

- no duplicate keys: a line has at least one `:` for each key, so as many colons as distinct keys means no double;
- depth of at most 64: no more than 64 opening brackets in all;
- valid UTF-8 and finite numbers inside the content: it is decoded once and thrown away.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec.structs import astuple

from caxton.acl import strict
from caxton.acl.identifier import is_agent_name
from caxton.acl.performative import Performative
from caxton.errors import InvalidMessage

DEPTH: Final = strict.DEPTH
TEXT_MAX: Final = strict.TEXT_MAX


NOTHING: Final = msgspec.Raw()
"""The content of a message that has none."""


class Draft(msgspec.Struct, gc=False):
    """What a sender may say; the host completes it to a `Message`. `null` says the same as leaving out."""

    performative: Performative
    receiver: str | list[str] | None = None
    content: msgspec.Raw = NOTHING
    sender: str | None = None
    conversation_id: str | None = None
    protocol: str | None = None
    reply_with: str | None = None
    in_reply_to: str | None = None
    reply_by: str | None = None
    reply_to: str | list[str] | None = None
    language: str | None = None
    encoding: str | None = None
    ontology: str | None = None
    extensions: dict[str, msgspec.Raw] | None = msgspec.field(default=None, name="x_")
    """Parameters whose names begin with `x_`, kept as they are. `x_` alone is no parameter's name."""


FIELDS: Final = len(Draft.__struct_fields__)

NAMES_KEPT: Final = 100_000
_names: set[str] = set()
"""Names that were found well formed; to look one up is quicker than to match it again."""

_decode = msgspec.json.Decoder(Draft).decode
_decode_any = msgspec.json.Decoder().decode


def read_draft(line: bytes) -> Draft:
    """Read one message as JSON.

    Raises InvalidMessage with the field, the rule and a hint.
    """
    try:
        draft = _decode(line)
        content = draft.content
        inner = size = left_out = 0
        if content is NOTHING:
            left_out = 1
        else:
            value = _decode_any(content)
            raw = bytes(content)
            inner = raw.count(b":")
            if inner and _keys(value) != inner:
                return _strictly(line)
            size = len(raw)
        # what is not None tells how many distinct keys the decoder saw; unknown keys make the sums differ
        if line.count(b":") - inner + left_out != FIELDS - astuple(draft).count(None):
            return _strictly(line)
        if len(line) - size > TEXT_MAX or b"\\u0000" in line or line.count(b"{") + line.count(b"[") > DEPTH:
            return _strictly(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _strictly(line)
    receiver = draft.receiver
    if receiver is not None:
        names = [receiver] if isinstance(receiver, str) else receiver
        if not names or not all(name in _names or _remember(name) for name in names):
            return _strictly(line)
    if draft.sender is not None and draft.sender not in _names and not _remember(draft.sender):
        return _strictly(line)
    if draft.reply_to is not None or draft.extensions is not None:
        return _strictly(line)
    return draft


def _remember(name: str) -> bool:
    if not is_agent_name(name):
        return False
    if len(_names) > NAMES_KEPT:
        _names.clear()
    _names.add(name)
    return True


def _strictly(line: bytes) -> Draft:
    known = strict.read_fields(line)
    try:
        return msgspec.convert(known, Draft)
    except msgspec.ValidationError as error:  # strict.read_fields has judged every type before
        raise InvalidMessage(f"the message cannot be read: {error}") from None


def _keys(value: Any) -> int:
    """How many keys a decoded value has in all its objects."""
    if type(value) is dict:
        inside: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
        total = len(inside)
        for item in inside.values():
            if type(item) is dict or type(item) is list:
                total += _keys(item)
        return total
    if type(value) is list:
        items: list[Any] = value  # pyright: ignore[reportUnknownVariableType]
        return sum(_keys(item) for item in items if type(item) is dict or type(item) is list)
    return 0
