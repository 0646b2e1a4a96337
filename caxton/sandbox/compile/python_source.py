"""A Python agent as a module: source text in a WebAssembly file that has nothing else in it.

In: the source of an agent. Out: bytes that are named, kept, compared and rolled back as every module is. They hold one
custom section with the source and the name of the runtime that it is for, so their sha256 changes when either does.
Nothing here imports wasmtime.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Final

import msgspec

from caxton.errors import InvalidModule
from caxton.sandbox.compile.leb128 import number, unsigned

HEAD: Final = b"\0asm\1\0\0\0"
SECTION: Final = b"caxton:python"
HEAD_BYTES: Final = 32
SOURCE_CEILING: Final = 1024 * 1024
"""The largest source, in bytes."""


class PythonAgent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the section says."""

    runtime: str
    """The runtime's name: the sha256 of what it is built from."""
    file: str
    """What tracebacks call the source."""
    source: str
    files: dict[str, str] = {}
    """Modules of its own that it imports, by their paths (`python_imports.py`)."""

    @property
    def told(self) -> str:
        """What the runtime is given as the source: a null character, which no source has, is before one with files."""
        if not self.files:
            return self.source
        return "\0" + msgspec.json.encode({"source": self.source, "files": self.files}).decode()


def pack(source: bytes, file: str, runtime: str, files: Mapping[str, str] | None = None) -> bytes:
    """The module of that source; InvalidModule where it is no text or too long. `files`: what it imports."""
    name = PurePath(file).name[:100] or "agent.py"
    if len(source) > SOURCE_CEILING:
        raise InvalidModule(
            f"{name} has {len(source):,} bytes, more than {SOURCE_CEILING:,}",
            hint="give data to the agent in messages or settings, not in its source",
        )
    try:
        text = source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source[: error.start].count(b"\n") + 1
        raise InvalidModule(f"{name}:{line}: the source is not UTF-8 text", hint="save it as UTF-8") from None
    if "\0" in text:
        raise InvalidModule(f"{name}: the source has a null character", hint="is it a text file?")
    agent = PythonAgent(runtime=runtime, file=name, source=text, files=dict(files or {}))
    content = msgspec.json.encode(agent)
    body = unsigned(len(SECTION)) + SECTION + content
    return HEAD + b"\0" + unsigned(len(body)) + body


def is_python(head: bytes) -> bool:
    """Whether a module that begins like this is a Python agent; HEAD_BYTES of it are enough."""
    if not head.startswith(HEAD + b"\0"):
        return False
    try:
        _, at = number(head, len(HEAD) + 1)
        length, at = number(head, at)
    except IndexError:
        return False
    return head[at : at + length] == SECTION


def unpack(module: bytes) -> PythonAgent | None:
    """The Python agent in a module; None where it is another kind of module, InvalidModule where it is damaged."""
    if not is_python(module):
        return None
    size, at = number(module, len(HEAD) + 1)
    length, name_at = number(module, at)
    end = at + size
    if not _only_customs(module, end) or len(module) > 8 * SOURCE_CEILING:
        raise InvalidModule("the Python agent is cut off, or something follows it", hint="build it again")
    try:
        return msgspec.json.decode(module[name_at + length : end], type=PythonAgent)
    except msgspec.MsgspecError as error:
        raise InvalidModule(f"the Python agent cannot be read: {error}", hint="build it again") from None


def _only_customs(module: bytes, at: int) -> bool:
    """Whether nothing follows but whole custom sections, which make another revision and mean nothing."""
    try:
        while at < len(module) and module[at] == 0:
            size, at = number(module, at + 1)
            at += size
    except IndexError:
        return False
    return at == len(module)
