"""The binary format of a module, as far as builders rewrite one: sections and vectors.

In: bytes that a compiler wrote. Out: their sections, and a module made of sections. Nothing is validated here: the
sandbox does that with the outcome.
"""

from __future__ import annotations

from typing import Final

from caxton.errors import InvalidModule
from caxton.sandbox.compile.leb128 import number, unsigned

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
