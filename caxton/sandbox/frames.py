"""The frames between the daemon and a cell, on a stream socket pair.

To the cell: `HEAD` (20 bytes), then `length` bytes. From the cell: `RESULT` (40 bytes), then `length`
bytes; its `seq` echoes the request's. The results of one slot come in the order of its frames; other slots
may overtake it. After a turn with status TRAP, LIMIT or BROKEN the slot is empty: its later turns answer
UNHANDLED until the next LOAD. A LOAD that fails leaves the slot as it was.

This module imports neither wasmtime nor anything that runs guests, so the daemon can use it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum
from itertools import accumulate
from struct import Struct as Binary
from typing import Any, TypeVar, cast

import msgspec

from caxton import exact_numbers
from caxton.limits import Limits

HEAD = Binary("<BxxxIIQ")
"""To the cell: kind u8, slot u32, length u32, seq u64."""

RESULT = Binary("<BBHIIQQQI")
"""From the cell: kind u8, status u8, count u16, slot u32, length u32, seq u64, fuel u64, started_us u64,
turn_us u32.

`count` is the number of message lines of a turn, or the size of a guest's error code, never more than 65,535.
`fuel` is what the turn used; a turn that did not return is charged the whole budget. `started_us` is wall
time in microseconds since 1970, `turn_us` how long the turn took, in microseconds.
"""

LENGTH_CEILING = 1 << 30
"""No frame is longer than this; a longer one means that the stream is broken."""

COUNT_CEILING = 65_535


class Kind(IntEnum):
    """What is asked of a cell. A result has the kind of its request."""

    TURN = 1
    """Payload: the message as JSON; `seq` is the message's."""
    LOAD = 2
    """Payload: `Load` as JSON, a zero byte, and the snapshot to restore (may be empty). Answer: `Loaded`."""
    SNAPSHOT = 3
    """No payload. Answer: the guest's state, as bytes."""
    STOP = 4
    """Payload: `Stop`. The guest is shut down and dropped. Answer: the state if asked for, else nothing."""
    METERS = 5
    """No payload, any slot. Answer: `Meters`."""
    SWAP = 6
    """Payload: `Swap`. Answer: `Swapped`."""
    HELLO = 7
    """Only from the cell, once, before anything else. Payload: `Hello`."""
    REPLAY = 8
    """Payload: `Replay` as JSON, a zero byte, and the messages joined. Each is run as a turn, in order, until one
    costs the instance; what they say is not said to anybody. Answer: `Replayed`, a zero byte, and the outputs."""
    ASIDE = 9
    """Payload: a message as JSON. It is run as a turn, and what it says is for whoever asked: the answer carries what
    a turn's would, and whether anything is said of it is decided there."""


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """Put an instance of a module into a slot; the one that was there is shut down."""

    agent: str
    revision: str
    """The sha256 of the module, for people; the cell loads `module`."""
    module: str
    """Path of the compiled module, made and checked by `compiler.Compiler`."""
    profile: str = "standard"
    limits: Limits = Limits()
    settings: Any = None
    """The JSON object that the guest gets in `caxton_init`."""
    seeds: tuple[str, ...] = ()
    """What its randomness is drawn from; the head of a message says which."""
    restore: bool = False
    """Whether the bytes after the zero byte are a snapshot to be restored."""


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """What is in the slot now."""

    hooks: list[str]
    """The optional exports that the guest has: init, snapshot, restore, shutdown."""
    memory_kib: int | None
    """Linear memory; None for a component, whose memory nobody can see."""
    load_us: int
    abi: str
    """The guest's ABI version, `major.minor`."""
    restored: bool = False


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """Shut the guest down and drop it; with `snapshot`, answer its state first."""

    snapshot: bool = False


class Swap(msgspec.Struct, frozen=True, kw_only=True, rename={"source": "from"}):
    """Between two turns: what is in slot `from` gives way to what is in the frame's slot.

    With `carry`, the state of `from` is restored into the frame's slot first; where that fails, `from`
    stays as it was and the frame's slot is dropped. A guest that traps in its snapshot hook is lost
    (`Fault.lost`). With `keep`, `from` is not shut down, so that it can take over again.
    """

    source: int
    carry: bool = True
    keep: bool = False
    tell: bool = False
    """Whether the answer is followed by a zero byte and the state that was carried."""


class Swapped(msgspec.Struct, frozen=True, kw_only=True):
    """How a swap went: `state` is "carried" or "fresh"; `pause_us` is how long neither slot could run."""

    state: str
    pause_us: int


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """Messages to run once more: how long each is, and whether to hand back what their turns say."""

    lengths: list[int]
    outputs: bool = False


class ReplayedTurn(msgspec.Struct, frozen=True, array_like=True):
    """One turn of a replay: `Status`, message lines or the size of the error code, fuel, the instance's memory after
    it, and the length of its output (the guest's text after GUEST_ERROR, a `Fault` after what is worse)."""

    status: int
    count: int
    fuel: int
    memory_kib: int | None
    length: int


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """How a replay went: `done` turns left the instance alive, the next one ended it if there is a `fault`.

    `turns` is filled where outputs were asked for, the one with the fault included. `cpu_us` is processor time.
    """

    done: int
    fuel: int
    cpu_us: int = 0
    fault: Fault | None = None
    turns: list[ReplayedTurn] = []


class Meters(msgspec.Struct, frozen=True, kw_only=True):
    """What the cell uses. `slot_kib` is the linear memory of each slot in KiB, None for a component's."""

    pid: int
    rss_kib: int
    cpu_s: float
    slots: int
    threads: int
    handoffs: int
    slot_kib: dict[int, int | None]


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """The first frame of a cell: who it is and which way it calls guests."""

    pid: int
    fast: bool
    fast_reason: str
    """One sentence: why the fast path is used, or why it is not."""
    wasmtime: str
    """Version of the Python package."""
    native: str
    """Version inside the native library, or "unknown"."""


class Fault(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a turn, a load or a swap failed: a stable code, one sentence, and what to do about it."""

    code: str
    reason: str
    hint: str | None = None
    lost: list[int] = []
    """The slots that this request emptied."""


def frame(kind: int, slot: int, seq: int, payload: bytes = b"") -> bytes:
    """One frame to the cell."""
    return HEAD.pack(kind, slot, len(payload), seq) + payload


def load_payload(load: Load, snapshot: bytes = b"") -> bytes:
    """The payload of a LOAD frame."""
    return exact_numbers.encode(load) + b"\0" + snapshot


Head = TypeVar("Head")

_DECODERS: dict[type, msgspec.json.Decoder[Any]] = {
    kind: exact_numbers.decoder(kind) for kind in (Load, Replay, Replayed, Swapped)
}
# msgspec learns a type when it is first decoded, and two threads that do so at once end the process: so all that a cell
# decodes has its decoder before there are threads
read_stop = msgspec.json.Decoder(Stop).decode
"""The payload of a STOP frame; raises `msgspec.MsgspecError`."""
read_swap = msgspec.json.Decoder(Swap).decode
"""The payload of a SWAP frame; raises `msgspec.MsgspecError`."""


def split_payload(payload: bytes, kind: type[Head]) -> tuple[Head, bytes]:
    """A payload's JSON as a value of that kind, and the bytes after its zero byte; raises `msgspec.MsgspecError`."""
    head, _, rest = payload.partition(b"\0")
    return cast("Head", _DECODERS[kind].decode(head)), rest


def replay_payload(messages: Sequence[bytes], *, outputs: bool = False) -> bytes:
    """The payload of a REPLAY frame."""
    head = msgspec.json.encode(Replay(lengths=[len(one) for one in messages], outputs=outputs))
    return b"\0".join((head, b"".join(messages)))


def cut(joined: bytes, lengths: list[int]) -> Iterator[bytes]:
    """The pieces of a joined text, by their lengths."""
    for end, length in zip(accumulate(lengths), lengths, strict=True):
        yield joined[end - length : end]


def split_load(payload: bytes) -> tuple[Load, bytes]:
    """The two parts of a LOAD frame's payload; raises `msgspec.ValidationError` or `DecodeError`."""
    return split_payload(payload, Load)
