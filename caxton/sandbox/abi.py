"""The guest ABI, version 1 (DESIGN.md 4), as rules over plain values: nothing here imports wasmtime.

In: the exports of a module as text, the eight numbers of a mailbox, the size of a memory. Out: what the
guest can do, or what it did wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from struct import Struct

from caxton.errors import InvalidModule
from caxton.sandbox.faults import GuestFault, broken, shown

MAJOR, MINOR = 1, 1
MAGIC = 0x31415843
"""`CXA1`, little-endian."""

MAILBOX = Struct("<8I")
"""magic, version (major << 16 | minor), flags, in_ptr, in_cap, out_ptr, out_len, out_cap."""

Mailbox = tuple[int, int, int, int, int, int, int, int]

LIFE_FLAG = 1 << 4
"""In a mailbox's flags, since 1.1: the guest asks for messages about its own life."""
LIFE = "life"
"""What stands for it among a guest's hooks."""
PUT_BACK_FLAG = 1 << 5
"""The same for a guest that may put messages back."""
PUT_BACK = "put_back"

REQUIRED = {
    "memory": "memory",
    "caxton_abi": "() -> i32",
    "caxton_alloc": "(i32) -> i32",
    "handle_message": "(i32, i32) -> i32",
}
HOOKS = {
    "caxton_init": "(i32, i32) -> i32",
    "caxton_snapshot": "() -> i32",
    "caxton_restore": "(i32, i32) -> i32",
    "caxton_shutdown": "() -> i32",
}
INITIALIZE = "_initialize"
"""Called first where a module has it, as `() -> ()`."""


@dataclass(frozen=True, slots=True)
class Exports:
    """What a module offers: the hooks that it has, by their names without `caxton_`."""

    hooks: frozenset[str]
    initialize: bool


def check_exports(found: Mapping[str, str]) -> Exports:
    """Check the exports, given as name -> "memory" or a function's type such as "(i32) -> i32"."""
    for name, wanted in REQUIRED.items():
        have = found.get(name)
        if have is None:
            raise InvalidModule(f"the module does not export {name}", hint=_hint(found, name))
        if have != wanted:
            raise InvalidModule(f"the module's {name} is {shown(have, 64)}, it must be {wanted}")
    for name, wanted in {**HOOKS, INITIALIZE: "() -> ()"}.items():
        have = found.get(name)
        if have is not None and have != wanted:
            raise InvalidModule(f"the module's {name} is {shown(have, 64)}, it must be {wanted}")
    hooks = frozenset(name.removeprefix("caxton_") for name in HOOKS if name in found)
    return Exports(hooks=hooks, initialize=INITIALIZE in found)


def _hint(found: Mapping[str, str], name: str) -> str:
    if name == "memory":
        return "link with --export-memory, or export it by that name"
    if "_start" in found and "handle_message" not in found:
        return (
            "this is a program with a main function; build a library (a reactor) that exports handle_message"
        )
    return "an agent must export it (guest ABI 1); check that the linker keeps the export"


def check_address(address: int, size: int) -> None:
    """The mailbox is aligned to 4 bytes and inside the memory of `size` bytes."""
    if address % 4:
        raise broken("mailbox_misaligned", f"caxton_abi returned {address:#x}, not a multiple of 4")
    if address + MAILBOX.size > size:
        reason = f"caxton_abi returned {address:#x}, outside the memory of {size} bytes"
        raise broken("mailbox_out_of_bounds", reason)


def check_version(mailbox: Mailbox) -> str:
    """The guest speaks our major version, and no newer minor one; returns it as text."""
    magic, version = mailbox[:2]
    if magic != MAGIC:
        raise broken("mailbox_magic", f"the mailbox begins with {magic:#010x}, not {MAGIC:#010x} (CXA1)")
    major, minor = version >> 16, version & 0xFFFF
    if major != MAJOR or minor > MINOR:
        raise broken(
            "abi_version",
            f"the guest speaks ABI {major}.{minor}, this host speaks {MAJOR}.{MINOR}",
            "build the agent with the header or library of this version of Caxton",
        )
    return f"{major}.{minor}"


def asked(mailbox: Mailbox) -> frozenset[str]:
    """What a guest asks for by the flags of its mailbox; those of 1.0 ask for nothing."""
    _, version, flags = mailbox[:3]
    if not version & 0xFFFF:
        return frozenset()
    return frozenset(name for flag, name in ((LIFE_FLAG, LIFE), (PUT_BACK_FLAG, PUT_BACK)) if flags & flag)


def mailbox_fault(mailbox: Mailbox, size: int) -> GuestFault | None:
    """What is wrong with the buffers that a mailbox describes, given the memory's size as it is now."""
    _, _, _, in_ptr, in_cap, out_ptr, out_len, out_cap = mailbox
    if in_ptr + in_cap > size:
        reason = f"the in buffer {in_ptr:#x}+{in_cap} is outside the memory of {size} bytes"
        return broken("in_out_of_bounds", reason)
    if out_ptr + out_cap > size:
        reason = f"the out buffer {out_ptr:#x}+{out_cap} is outside the memory of {size} bytes"
        return broken("out_out_of_bounds", reason)
    if out_len > out_cap:
        return broken("out_len", f"out_len is {out_len}, more than out_cap, which is {out_cap}")
    return None
