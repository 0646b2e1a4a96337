"""A walk over a module's sections before anything compiles it.

In: bytes from anybody. Out: nothing, or `InvalidModule` in words that are fit to be shown. Compiling time
is not bounded by size, and validation is no filter for that; this walk refuses the cheap bombs (millions of
locals, functions, exports) and the compile child's limits stop the rest. It runs in the child; `check_head`
runs in the daemon too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

from caxton.errors import InvalidModule
from caxton.sandbox.compile import leb128
from caxton.sandbox.faults import shown
from caxton.sandbox.foreign import telling

MAGIC = b"\0asm\1\0\0\0"
COMPONENT = b"\0asm\x0d\0\1\0"
PAGE = 65_536

MAX_BYTES = 16 * 1024 * 1024
MAX_FUNCTIONS = 10_000
MAX_BODY = 512 * 1024
MAX_LOCALS = 2_000
MAX_NAMES = 256
"""Exports and imports together: listing them takes time that grows with the square of their number."""
MAX_INNER_NAMES = 10_000
"""The same inside a component, where nobody lists them."""
MAX_INNER_FUNCTIONS = 20_000
"""Of a core module inside a component: CPython has 10,625."""
MAX_TYPES = 10_000
MAX_GLOBALS = 10_000
MAX_TABLES = 8
MAX_ELEMENTS = 20_000
MAX_DATA = 10_000
MAX_DEPTH = 4
MAX_MODULES = 64
"""Components inside components, and core modules in all of them."""

_CUSTOM, _TYPE, _IMPORT, _FUNCTION, _TABLE, _MEMORY, _GLOBAL, _EXPORT = range(8)
_ELEMENT, _CODE, _DATA = 9, 10, 11
_TABLE_KIND, _MEMORY_KIND, _GLOBAL_KIND, _TAG_KIND = 1, 2, 3, 4
"""Of imports; the others are functions."""
_CORE_MODULE, _COMPONENT = 1, 4
"""Sections of a component."""
_CAPS = {
    _TYPE: (MAX_TYPES, "types"),
    _FUNCTION: (MAX_FUNCTIONS, "functions"),
    _TABLE: (MAX_TABLES, "tables"),
    _GLOBAL: (MAX_GLOBALS, "globals"),
    _ELEMENT: (MAX_ELEMENTS, "element segments"),
    _DATA: (MAX_DATA, "data segments"),
}


def check_head(wasm: bytes, most: int = MAX_BYTES) -> None:
    """Refuse what is too large or does not begin as a module: the engine would compile text as well."""
    if len(wasm) > most:
        raise InvalidModule(
            f"the module has {len(wasm):,} bytes, more than {most:,}",
            hint="build without debug information, or optimise for size",
        )
    if not wasm.startswith((MAGIC, COMPONENT)):
        hint = "it may be of another version of the format" if wasm.startswith(b"\0asm") else None
        raise InvalidModule("this is not a WebAssembly module: it does not begin with \\0asm 1", hint=hint)


def is_component(wasm: bytes) -> bool:
    """Whether it begins as a component."""
    return wasm.startswith(COMPONENT)


def check_component(wasm: bytes, memory_bytes: int, depth: int = 0) -> int:
    """Walk a component's sections and the core modules in it; how many of those there are."""
    if depth > MAX_DEPTH:
        raise InvalidModule(f"the component has components inside each other, more than {MAX_DEPTH} deep")
    modules = 0
    at = len(COMPONENT)
    try:
        while at < len(wasm):
            section = wasm[at]
            size, at = leb128.number(wasm, at + 1)
            inner = wasm[at : at + size]
            if len(inner) < size:
                _malformed()
            if section == _CORE_MODULE:
                modules += 1
                _walk(inner, memory_bytes, imports=True)
            elif section == _COMPONENT:
                modules += check_component(inner, memory_bytes, depth + 1)
            if modules > MAX_MODULES:
                raise InvalidModule(f"the component has more than {MAX_MODULES} core modules")
            at += size
    except IndexError:
        _malformed()
    return modules


def check(wasm: bytes, memory_bytes: int) -> None:
    """Walk the sections; `memory_bytes` is the most that the module's memory may begin with."""
    check_head(wasm)
    memories = _walk(wasm, memory_bytes, imports=False)
    if memories != 1:
        raise InvalidModule(f"the module has {memories} memories, an agent has exactly one")


def _walk(wasm: bytes, memory_bytes: int, *, imports: bool) -> int:
    """Walk the sections of a core module; the memories that it has itself."""
    names = 0
    memories = 0
    at = len(MAGIC)
    try:
        while at < len(wasm):
            section = wasm[at]
            size, at = leb128.number(wasm, at + 1)
            end = at + size
            if end > len(wasm):
                _malformed()
            if section != _CUSTOM:
                many, body = leb128.number(wasm, at)
                cap = _CAPS.get(section)
                most = MAX_INNER_FUNCTIONS if imports and section == _FUNCTION else cap[0] if cap else many
                if cap and many > most:
                    raise InvalidModule(f"the module has {many:,} {cap[1]}, more than {most:,}")
                if section == _IMPORT and many and not imports:
                    _refuse_import(wasm, many, body)
                elif section in (_IMPORT, _EXPORT):
                    names += many
                elif section == _MEMORY:
                    memories += many
                    _check_memory(wasm, many, body, memory_bytes)
                elif section == _ELEMENT:
                    _check_elements(size)
                elif section == _CODE:
                    _check_bodies(wasm, many, body, end)
            at = end
    except IndexError:
        _malformed()
    allowed = MAX_INNER_NAMES if imports else MAX_NAMES
    if names > allowed:
        raise InvalidModule(f"the module has {names:,} exports, more than {allowed:,}")
    return memories


def _name(wasm: bytes, at: int) -> tuple[str, int]:
    size, at = leb128.number(wasm, at)
    return shown(wasm[at : at + min(size, 256)].decode("utf-8", "replace"), 64), at + size


def _malformed() -> NoReturn:
    raise InvalidModule("the module is cut off or malformed", hint="was the file still being written?")


def _refuse_import(wasm: bytes, many: int, at: int) -> NoReturn:
    """Name the import that tells most about what built the module."""
    module, name, hint = telling(list(_imports(wasm, min(many, MAX_NAMES), at)))
    raise InvalidModule(f"the module imports {module}.{name}", hint=hint, module=module, name=name)


def _imports(wasm: bytes, many: int, at: int) -> Iterator[tuple[str, str]]:
    """Module and name of each import."""
    for _ in range(many):
        module, at = _name(wasm, at)
        name, at = _name(wasm, at)
        yield module, name
        kind, at = wasm[at], at + 1
        if kind in (_TABLE_KIND, _MEMORY_KIND):
            flags, at = leb128.number(wasm, at + (kind == _TABLE_KIND))
            for _ in range(1 + (flags & 1)):
                _, at = leb128.number(wasm, at)
        elif kind == _GLOBAL_KIND:
            at += 2
        else:
            _, at = leb128.number(wasm, at + (kind == _TAG_KIND))


def _check_memory(wasm: bytes, many: int, at: int, memory_bytes: int) -> None:
    for _ in range(min(many, 2)):
        flags, at = leb128.number(wasm, at)
        least, at = leb128.number(wasm, at)
        if flags & 1:
            _, at = leb128.number(wasm, at)
        if flags > 1:
            raise InvalidModule("the module's memory is shared or has 64-bit addresses; neither is allowed")
        if least * PAGE > memory_bytes:
            raise InvalidModule(
                f"the module's memory begins with {least * PAGE:,} bytes, its limit is {memory_bytes:,}",
                hint="raise the agent's memory_bytes, or link with a smaller stack and heap",
            )


def _check_elements(size: int) -> None:
    # an element takes at least a byte, whatever the segment's form
    if size > 4 * MAX_ELEMENTS:
        raise InvalidModule(f"the module's element section has {size:,} bytes, too many")


def _check_bodies(wasm: bytes, many: int, at: int, end: int) -> None:
    for index in range(many):
        size, at = leb128.number(wasm, at)
        if size > MAX_BODY:
            raise InvalidModule(
                f"function {index} of the module has {size:,} bytes, more than {MAX_BODY:,}",
                hint="a very large function takes very long to compile; split it",
            )
        groups, place = leb128.number(wasm, at)
        declared = 0
        for _ in range(min(groups, MAX_LOCALS + 1)):
            number, place = leb128.number(wasm, place)
            declared += number
            place += 1
        if declared > MAX_LOCALS or groups > MAX_LOCALS:
            raise InvalidModule(f"function {index} of the module has more than {MAX_LOCALS:,} locals")
        at += size
        if at > end:
            _malformed()
