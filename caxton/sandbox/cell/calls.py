"""What an instance needs from wasmtime, as one small protocol with two implementations.

`calls_public` uses documented functions only; `calls_fast` is the same over private ones and costs a tenth.
The promises are the same and the same tests hold them: every call has its whole budget of fuel and wall
time, a call that does not return raises `GuestFault`, no address of a guest's is used before it was checked
against the memory.
"""

from __future__ import annotations

from typing import Protocol

import wasmtime

from caxton.limits import Limits
from caxton.sandbox.abi import Mailbox, mailbox_fault
from caxton.sandbox.engines import ticks
from caxton.sandbox.faults import GuestFault, broken, over, shown
from caxton.turn_status import Status

TABLE_ELEMENTS = 20_000
TABLES = 8


Exchange = tuple[int, int, int, bytes]
"""What a turn gave: the value returned, `in_ptr` and `in_cap` for the next one, the output."""


class Calls(Protocol):
    """The calls into one instance, which one thread at a time may use."""

    size: int
    """Bytes of the memory, at least: it may have grown since, it never shrinks."""
    used: int
    """Fuel that the last call took."""

    def exchange(self, at: int, message: bytes, address: int, most: int) -> Exchange:
        """One turn: write the message at `at`, where the caller knows that it fits, call `handle_message`,
        read the mailbox at `address`, check it, and copy the output, `most` bytes of it at most.
        """
        ...

    def call(self, name: str, *arguments: int) -> int:
        """Call another export of the ABI; 0 where it returns nothing."""
        ...

    def mailbox(self, at: int) -> Mailbox:
        """The eight numbers at `at`, which was checked when the instance was made."""
        ...

    def read(self, at: int, size: int) -> bytes:
        """A copy of that part of the memory; the caller knows that it is inside."""
        ...

    def write(self, at: int, content: bytes) -> None:
        """Put bytes into the memory, where the caller knows that they fit."""
        ...

    def measure(self) -> int:
        """The memory's size as it is now, in bytes; also puts it into `size`."""
        ...

    def patience(self, times: int) -> None:
        """Let every call from now on take so many times the wall limit."""
        ...

    def allow(self, limits: Limits) -> None:
        """Let every call of a hook from now on take the fuel and the wall time of these limits."""
        ...

    def close(self) -> None:
        """Give everything back. No call may be running."""
        ...


def check_buffers(mailbox: Mailbox, size: int, most: int) -> None:
    """Raise what is wrong with a mailbox, given the memory's size now and the most that a turn may write."""
    fault = mailbox_fault(mailbox, size)
    if fault is None and mailbox[6] > most:
        fault = over("output_bytes", f"the turn wrote {mailbox[6]:,} bytes, its limit is {most:,}")
    if fault is not None:
        try:
            raise fault
        finally:
            # else it would hold itself by this frame, and the instance with it: a cell collects no cycles
            del fault


def store(engine: wasmtime.Engine, limits: Limits) -> wasmtime.Store:
    """A store with all five limits and the budget of one call; without a budget nothing in it would run."""
    made = wasmtime.Store(engine)
    made.set_limits(
        memory_size=limits.memory_bytes,
        table_elements=TABLE_ELEMENTS,
        instances=1,
        tables=TABLES,
        memories=1,
    )
    made.set_fuel(limits.fuel)
    made.set_epoch_deadline(ticks(limits))
    return made


def instantiate(made: wasmtime.Store, module: wasmtime.Module, limits: Limits) -> wasmtime.Instance:
    """An instance, its start function run; raises `GuestFault`."""
    try:
        return wasmtime.Instance(made, module, [])
    except wasmtime.Trap as trap:
        raise trapped(trap, limits) from None
    except wasmtime.WasmtimeError as refused:
        text = shown(str(refused), 200)
        if "limit" in text or "too high" in text:
            raise over("memory", f"the module does not fit its limits: {text}") from None
        raise broken("instantiate", f"the module cannot be started: {text}") from None


def trapped(trap: wasmtime.Trap, limits: Limits) -> GuestFault:
    """A trap as a fault. It is charged the whole budget: the fuel left is not written back when a call
    traps."""
    # the package's frames hold the trap and the trap holds them: without a collector it would stay for ever
    trap.__traceback__ = None
    code = trap.trap_code
    if code is wasmtime.TrapCode.OUT_OF_FUEL:
        fault = over(
            "fuel", f"the call used up its {limits.fuel:,} units of fuel", "raise fuel, or do less a turn"
        )
    elif code is wasmtime.TrapCode.INTERRUPT:
        reason = f"the call ran longer than its {limits.wall_ms:,} ms of wall time"
        fault = over("wall_time", reason, "raise wall_ms, or do less a turn")
    else:
        name = "trap" if code is None else code.name.lower()
        fault = GuestFault(Status.TRAP, name, f"the guest trapped: {name.replace('_', ' ')}{_place(trap)}")
    fault.fuel = limits.fuel
    return fault


def _place(trap: wasmtime.Trap) -> str:
    frames = trap.frames
    name = frames[0].func_name if frames else None
    return f" in {shown(name, 64)}" if name else ""
