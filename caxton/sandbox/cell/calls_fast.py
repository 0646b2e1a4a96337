"""The calls into a guest over private functions of the wasmtime package: about 2 µs a turn and the guest's
own time.

What is saved: types are not looked up for each call, argument memory is used again, the guest's memory is
read and written through a view. What that costs: the package's version is pinned, `selftest` compares this
path with the public one at every start of a cell, and every number that a guest wrote is checked before it
becomes an address.

The guest call itself goes through `CDLL`, so the interpreter is free while a guest runs; the small
functions go through `PyDLL`, because giving the interpreter away and taking it back costs more than they
do.
"""

# pyright: reportPrivateUsage=false, reportPrivateImportUsage=false, reportUnknownMemberType=false

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_size_t, c_ubyte, c_uint64, c_void_p
from typing import Any, cast

import wasmtime
from wasmtime import _ffi as ffi

from caxton.limits import Limits
from caxton.sandbox.abi import MAILBOX, Mailbox
from caxton.sandbox.cell.calls import Exchange, check_buffers, trapped
from caxton.sandbox.cell.calls_public import PublicCalls
from caxton.sandbox.faults import GuestFault, broken, shown
from caxton.sandbox.modules import Revision
from caxton.sandbox.profiles import RESERVATION


def _bound(library: Any, name: str, result: Any, *arguments: Any) -> Any:
    function = library[
        name
    ]  # by item: a function object of our own, its types are not shared with the package's
    function.restype = result
    function.argtypes = arguments
    return function


_library: str = vars(ffi.dll)["_name"]
_free = ctypes.CDLL(_library)
_held = ctypes.PyDLL(_library)

_call = _bound(
    _free, "wasmtime_func_call_unchecked", c_void_p, c_void_p, c_void_p, c_void_p, c_size_t, c_void_p
)
_set_fuel = _bound(_held, "wasmtime_context_set_fuel", c_void_p, c_void_p, c_uint64)
_get_fuel = _bound(_held, "wasmtime_context_get_fuel", c_void_p, c_void_p, c_void_p)
_set_deadline = _bound(_held, "wasmtime_context_set_epoch_deadline", None, c_void_p, c_uint64)
_data = _bound(_held, "wasmtime_memory_data", c_void_p, c_void_p, c_void_p)
_data_size = _bound(_held, "wasmtime_memory_data_size", c_size_t, c_void_p, c_void_p)

_unpack = MAILBOX.unpack_from

# argument memory, as u64: two raw values of 16 bytes, the trap, the fuel left; its view, and three
# addresses in it
_TRAP, _FUEL, _CELLS = 4, 5, 6
_Cells = tuple["memoryview[int]", int, int, int]

_pool: list[_Cells] = []
"""Argument memory that no thread uses. The last one is taken first, so a run of turns stays in the
processor's cache; taking and giving back are one step each, so two threads never have the same."""


def _cells() -> _Cells:
    memory = (c_uint64 * _CELLS)()
    at = ctypes.addressof(memory)
    view = memoryview(memory).cast("B").cast("Q")  # keeps the memory alive
    return view, at, at + 8 * _TRAP, at + 8 * _FUEL


class FastCalls(PublicCalls):
    """Implements `Calls`; rare calls go the public way."""

    __slots__ = ("_at_function", "_at_memory", "_budget", "_context", "_moves", "_view")

    def __init__(self, revision: Revision, limits: Limits) -> None:
        self._budget = limits.fuel
        # up to its reservation a memory grows in place; a larger one may be anywhere after each call
        self._moves = limits.memory_bytes > RESERVATION
        self._context = self._at_memory = 0
        self._view = memoryview(b"")
        super().__init__(revision, limits)
        self._at_function = ctypes.addressof(self._functions["handle_message"]._func)

    def exchange(self, at: int, message: bytes, address: int, most: int) -> Exchange:
        """Write the message, call `handle_message`, read the mailbox and copy the output."""
        size = len(message)
        view = self._view
        view[at : at + size] = message
        try:
            cells = _pool.pop()
        except IndexError:  # not asked before: another thread may take the last one meanwhile
            cells = _cells()
        values, at_values, at_trap, at_fuel = cells
        values[0] = at
        values[2] = size
        context = self._context
        _set_fuel(context, self._budget)
        _set_deadline(context, self._ticks)
        error = _call(context, self._at_function, at_values, 2, at_trap)
        if error is not None or values[_TRAP]:
            raise self._failed(error, values[_TRAP])
        _get_fuel(context, at_fuel)
        returned = values[0] & 0xFFFFFFFF
        self.used = self._budget - values[_FUEL]
        _pool.append(cells)
        if self._moves:
            self.measure()
            view = self._view
        _, _, _, in_ptr, in_cap, out_ptr, out_len, out_cap = mailbox = cast(Mailbox, _unpack(view, address))
        known: int = self.size
        end = out_ptr + out_len
        if in_ptr + in_cap > known or out_ptr + out_cap > known or out_len > out_cap or out_len > most:
            check_buffers(mailbox, self.measure(), most)
            view = self._view
        return (
            returned if returned < 0x80000000 else returned - 0x100000000,
            in_ptr,
            in_cap,
            view[out_ptr:end].tobytes(),
        )

    def call(self, name: str, *arguments: int) -> int:
        """Call an export with a whole budget."""
        result = super().call(name, *arguments)
        self.measure()
        return result

    def mailbox(self, at: int) -> Mailbox:
        """The eight numbers at `at`."""
        return cast(Mailbox, _unpack(self._view, at))

    def read(self, at: int, size: int) -> bytes:
        """A copy of that part of the memory."""
        return self._view[at : at + size].tobytes()

    def write(self, at: int, content: bytes) -> None:
        """Put bytes into the memory."""
        self._view[at : at + len(content)] = content

    def measure(self) -> int:
        """The memory's size now; the view is made anew where the memory grew or may have moved."""
        if not self._context:
            # not by ctypes.cast: what that is given would hold itself for ever, and a cell collects no cycles
            self._context = ctypes.addressof(self._store._context().contents)
            self._at_memory = ctypes.addressof(self._memory._memory)
        size = cast(int, _data_size(self._context, self._at_memory))
        if size != self.size or self._moves:
            self.size = size
            base = cast(int, _data(self._context, self._at_memory) or 0)
            self._view = (
                memoryview((c_ubyte * size).from_address(base)).cast("B") if base else memoryview(b"")
            )
        return size

    def close(self) -> None:
        """Forget every address, then close the store."""
        self._view = memoryview(b"")
        self._context = 0
        super().close()

    def _failed(self, error: int | None, address: int) -> GuestFault:
        if error is not None:
            refused = wasmtime.WasmtimeError._from_ptr(ctypes.cast(error, POINTER(ffi.wasmtime_error_t)))
            return broken("call", f"the guest could not be called: {shown(str(refused), 200)}")
        trap = wasmtime.Trap._from_ptr(ctypes.cast(address, POINTER(ffi.wasm_trap_t)))
        return trapped(trap, self._limits)
