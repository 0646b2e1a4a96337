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
from msgspec import UNSET, UnsetType
from msgspec.structs import astuple

from caxton.acl import strict
from caxton.acl.identifier import is_agent_name
from caxton.acl.performative import Performative
from caxton.errors import InvalidMessage

DEPTH: Final = strict.DEPTH
TEXT_MAX: Final = strict.TEXT_MAX


class Draft(msgspec.Struct, gc=False):
    """What a sender may say; the host completes it to a `Message`."""

    performative: Performative
    receiver: str | list[str] | UnsetType | None = UNSET
    content: msgspec.Raw | UnsetType = UNSET
    sender: str | UnsetType | None = UNSET
    conversation_id: str | UnsetType | None = UNSET
    protocol: str | UnsetType | None = UNSET
    reply_with: str | UnsetType | None = UNSET
    in_reply_to: str | UnsetType | None = UNSET
    reply_by: str | UnsetType | None = UNSET
    reply_to: str | list[str] | UnsetType | None = UNSET
    language: str | UnsetType | None = UNSET
    encoding: str | UnsetType | None = UNSET
    ontology: str | UnsetType | None = UNSET
    extensions: dict[str, msgspec.Raw] | UnsetType = msgspec.field(default=UNSET, name="x_")
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
        inner = size = 0
        if content is not UNSET:
            value = _decode_any(content)
            raw = bytes(content)
            size = len(raw)
            inner = raw.count(b":")
            if inner and _keys(value) != inner:
                return _strictly(line)
        # the struct's unset fields tell how many distinct keys it saw; unknown keys make the sums differ
        if line.count(b":") - inner != FIELDS - astuple(draft).count(UNSET):
            return _strictly(line)
        if line.count(b"{") + line.count(b"[") > DEPTH:
            return _strictly(line)
        if len(line) - size > TEXT_MAX or draft.reply_to is not UNSET or draft.extensions is not UNSET:
            return _strictly(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _strictly(line)
    receiver = draft.receiver
    if receiver.__class__ is str:
        if receiver not in _names and not _remember(receiver):
            return _strictly(line)
    elif (
        receiver and any(name not in _names and not _remember(name) for name in receiver)
    ) or receiver == []:
        return _strictly(line)
    sender = draft.sender
    if sender and sender not in _names and not _remember(sender):
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
        total = len(value)
        for item in value.values():
            if type(item) is dict or type(item) is list:
                total += _keys(item)
        return total
    if type(value) is list:
        return sum(_keys(item) for item in value if type(item) is dict or type(item) is list)
    return 0
