"""An operating system that says no: what a module imports of WASI, answered inside the module.

In: a module, as Go's compiler writes it. Out: the same module without those imports; each became a function of its own
that answers as a system would that has no files, no arguments, no environment, no randomness, and a clock that stands
still. So an agent in a language whose runtime asks for a system imports nothing, like any other, and the same message
gives the same answer. A module without such imports comes out as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from caxton.devloop.builders import wasm_sections
from caxton.errors import InvalidModule
from caxton.sandbox.compile import leb128

WASI: Final = "wasi_snapshot_preview1"
NEAR: Final = 64
"""Bytes between two data segments up to which they are made one."""


# WASI's error numbers
_BAD_DESCRIPTOR, _NOT_SUPPORTED = 8, 52

_LOCAL, _I32, _I64, _STORE_32, _STORE_64, _UNREACHABLE, _END = 0x20, 0x41, 0x42, 0x36, 0x37, 0x00, 0x0B


def without_system(wasm: bytes) -> bytes:
    """The module with stand-ins for its WASI imports. Raises InvalidModule where it imports anything else as well."""
    parts = wasm_sections.sections(wasm)
    imports = next((body for kind, body in parts if kind == wasm_sections.IMPORT), None)
    if imports is None:
        return wasm
    asked = _imports(imports)
    if not any(one.module == WASI for one in asked):
        return wasm
    for one in asked:
        if one.module != WASI:
            raise InvalidModule(
                f"the module imports {one.module}.{one.name}",
                hint="an agent imports nothing: it answers by returning messages",
            )
    # imported functions come first in the numbering, so what takes their place at the head of the module's own
    # functions has the same numbers
    types = [leb128.unsigned(one.type) for one in asked]
    bodies = [wasm_sections.sized(b"\0" + _answer(one.name) + bytes([_END])) for one in asked]
    made: list[tuple[int, bytes]] = []
    for kind, body in parts:
        if kind == wasm_sections.FUNCTION:
            made.append((kind, wasm_sections.prepended(body, types)))
        elif kind == wasm_sections.CODE:
            made.append((kind, wasm_sections.prepended(body, bodies)))
        elif kind != wasm_sections.IMPORT:
            made.append((kind, body))
    return wasm_sections.module(made)


def with_less_data(wasm: bytes) -> bytes:
    """The same module with fewer data segments: Go's linker leaves out every run of zeros and makes 40,000 of them,
    more than the sandbox takes."""
    parts = wasm_sections.sections(wasm)
    data = next((body for kind, body in parts if kind == wasm_sections.DATA), None)
    if data is None or any(kind == wasm_sections.DATA_COUNT for kind, _ in parts):
        # with a count, instructions may name segments by their numbers
        return wasm
    plain = _segments(data)
    if plain is None:
        return wasm
    joined = _joined(plain)
    body = leb128.unsigned(len(joined)) + b"".join(
        bytes([0, _I32])
        + leb128.signed(at - (1 << 32) if at >> 31 else at)
        + bytes([_END])
        + wasm_sections.sized(text)
        for at, text in joined
    )
    return wasm_sections.module([(kind, body if kind == wasm_sections.DATA else old) for kind, old in parts])


def _segments(data: bytes) -> list[tuple[int, bytes]] | None:
    """Place and bytes of every segment; None where one is not of the plain kind."""
    many, at = leb128.number(data, 0)
    found: list[tuple[int, bytes]] = []
    for _ in range(many):
        if data[at] != 0 or data[at + 1] != _I32:
            return None
        place, at = leb128.signed_32(data, at + 2)
        if data[at] != _END:
            return None
        size, at = leb128.number(data, at + 1)
        found.append((place & 0xFFFFFFFF, data[at : at + size]))
        at += size
    return found


def _joined(segments: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Segments that follow each other closely as one, with the zeros between them; the order stays as it is."""
    made: list[tuple[int, bytearray]] = []
    for place, text in segments:
        if made:
            begin, before = made[-1]
            gap = place - begin - len(before)
            if 0 <= gap <= NEAR:
                before += bytes(gap) + text
                continue
        made.append((place, bytearray(text)))
    return [(place, bytes(text)) for place, text in made]


@dataclass(frozen=True, slots=True)
class _Import:
    module: str
    name: str
    type: int


def _imports(body: bytes) -> list[_Import]:
    many, at = leb128.number(body, 0)
    found: list[_Import] = []
    for _ in range(many):
        size, at = leb128.number(body, at)
        module, at = body[at : at + size].decode("utf-8", "replace"), at + size
        size, at = leb128.number(body, at)
        name, at = body[at : at + size].decode("utf-8", "replace"), at + size
        if body[at] != 0:
            raise InvalidModule(
                f"the module imports {module}.{name}, which is no function",
                hint="an agent imports nothing: it has a memory of its own",
            )
        kind, at = leb128.number(body, at + 1)
        found.append(_Import(module, name, kind))
    return found


def _answer(name: str) -> bytes:
    """The code of one stand-in: it takes what the import takes, and returns an error number."""
    match name:
        case "args_sizes_get" | "environ_sizes_get":
            # none of them, and no bytes
            return _put_32(0) + _put_32(1) + _number(0)
        case "args_get" | "environ_get" | "sched_yield":
            return _number(0)
        case "clock_time_get":
            # one nanosecond after the beginning of time: a runtime may take 0 for a clock that is broken
            return bytes([_LOCAL, 2, _I64, 1, _STORE_64, 3, 0]) + _number(0)
        case "proc_exit":
            return bytes([_UNREACHABLE])
        case _ if name.startswith(("fd_", "sock_")):
            return _number(_BAD_DESCRIPTOR)
        case _:
            return _number(_NOT_SUPPORTED)


def _put_32(parameter: int) -> bytes:
    return bytes([_LOCAL, parameter, _I32, 0, _STORE_32, 2, 0])


def _number(value: int) -> bytes:
    assert value < 64
    return bytes([_I32, value])
