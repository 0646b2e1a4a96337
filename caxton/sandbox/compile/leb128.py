"""Numbers in LEB128, as modules have them.

In: bytes and a place, or a number. Out: the number and the place after it, or bytes.
"""

from __future__ import annotations


def number(data: bytes, at: int) -> tuple[int, int]:
    """The unsigned number at that place, and the place after it; IndexError where it is cut off or over 64 bits."""
    value = shift = 0
    while shift < 64:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise IndexError("a number is longer than 64 bits")


def signed_32(data: bytes, at: int) -> tuple[int, int]:
    """The signed number of 32 bits at that place, and the place after it."""
    value, after = number(data, at)
    width = 7 * (after - at)
    if value >> (width - 1) & 1:
        value -= 1 << width
    return value, after


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
