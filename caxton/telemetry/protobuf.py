"""Protobuf's wire format, as far as OTLP needs it (protobuf.dev, "Encoding").

In: plain values. Out: bytes of fields; a message is its fields joined. A span made this way costs a seventh of one by
OpenTelemetry's SDK (decision 48).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

Attribute = str | bool | int | float | Sequence[str]

_SMALL = [bytes((number,)) for number in range(0x80)]
_KEYS: dict[str, bytes] = {}
"""Names of attributes as fields; there are few, and they come with every span."""
_MOST_KEYS = 1_000

_DOUBLE = struct.Struct("<d").pack
_FIXED64 = struct.Struct("<Q").pack
_FIXED32 = struct.Struct("<I").pack
_SIGNED64 = struct.Struct("<q").pack


def varint(number: int) -> bytes:
    """A whole number; a negative one as the 64 bits that stand for it."""
    if 0 <= number < 0x80:
        return _SMALL[number]
    if 0x80 <= number < 0x4000:
        return bytes((number & 0x7F | 0x80, number >> 7))
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def whole(field: int, number: int) -> bytes:
    """An int, a bool or an enum."""
    return varint(field << 3) + varint(number)


def data(field: int, content: bytes) -> bytes:
    """Bytes, or a message."""
    return varint(field << 3 | 2) + varint(len(content)) + content


def text(field: int, content: str) -> bytes:
    """A string; half a surrogate pair, which no receiver takes, becomes a question mark."""
    return data(field, content.encode("utf-8", "replace"))


def double(field: int, number: float) -> bytes:
    """A floating-point number."""
    return varint(field << 3 | 1) + _DOUBLE(number)


def fixed64(field: int, number: int) -> bytes:
    """Eight bytes without a sign, such as nanoseconds since 1970."""
    return varint(field << 3 | 1) + _FIXED64(number)


def signed64(field: int, number: int) -> bytes:
    """Eight bytes with a sign."""
    return varint(field << 3 | 1) + _SIGNED64(number)


def fixed32(field: int, number: int) -> bytes:
    """Four bytes, such as flags."""
    return varint(field << 3 | 5) + _FIXED32(number)


def packed(field: int, kind: str, numbers: Sequence[float]) -> bytes:
    """Many numbers of one kind of `struct` in one field."""
    return data(field, struct.pack(f"<{len(numbers)}{kind}", *numbers))


def any_value(value: Attribute) -> bytes:
    """OTLP's AnyValue."""
    match value:
        case str():
            return text(1, value)
        case bool():
            return whole(2, value)
        case int():
            return whole(3, value) if -(1 << 63) <= value < 1 << 63 else text(1, str(value))
        case float():
            return double(4, value)
        case _:
            return data(5, b"".join(data(1, any_value(one)) for one in value))


def attributes(field: int, values: Mapping[str, Attribute]) -> bytes:
    """OTLP's repeated KeyValue."""
    tag = varint(field << 3 | 2)
    parts: list[bytes] = []
    for key, value in values.items():
        if isinstance(value, str) and len(raw := value.encode("utf-8", "replace")) < 0x80:
            # most of them; what `any_value` would make, without five calls
            encoded = b"\x0a" + _SMALL[len(raw)] + raw
        else:
            encoded = any_value(value)
        pair = (_KEYS.get(key) or _key(key)) + varint(len(encoded)) + encoded
        parts += (tag, varint(len(pair)), pair)
    return b"".join(parts)


def _key(key: str) -> bytes:
    """The name, and the tag of the value after it."""
    encoded = text(1, key) + varint(2 << 3 | 2)
    if len(_KEYS) < _MOST_KEYS:
        _KEYS[key] = encoded
    return encoded


def fields(message: bytes) -> dict[int, int | bytes]:
    """The last value of each field; ValueError where it is no message."""
    found: dict[int, int | bytes] = {}
    at = 0
    while at < len(message):
        tag, at = _varint_at(message, at)
        match tag & 7:
            case 0:
                found[tag >> 3], at = _varint_at(message, at)
                continue
            case 2:
                size, at = _varint_at(message, at)
            case 1:
                size = 8
            case 5:
                size = 4
            case _:
                raise ValueError("an unknown wire type")
        if at + size > len(message):
            raise ValueError("the message is cut off")
        found[tag >> 3] = message[at : at + size]
        at += size
    return found


def _varint_at(message: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        if at >= len(message) or shift > 63:
            raise ValueError("the message is cut off")
        byte = message[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7
