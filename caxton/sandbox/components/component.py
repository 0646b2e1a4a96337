"""One live component: made from a world, then one message after another, by `python/guest/agent.wit`.

In and out are those of `instance`: a message as bytes, what the turn wrote, or `GuestFault`. One thread at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from caxton import exact_numbers
from caxton.limits import Limits
from caxton.sandbox import output_lines
from caxton.sandbox.abi import MAGIC, MAJOR, MINOR, asked, check_version
from caxton.sandbox.components.calls import ComponentCalls, Refused, Said, TooLong
from caxton.sandbox.components.linker import ABI_VERSION, AGAIN, ASKS, LOAD, World
from caxton.sandbox.components.wasi_stubs import present
from caxton.sandbox.faults import GuestFault, over, shown
from caxton.sandbox.state_limits import restore_limits, snapshot_limits, too_long
from caxton.turn_status import Status

HOOKS: Final = frozenset({"init", "snapshot", "restore", "shutdown"})
OPEN_CALLS: Final = (
    "wait until its open calls have ended, or cancel them: "
    "caxton msg send --to AGENT --performative cancel --ontology caxton-calls --wait"
)
"""What to do about a build that would ask otherwise than was asked."""


class ComponentInstance:
    """A component in its sandbox; the same to a slot as `Instance`."""

    __slots__ = ("_calls", "_limits", "_seed", "_seeds", "abi", "hooks", "revision")

    def __init__(self, world: World, limits: Limits) -> None:
        self.revision = world
        self.hooks = HOOKS
        self._limits = limits
        self._seed = b""
        self._seeds: list[bytes] = []
        present.begin(b"", b"")
        self._calls = ComponentCalls(world, limits)
        try:
            version = self._call("abi", ABI_VERSION)
            assert isinstance(version, int)
            self.abi = check_version((MAGIC, version, 0, 0, 0, 0, 0, 0))
            label = world.label
            if label.source is not None:
                self._call("source", LOAD, label.file.encode(), label.source.encode())
        except BaseException:
            self._calls.close()
            raise

    def turn(self, message: bytes) -> tuple[int, bytes, int]:
        """Handle one message: the number of messages sent, the lines as the guest wrote them, the fuel used."""
        head, message = split_head(message)
        most = self._limits.message_bytes
        if len(message) > most:
            reason = f"the message has {len(message):,} bytes, more than the agent's limit of {most:,}"
            raise GuestFault(Status.UNHANDLED, "message_bytes", reason)
        said = self._handle("guest_error", head, message)
        fuel = self._calls.used
        output = b"\n".join(said) if isinstance(said, list) else b""
        count = output_lines.count(output, most)
        if count < 0:
            raise over("message_bytes", f"a line of the turn has more than {most:,} bytes").charge(fuel)
        if count > self._limits.messages_out:
            reason = f"the turn sends {count:,} messages, its limit is {self._limits.messages_out:,}"
            raise over("messages_out", reason).charge(fuel)
        return count, output, fuel

    def init(self, name: str, settings: Any, seeds: Sequence[str] = ()) -> None:
        """Tell the guest its name and settings. Its randomness follows from both, in turns from a seed and its name."""
        config = exact_numbers.encode({"name": name, "settings": settings})
        self._seed = config
        self._seeds = [f"{seed}\0{name}\0".encode() for seed in seeds]
        self._call("init_refused", "init", config)
        if ASKS in self.revision.exports:
            flags = self._call("asks", ASKS)
            assert isinstance(flags, int)
            self.hooks = HOOKS | asked((MAGIC, MAJOR << 16 | MINOR, flags, 0, 0, 0, 0, 0))

    def snapshot(self) -> bytes:
        """The guest's state. A refusal leaves it as it was."""
        with snapshot_limits(self._calls, self._limits) as own:
            try:
                state = self._call("snapshot_refused", "snapshot")
            except TooLong as long:
                raise too_long(long.size, own.output_bytes) from None
        return state if isinstance(state, bytes) else b""

    def restore(self, state: bytes) -> None:
        """Give the guest the state of an earlier instance, and the messages that it wants to hear once more for it,
        each as a turn with a budget of its own; what these say was said."""
        with restore_limits(self._calls, self._limits):
            self._call("restore_refused", "restore", state)
        if AGAIN not in self.revision.exports:
            return
        while isinstance(message := self._call("restore_refused", AGAIN), bytes) and message:
            try:
                self._handle("restore_refused", *split_head(message))
            except GuestFault as fault:
                raise fault.advise(OPEN_CALLS) from None

    def shutdown(self) -> None:
        """Let the guest end in order; how it goes makes no difference."""
        try:
            self._call("shutdown", "shut-down")
        except GuestFault:
            pass

    memory_bytes: None = None

    def measure(self) -> None:
        """Nothing: the core instances in a component are not to be seen from outside, nor are their memories; the
        engine's limits on a store stop them and tell nobody."""

    def patience(self, times: int) -> None:
        """Let every call from now on take so many times the wall limit."""
        self._calls.patience(times)

    def close(self) -> None:
        """Give everything back. Not while a call runs."""
        self._calls.close()

    def _handle(self, code: str, head: bytes, message: bytes) -> Said:
        """A turn; its head says by which number it draws, and goes to the runtime, which keeps it for `again`."""
        number, _, which = head.partition(b".")
        if not number or not self._seeds:
            return self._call(code, "handle-message", message, message=message)
        seed = self._seeds[int(which)] + number
        given = head + message if self.revision.label.source is not None else message
        present.begin(seed, message, by_message=False)
        return self._called(code, "handle-message", given)

    def _call(self, code: str, name: str, *arguments: bytes, message: bytes = b"") -> Said:
        present.begin(self._seed, message)
        return self._called(code, name, *arguments)

    def _called(self, code: str, name: str, *arguments: bytes) -> Said:
        try:
            return self._calls.call(name, *arguments)
        except Refused as refused:
            reason, logs = _told(refused.text)
            raise GuestFault(
                Status.GUEST_ERROR, code, reason, count=1, fuel=self._calls.used, logs=logs
            ) from None
        except GuestFault as fault:
            fault.charge(fault.fuel or self._calls.used)
            raise


def split_head(message: bytes) -> tuple[bytes, bytes]:
    """The head of a message, which says the number of its turn, and the message itself, an object."""
    head, brace, rest = message.partition(b"{")
    return (head, brace + rest) if head else (b"", message)


def _told(text: bytes) -> tuple[str, bytes]:
    """The first line as the reason; of the others, log records as they are and the rest as one of level error."""
    first, _, rest = text.partition(b"\n")
    reason = shown(first.decode("utf-8", "replace")) or "the guest returned an error without a word"
    records = [line for line in output_lines.split(rest) if output_lines.is_control(line)]
    words = [line for line in rest.split(b"\n") if not output_lines.is_control(line)]
    if any(word.strip() for word in words):
        message = b"\n".join(words).decode("utf-8", "replace").strip("\n")
        records.append(msgspec.json.encode({"caxton": "log", "level": "error", "message": message}))
    return reason, b"\n".join(records)
