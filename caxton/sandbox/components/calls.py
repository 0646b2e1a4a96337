"""The calls into a component: text in, text out, with the whole budget of fuel and wall time each.

The package's own call looks types up each time and turns whatever a guest returns into Python objects; here the shapes
are those of `python/guest/agent.wit` and nothing larger than a turn may be is turned into anything. So this goes
through private functions of the pinned version, as `calls_fast` does.
"""

# pyright: reportPrivateUsage=false, reportPrivateImportUsage=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import ctypes
import re
from ctypes import byref
from typing import Any, Final

import wasmtime
from wasmtime import _ffi as ffi

from caxton.limits import Limits
from caxton.sandbox.components.linker import World
from caxton.sandbox.engines import engine, ticks
from caxton.sandbox.faults import GuestFault, broken, over, shown
from caxton.sandbox.profiles import Profile
from caxton.turn_status import Status

PYTHON_BYTES: Final = 16 * 1024 * 1024
"""What a language's runtime takes for itself; an agent's `memory_bytes` come on top of it."""
INSTANCES, TABLES, MEMORIES, TABLE_ELEMENTS = 64, 64, 8, 100_000
LINES_CEILING: Final = 20_000
"""The most lines that one turn may write."""

_STRING: Final = 12
_UNKNOWN: Final = re.compile(r"unknown import: `([^`]*)`")

Said = bytes | list[bytes] | int | None


class Refused(Exception):
    """Raised when the guest returned an error of the interface; its text as bytes. The instance stays."""

    def __init__(self, text: bytes) -> None:
        super().__init__(text)
        self.text = text


class TooLong(GuestFault):
    """Raised when one text is longer than everything that a call may write."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(
            Status.LIMIT, "output_bytes", f"the turn wrote more than its limit of {limit:,} bytes"
        )
        self.size = size


class ComponentCalls:
    """The calls into one instance, which one thread at a time may use. Owns the store."""

    __slots__ = ("_functions", "_limits", "_store", "_ticks", "used")

    def __init__(self, world: World, limits: Limits) -> None:
        self._limits = limits
        self._ticks = ticks(limits)
        self.used = 0
        """Fuel that the last call took."""
        self._store = wasmtime.Store(engine(Profile.COMPONENT))
        extra = PYTHON_BYTES if world.label.source is not None else 0
        self._store.set_limits(
            memory_size=limits.memory_bytes + extra,
            table_elements=TABLE_ELEMENTS,
            instances=INSTANCES,
            tables=TABLES,
            memories=MEMORIES,
        )
        self._refill()
        try:
            instance = world.linker.instantiate(self._store, world.component)
            self._functions: dict[str, Any] = {
                name: instance.get_func(self._store, name) for name in world.exports
            }
        except wasmtime.WasmtimeError as refused:
            self._store.close()
            text = str(refused)
            if "limit" in text or "too high" in text or "maximum" in text:
                raise over("memory", f"the component does not fit its limits: {shown(text, 200)}") from None
            raise self._failed(text) from None
        except BaseException:
            self._store.close()
            raise

    def call(self, name: str, *arguments: bytes) -> Said:
        """Call an export; raises Refused for an error of the interface, GuestFault where the instance is lost."""
        self._refill()
        context = self._store._context()
        function = self._functions[name]._func
        given = (ffi.wasmtime_component_val_t * len(arguments))()
        for place, text in zip(given, arguments, strict=True):
            place.kind = _STRING
            place.of.string = ffi.bytes_to_capi(text)
        answer = ffi.wasmtime_component_val_t()
        returns = name != "shut-down"
        try:
            error = ffi.wasmtime_component_func_call(
                byref(function),
                context,
                given,
                len(arguments),
                byref(answer) if returns else None,
                int(returns),
            )
            if error:
                raise self._failed(str(wasmtime.WasmtimeError._from_ptr(error)))
        finally:
            for place in given:
                ffi.wasmtime_component_val_delete(byref(place))
        try:
            return self._taken(answer) if returns else None
        finally:
            if returns:
                ffi.wasmtime_component_val_delete(byref(answer))
            error = ffi.wasmtime_component_func_post_return(byref(function), context)
            self.used = self._limits.fuel - self._store.get_fuel()
            if error:
                raise self._failed(str(wasmtime.WasmtimeError._from_ptr(error)))

    def patience(self, times: int) -> None:
        """Let every call from now on take so many times the wall limit."""
        self._ticks = ticks(self._limits) * times

    def allow(self, limits: Limits) -> None:
        """Let every call from now on take what these limits say."""
        self._limits, self._ticks = limits, ticks(limits)

    def close(self) -> None:
        """Close the store, and with it everything of the instance."""
        self._functions = {}
        self._store.close()

    def _refill(self) -> None:
        self._store.set_fuel(self._limits.fuel)
        self._store.set_epoch_deadline(self._ticks)

    def _taken(self, answer: Any) -> Said:
        """What was returned, copied; an error of the interface is raised."""
        if answer.kind != ffi.WASMTIME_COMPONENT_RESULT.value:
            return int(answer.of.u32)
        inner = answer.of.result.val
        value = self._value(inner.contents) if inner else None
        if answer.of.result.is_ok:
            return value
        raise Refused(value if isinstance(value, bytes) else b"")

    def _value(self, value: Any) -> Said:
        if value.kind == _STRING:
            return self._text(value, self._limits.output_bytes)
        if value.kind != ffi.WASMTIME_COMPONENT_LIST.value:
            raise broken("shape", "the component returned another shape than its interface has")
        lines = value.of.list
        many = int(lines.size)
        if many > LINES_CEILING:
            raise over("output_bytes", f"the turn wrote {many:,} lines, more than {LINES_CEILING:,}")
        left = self._limits.output_bytes
        taken: list[bytes] = []
        for index in range(many):
            taken.append(self._text(lines.data[index], left))
            left -= len(taken[-1]) + 1
        return taken

    def _text(self, value: Any, most: int) -> bytes:
        if value.kind != _STRING:
            # the types were checked when it was compiled; to read anything else as a string would read anywhere
            raise broken("shape", "the component returned another shape than its interface has")
        text = value.of.string
        size = int(text.size)
        if size > most:
            raise TooLong(size, self._limits.output_bytes)
        return ctypes.string_at(text.data, size) if size else b""

    def _failed(self, text: str) -> GuestFault:
        """An error of the engine as a fault; it is charged the whole budget."""
        limits = self._limits
        unknown = _UNKNOWN.search(text)
        if unknown is not None:
            fault = GuestFault(
                Status.TRAP,
                "not_allowed",
                f"the agent reached for {shown(unknown[1], 80)}, which is not there in a sandbox",
                "an agent has no files, no network, no processes; ask another agent in a message",
            )
        elif "all fuel consumed" in text:
            reason = f"the call used up its {limits.fuel:,} units of fuel"
            fault = over("fuel", reason, "raise fuel, or do less a turn")
        elif "wasm trap: interrupt" in text:
            reason = f"the call ran longer than its {limits.wall_ms:,} ms of wall time"
            fault = over("wall_time", reason, "raise wall_ms, or do less a turn")
        else:
            last = text.strip().rpartition("\n")[2].strip()
            fault = GuestFault(Status.TRAP, "trap", f"the guest trapped: {shown(last, 200)}")
        fault.fuel = limits.fuel
        return fault
