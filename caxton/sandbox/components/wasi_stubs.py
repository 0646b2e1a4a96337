"""What a component finds around it: six functions that follow from the message in hand, and nothing else.

A language's library imports WASI because programs have files, sockets and clocks; an agent has messages. So the few
calls that a library makes by itself get an answer that is the same whenever the same message is handled, and everything
else traps with its name.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import Any, Final

import msgspec
import wasmtime
from wasmtime.component import Component, Linker, Record

RANDOM_CEILING: Final = 64 * 1024
"""Bytes of randomness that one call may ask for: the package hands them over one by one."""
ASKED_CEILING: Final = 10_000
"""How often a call may ask anything of its surroundings: an answer costs no fuel, but the cell's time."""


class _Known(msgspec.Struct, frozen=True):
    """What of a message the surroundings follow from."""

    id: str = ""
    timestamp: int = 0
    """Microseconds since 1970."""


# before there are threads: two that learn a type at once end the process
_read_known = msgspec.json.Decoder(_Known).decode


class Present(threading.local):
    """What the call that this thread is in may know. The owner of an instance sets it before each call."""

    seed: bytes = b""
    """What its randomness follows from: a seed, the agent, the number of the turn; or, in turns of earlier versions and
    outside of turns, the agent with its settings and the message."""
    message: bytes = b""
    """The message in hand; empty outside a turn, where the clock shows 1970."""
    by_message: bool = True
    asked: int = 0
    """How often this call has asked for anything."""
    drawn: int = 0
    """How often it has asked for randomness."""
    drawn_bytes: int = 0

    def begin(self, seed: bytes, message: bytes, *, by_message: bool = True) -> None:
        """A call begins. `by_message`: what it draws follows from the message, too."""
        self.seed, self.message, self.by_message = seed, message, by_message
        self.asked = self.drawn = self.drawn_bytes = 0

    def known(self) -> _Known:
        """The message's id and time; read when somebody asks, which most turns never do."""
        self.asked += 1
        if self.asked > ASKED_CEILING:
            raise wasmtime.WasmtimeError(f"asked for time or randomness more than {ASKED_CEILING:,} times")
        try:
            return _read_known(self.message)
        except msgspec.MsgspecError:
            return _Known()

    def random(self, size: int) -> bytes:
        """Bytes that follow from the seed, and how often the call has asked."""
        self.drawn += 1
        self.drawn_bytes += size
        if self.drawn_bytes > RANDOM_CEILING:
            raise wasmtime.WasmtimeError(f"asked for more than {RANDOM_CEILING:,} random bytes")
        about = self.known().id if self.by_message else ""
        key = b"\0".join((self.seed, about.encode(), str(self.drawn).encode()))
        return hashlib.shake_256(key).digest(size)


present: Final = Present()


def surround(linker: Linker, imports: list[str], component: Component) -> None:
    """Define every import of a component; `imports` are the names of the interfaces that it imports."""
    linker.allow_shadowing = True
    with linker.root() as root:
        for name in imports:
            functions = _FUNCTIONS.get(name.partition("@")[0])
            if functions is not None:
                with root.add_instance(name) as interface:
                    for function, work in functions.items():
                        interface.add_func(function, work)
    linker.define_unknown_imports_as_traps(component)


# An exception of another kind than WasmtimeError would go through a global of the package, and could come out in
# another thread: nothing below raises one.


def _random_bytes(_: object, size: int) -> bytes:
    return present.random(size)


def _random_number(_: object) -> int:
    return int.from_bytes(present.random(8), "little")


def _monotonic(_: object) -> int:
    return max(present.known().timestamp, 0) * 1000


def _wall(_: object) -> Any:
    seconds, rest = divmod(max(present.known().timestamp, 0), 1_000_000)
    made = Record()
    vars(made).update(seconds=seconds, nanoseconds=rest * 1000)
    return made


def _resolution(_: object) -> int:
    return 1000


def _nothing(_: object) -> list[Any]:
    return []


def _none(_: object) -> None:
    return None


_FUNCTIONS: Final[dict[str, dict[str, Callable[..., Any]]]] = {
    "wasi:cli/environment": {
        "get-environment": _nothing,
        "get-arguments": _nothing,
        "initial-cwd": _none,
    },
    "wasi:filesystem/preopens": {"get-directories": _nothing},
    "wasi:clocks/monotonic-clock": {"now": _monotonic, "resolution": _resolution},
    "wasi:clocks/wall-clock": {"now": _wall},
    "wasi:random/random": {"get-random-bytes": _random_bytes, "get-random-u64": _random_number},
    "wasi:random/insecure": {
        "get-insecure-random-bytes": _random_bytes,
        "get-insecure-random-u64": _random_number,
    },
}
