"""The binary format of a module, as far as builders rewrite one: sections, vectors, numbers.

In: bytes that a compiler wrote. Out: their sections, and a module made of sections. Nothing is validated here: the
sandbox does that with the outcome.
"""

from __future__ import annotations

from typing import Final

from caxton.errors import InvalidModule

HEAD: Final = 8
IMPORT: Final = 2
FUNCTION: Final = 3
CODE: Final = 10
DATA: Final = 11
DATA_COUNT: Final = 12


def sections(wasm: bytes) -> list[tuple[int, bytes]]:
    """Number and content of each section; raises InvalidModule where the module is cut off."""
    found: list[tuple[int, bytes]] = []
    at = HEAD
    try:
        while at < len(wasm):
            size, body = number(wasm, at + 1)
            found.append((wasm[at], wasm[body : body + size]))
            at = body + size
    except IndexError:
        at = -1
    if at != len(wasm):
        raise InvalidModule("the module is cut off", hint="was the file still being written?")
    return found


def module(parts: list[tuple[int, bytes]]) -> bytes:
    """A module of those sections."""
    return b"\0asm\1\0\0\0" + b"".join(bytes([kind]) + sized(body) for kind, body in parts)


def prepended(body: bytes, items: list[bytes]) -> bytes:
    """A vector with more items before its own."""
    many, at = number(body, 0)
    return unsigned(many + len(items)) + b"".join(items) + body[at:]


def sized(body: bytes) -> bytes:
    """The bytes with their length before them."""
    return unsigned(len(body)) + body


def unsigned(value: int) -> bytes:
    """A number as unsigned LEB128."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed(value: int) -> bytes:
    """A number as signed LEB128."""
    out = bytearray()
    while True:
        byte = value & 0x7F
        value >>= 7
        if value == (-1 if byte & 0x40 else 0):
            out.append(byte)
            return bytes(out)
        out.append(byte | 0x80)


def number(data: bytes, at: int) -> tuple[int, int]:
    """The unsigned LEB128 number at that place, and the place after it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def signed_32(data: bytes, at: int) -> tuple[int, int]:
    """The signed LEB128 number of 32 bits at that place, and the place after it."""
    value, after = number(data, at)
    width = 7 * (after - at)
    if value >> (width - 1) & 1:
        value -= 1 << width
    return value, after
