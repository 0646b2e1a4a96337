"""One live guest: made from a revision, then one message after another, by ABI 1 (DESIGN.md 4).

In: a message as bytes. Out: what the turn wrote, with its number of messages; or `GuestFault`, after which
the caller drops the instance unless the fault says that it stays. One thread at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from caxton import exact_numbers
from caxton.limits import Limits
from caxton.sandbox import abi, output_lines
from caxton.sandbox.cell.calls import Calls
from caxton.sandbox.cell.calls_public import PublicCalls
from caxton.sandbox.faults import GuestFault, broken, over, shown
from caxton.sandbox.frames import COUNT_CEILING
from caxton.sandbox.modules import Revision
from caxton.sandbox.state_limits import restore_limits, snapshot_limits, too_long
from caxton.turn_status import Status


class Instance:
    """A guest in its sandbox. `calls` is `FastCalls` or `PublicCalls`."""

    __slots__ = (
        "_address",
        "_calls",
        "_in_cap",
        "_in_ptr",
        "_limits",
        "_message_bytes",
        "_messages_out",
        "_output_bytes",
        "abi",
        "hooks",
        "memory_bytes",
        "revision",
    )

    def __init__(self, revision: Revision, limits: Limits, calls: type[PublicCalls]) -> None:
        self.revision = revision
        self._limits = limits
        self._message_bytes = limits.message_bytes
        self._messages_out = limits.messages_out
        self._output_bytes = limits.output_bytes
        self.hooks = revision.exports.hooks
        self._calls: Calls = calls(revision, limits)
        try:
            if revision.exports.initialize:
                self._calls.call(abi.INITIALIZE)
            self._address = self._calls.call("caxton_abi") & 0xFFFFFFFF
            self.memory_bytes = self._calls.measure()
            abi.check_address(self._address, self.memory_bytes)
            self.abi = abi.check_version(self._calls.mailbox(self._address))
            self._in_ptr = self._in_cap = 0
            self.hooks |= abi.asked(self._look())
        except BaseException:
            self._calls.close()
            raise

    def turn(self, message: bytes) -> tuple[int, bytes, int]:
        """Handle one message: the number of messages sent, the lines as the guest wrote them, the fuel
        used."""
        calls = self._calls
        size = len(message)
        fuel = 0
        if size > self._in_cap or size > self._message_bytes:
            self._make_room(message, self._message_bytes)
            fuel = calls.used
        try:
            returned, self._in_ptr, self._in_cap, output = calls.exchange(
                self._in_ptr, message, self._address, self._output_bytes
            )
        except GuestFault as fault:
            fault.charge(fault.fuel or calls.used)
            raise
        fuel += calls.used
        if (
            returned == 1
            and len(output) <= self._message_bytes
            and output.startswith(b'{"')
            and not output.startswith(b'{"caxton"')
            and (output.find(b"\n") + 1 or len(output)) == len(output)
        ):
            return 1, output, fuel
        return self._settle(returned, output, fuel)

    def init(self, name: str, settings: Any, seeds: Sequence[str] = ()) -> None:
        """Tell the guest its name and settings, where it wants to know them; it cannot ask for randomness."""
        if "init" in self.hooks:
            self._give("caxton_init", exact_numbers.encode({"name": name, "settings": settings}))
            self.hooks |= abi.asked(self._look())

    def snapshot(self) -> bytes:
        """The guest's state; only where it has the hook. A refusal leaves it as it was."""
        with snapshot_limits(self._calls, self._limits) as own:
            self._accepted("caxton_snapshot", self._calls.call("caxton_snapshot"))
            mailbox = self._look()
            if mailbox[6] > own.output_bytes:
                raise too_long(mailbox[6], own.output_bytes)
            return self._calls.read(mailbox[5], mailbox[6])

    def restore(self, state: bytes) -> None:
        """Give the guest the state of an earlier instance; only where it has the hook."""
        with restore_limits(self._calls, self._limits):
            self._give("caxton_restore", state)

    def shutdown(self) -> None:
        """Let the guest end in order; how it goes makes no difference."""
        if "shutdown" in self.hooks:
            try:
                self._calls.call("caxton_shutdown")
            except GuestFault:
                pass

    def measure(self) -> int:
        """Bytes of memory now. Not while a call runs."""
        self.memory_bytes = self._calls.measure()
        return self.memory_bytes

    def patience(self, times: int) -> None:
        """Let every call from now on take so many times the wall limit."""
        self._calls.patience(times)

    def close(self) -> None:
        """Give everything back. Not while a call runs."""
        self._calls.close()

    def _settle(self, returned: int, output: bytes, fuel: int) -> tuple[int, bytes, int]:
        """The rarer ways for a turn to end: errors, none, several, log lines."""
        if returned < 0:
            raise _refusal("guest_error", returned, output).charge(fuel)
        if returned > self._messages_out:
            reason = f"the turn sends {returned:,} messages, its limit is {self._messages_out:,}"
            raise over("messages_out", reason).charge(fuel)
        found = output_lines.count(output, self._message_bytes)
        if found < 0:
            reason = f"a line of the turn has more than {self._message_bytes:,} bytes"
            raise over("message_bytes", reason).charge(fuel)
        if found != returned:
            reason = f"handle_message returned {returned}, the turn wrote {found} message lines"
            hint = "return the number of lines that are messages; log lines do not count"
            raise broken("count", reason, hint).charge(fuel)
        return found, output, fuel

    def _make_room(self, message: bytes, most: int) -> None:
        """Have the guest make its in buffer large enough."""
        size = len(message)
        if size > most:
            reason = f"the message has {size:,} bytes, more than the agent's limit of {most:,}"
            raise GuestFault(Status.UNHANDLED, "message_bytes", reason)
        address = self._calls.call("caxton_alloc", size) & 0xFFFFFFFF
        if address == 0:
            reason = f"the guest has no room for {size:,} bytes"
            raise GuestFault(Status.GUEST_ERROR, "no_room", reason, count=1, fuel=self._calls.used)
        self._look()
        if self._in_ptr != address or self._in_cap < size:
            reason = f"after caxton_alloc({size}) the in buffer is {self._in_ptr:#x}+{self._in_cap}"
            raise broken("alloc", f"{reason}, it must be at {address:#x} and large enough")

    def _give(self, name: str, content: bytes) -> None:
        if len(content) > self._in_cap:
            self._make_room(content, len(content))
        self._calls.write(self._in_ptr, content)
        self._accepted(name, self._calls.call(name, self._in_ptr, len(content)))
        self._look()

    def _accepted(self, name: str, returned: int) -> None:
        if returned < 0:
            code = name.removeprefix("caxton_") + "_refused"
            raise _refusal(code, returned, self._output()[:2048])

    def _output(self) -> bytes:
        mailbox = self._look()
        return self._calls.read(mailbox[5], mailbox[6])

    def _look(self) -> abi.Mailbox:
        """Read the mailbox and check it against the memory as it is now."""
        mailbox = self._calls.mailbox(self._address)
        self._check(mailbox, self._calls.used)
        self._in_ptr, self._in_cap = mailbox[3], mailbox[4]
        return mailbox

    def _check(self, mailbox: abi.Mailbox, fuel: int) -> None:
        self.memory_bytes = self._calls.measure()
        fault = abi.mailbox_fault(mailbox, self.memory_bytes)
        if fault is not None:
            try:
                raise fault.charge(fuel)
            finally:
                # else it would hold itself by this frame, and the instance with it: a cell collects no cycles
                del fault


def _refusal(code: str, returned: int, output: bytes) -> GuestFault:
    text = shown(output[:4096].decode("utf-8", "replace")) or f"the guest returned {returned}"
    return GuestFault(Status.GUEST_ERROR, code, text, count=min(-returned, COUNT_CEILING))
