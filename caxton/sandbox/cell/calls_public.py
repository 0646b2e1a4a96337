"""The calls into a guest through documented functions of the wasmtime package only; about 40 µs a turn."""

from __future__ import annotations

from typing import cast

import wasmtime

from caxton.limits import Limits
from caxton.sandbox.abi import HOOKS, INITIALIZE, MAILBOX, REQUIRED, Mailbox
from caxton.sandbox.cell.calls import Exchange, check_buffers, instantiate, store, trapped
from caxton.sandbox.engines import engine, ticks
from caxton.sandbox.modules import Revision

_FUNCTIONS = frozenset({*REQUIRED, *HOOKS, INITIALIZE} - {"memory"})


class PublicCalls:
    """Implements `Calls`. Owns the store: a function is never called with another's."""

    __slots__ = ("_functions", "_limits", "_memory", "_store", "_ticks", "size", "used")

    def __init__(self, revision: Revision, limits: Limits) -> None:
        self._limits = limits
        self._ticks = ticks(limits)
        self._store = store(engine(revision.profile), limits)
        try:
            exports = instantiate(self._store, revision.module, limits).exports(self._store)
        except BaseException:
            # at once: a failed instance keeps its memory for as long as its store
            self._store.close()
            raise
        self._memory = cast(wasmtime.Memory, exports["memory"])
        self._functions = {
            name: cast(wasmtime.Func, export) for name, export in exports.items() if name in _FUNCTIONS
        }
        self.used: int = 0
        self.size: int = 0
        self.measure()

    def exchange(self, at: int, message: bytes, address: int, most: int) -> Exchange:
        """Write the message, call `handle_message`, read the mailbox and copy the output."""
        self.write(at, message)
        returned = self.call("handle_message", at, len(message))
        mailbox = self.mailbox(address)
        check_buffers(mailbox, self.measure(), most)
        return returned, mailbox[3], mailbox[4], self.read(mailbox[5], mailbox[6])

    def call(self, name: str, *arguments: int) -> int:
        """Call an export with a whole budget."""
        made, limits = self._store, self._limits
        made.set_fuel(limits.fuel)
        made.set_epoch_deadline(self._ticks)
        try:
            result: object = self._functions[name](made, *arguments)
        except wasmtime.Trap as trap:
            raise trapped(trap, limits) from None
        self.used = limits.fuel - made.get_fuel()
        return result if isinstance(result, int) else 0

    def mailbox(self, at: int) -> Mailbox:
        """The eight numbers at `at`."""
        return cast(Mailbox, MAILBOX.unpack(self.read(at, MAILBOX.size)))

    def read(self, at: int, size: int) -> bytes:
        """A copy of that part of the memory."""
        return bytes(self._memory.read(self._store, at, at + size)) if size else b""

    def write(self, at: int, content: bytes) -> None:
        """Put bytes into the memory."""
        if content:
            self._memory.write(self._store, content, at)

    def measure(self) -> int:
        """The memory's size now."""
        self.size = self._memory.data_len(self._store)
        return self.size

    def patience(self, times: int) -> None:
        """Let every call from now on take so many times the wall limit."""
        self._ticks = ticks(self._limits) * times

    def allow(self, limits: Limits) -> None:
        """Let every call of a hook from now on take the fuel and the wall time of these limits."""
        self._limits, self._ticks = limits, ticks(limits)

    def close(self) -> None:
        """Close the store, and with it everything of the instance."""
        self._functions = {}
        self._store.close()
