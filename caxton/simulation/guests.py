"""Where the guests of a simulated cell are: in this process, or in cell processes of this machine.

In: one frame at a time. Out: its answer, the same wherever the guest is: fuel ends a turn and nothing else does, and
what was measured in real time is left out.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from functools import cache
from typing import Final, Protocol

import msgspec

from caxton.cells import CellLost
from caxton.clock import Clock
from caxton.limits import BOUNDS
from caxton.sandbox.cell.calls_public import PublicCalls
from caxton.sandbox.cell.selftest import choose
from caxton.sandbox.cell.slots import Answer, Slots
from caxton.sandbox.cell.slow_lanes import Frame
from caxton.sandbox.frames import (
    RESULT,
    Kind,
    Loaded,
    Meters,
    Swapped,
    frame,
    load_payload,
    split_load,
)
from caxton.turn_status import Status

_UNBOUNDED: Final = {name: BOUNDS[name][1] for name in ("wall_ms", "snapshot_wall_ms")}


class Guests(Protocol):
    """The guests of one life of a cell."""

    def answer(self, frame: Frame) -> Answer:
        """Do what a frame asks."""
        ...

    def memory_bytes(self, slot: int) -> int | None:
        """The memory of the guest in a slot, now; None where nobody can see it."""
        ...

    def close(self) -> None:
        """End them all at once."""
        ...


class GuestsHere(Slots):
    """In this process."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(calls()[0], clock)

    def memory_bytes(self, slot: int) -> int | None:
        """Of its linear memory."""
        return self.live[slot].measure()

    def close(self) -> None:
        """Close every instance."""
        for guest in self.live.values():
            guest.close()
        self.live.clear()


class GuestsInCells:
    """In so many cell processes; all instances of an agent are in one, the agents are dealt out in turn."""

    def __init__(self, many: int) -> None:
        self._processes = [_Process() for _ in range(many)]
        self._agents: dict[str, _Process] = {}
        self._slots: dict[int, _Process] = {}

    def answer(self, frame: Frame) -> Answer:
        """Ask the process in which the slot is, and wait for it while virtual time stands still."""
        kind, slot, seq, payload = frame
        if kind == Kind.METERS:
            return self._meters()
        if kind == Kind.LOAD:
            asked, state = split_load(payload)
            there = self._agents.setdefault(
                asked.agent, self._processes[len(self._agents) % len(self._processes)]
            )
            self._slots[slot] = there
            limits = msgspec.structs.replace(asked.limits, **_UNBOUNDED)
            payload = load_payload(msgspec.structs.replace(asked, limits=limits), state)
        process = self._slots.get(slot, self._processes[0])
        return _unmeasured(kind, process.ask((kind, slot, seq, payload)))

    def memory_bytes(self, slot: int) -> int | None:
        """As its process measures it."""
        kib = self._slots[slot].meters().slot_kib.get(slot)
        return None if kib is None else kib * 1024

    def close(self) -> None:
        """Kill every process."""
        for process in self._processes:
            process.kill()

    def _meters(self) -> Answer:
        all_of_them = [process.meters() for process in self._processes]
        slots = {slot: kib for meters in all_of_them for slot, kib in meters.slot_kib.items()}
        sums = msgspec.structs.replace(
            all_of_them[0],
            rss_kib=sum(meters.rss_kib for meters in all_of_them),
            cpu_s=sum(meters.cpu_s for meters in all_of_them),
            slots=len(slots),
            slot_kib=slots,
        )
        return Status.OK, 0, msgspec.json.encode(sums), 0


class _Process:
    """One cell process, and the socket to it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "caxton.sandbox.cell", "--fd", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        self._socket = ours
        self._greeted = False

    def ask(self, asked: Frame) -> Answer:
        """Send one frame and wait for its answer; CellLost where the process ends."""
        kind, slot, seq, payload = asked
        if not self._greeted:
            self._receive()
            self._greeted = True
        try:
            self._socket.sendall(frame(kind, slot, seq, payload))
        except OSError as error:
            raise CellLost("a cell process has ended") from error
        return self._receive()

    def meters(self) -> Meters:
        """What it measures of itself and its guests."""
        return msgspec.json.decode(self.ask((Kind.METERS, 0, 0, b""))[2], type=Meters)

    def kill(self) -> None:
        """End it."""
        self._socket.close()
        self._process.kill()
        self._process.wait()

    def _receive(self) -> Answer:
        _, status, count, _, length, _, fuel, _, _ = RESULT.unpack(self._exactly(RESULT.size))
        return Status(status), count, self._exactly(length), fuel

    def _exactly(self, many: int) -> bytes:
        parts: list[bytes] = []
        while many:
            part = self._socket.recv(min(many, 1 << 20))
            if not part:
                raise CellLost("a cell process has ended")
            parts.append(part)
            many -= len(part)
        return b"".join(parts)


def _unmeasured(kind: int, answer: Answer) -> Answer:
    """An answer without what was measured in real time."""
    status, count, body, fuel = answer
    if status is Status.OK and kind == Kind.LOAD:
        loaded = msgspec.json.decode(body, type=Loaded)
        body = msgspec.json.encode(msgspec.structs.replace(loaded, load_us=0))
    elif status is Status.OK and kind == Kind.SWAP:
        head, separator, state = body.partition(b"\0")
        swapped = msgspec.json.decode(head, type=Swapped)
        body = msgspec.json.encode(msgspec.structs.replace(swapped, pause_us=0)) + separator + state
    return status, count, body, fuel


@cache
def calls() -> tuple[type[PublicCalls], str]:
    """The way in which guests are called here, and why."""
    return choose()
