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

    def send_to(self, receivers: list[str]) -> None:
        """It is for these, in full."""
        self.receiver = receivers

    def answered(self, reply_to: str | list[str] | None, reply_by: str | None) -> None:
        """Where answers go and until when, in full."""
        self.reply_to, self.reply_by = reply_to, reply_by

    def carry(self, name: str, value: msgspec.Raw) -> None:
        """Give it a parameter of the platform's own; `name` begins with `x_`."""
        self.extensions = {**(self.extensions or {}), name: value}


FIELDS: Final = len(Draft.__struct_fields__)

# as numbers: looking for a byte by another bytes object costs 140 ns more, an exception that nobody sees
_COLON: Final = ord(":")
_BACKSLASH: Final = ord("\\")

NAMES_KEPT: Final = 100_000
NAME_KEPT: Final = 128
"""Characters of the longest name that is kept."""
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
        # what is not None tells how many distinct keys the decoder saw
        keys = FIELDS - astuple(draft).count(None)
        if content is NOTHING:
            keys -= 1
        else:
            value = _decode_any(content)
            if type(value) is dict or type(value) is list:
                inside = _keys(value)  # pyright: ignore[reportUnknownArgumentType]
                if inside < 0:
                    if line.count(b"{") + line.count(b"[") > DEPTH:
                        return _strictly(line)
                    inside = ~inside
                keys += inside
        # a key that stands twice, an unknown one, or a colon inside a text makes the sums differ
        if line.count(_COLON) != keys or (_BACKSLASH in line and b"\\u0000" in line):
            return _strictly(line)
        if len(line) > TEXT_MAX and len(line) - len(bytes(content)) > TEXT_MAX:
            return _strictly(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _strictly(line)
    receiver = draft.receiver
    if receiver is not None:
        if type(receiver) is str:
            if receiver not in _names and not _remember(receiver):
                return _strictly(line)
        elif not receiver or not all(name in _names or _remember(name) for name in receiver):
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
    if len(name) <= NAME_KEPT:
        _names.add(name)
    return True


def _strictly(line: bytes) -> Draft:
    known = strict.read_fields(line)
    try:
        return msgspec.convert(known, Draft)
    except msgspec.ValidationError as error:  # strict.read_fields has judged every type before
        raise InvalidMessage(f"the message cannot be read: {error}") from None


def _keys(value: dict[str, Any] | list[Any]) -> int:
    """How many keys a decoded value has in all its objects; `~` of it where one lies in another."""
    total = len(value) if type(value) is dict else 0
    deeper = False
    for item in value.values() if type(value) is dict else value:
        if type(item) is dict or type(item) is list:
            inside = _keys(item)  # pyright: ignore[reportUnknownArgumentType]
            total += inside if inside >= 0 else ~inside
            deeper = True
    return ~total if deeper else total
