"""The instances of a cell by slot, and every request but the quick way of a turn."""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Collection

import msgspec

from caxton.clock import Clock
from caxton.sandbox.cell.calls_public import PublicCalls
from caxton.sandbox.cell.guests import Guest, live
from caxton.sandbox.cell.rerun import kib, rerun
from caxton.sandbox.cell.slow_lanes import Frame
from caxton.sandbox.faults import GuestFault
from caxton.sandbox.frames import (
    RESULT,
    Kind,
    Load,
    Loaded,
    Meters,
    Swapped,
    read_stop,
    read_swap,
    split_load,
)
from caxton.sandbox.modules import load
from caxton.sandbox.profiles import Profile
from caxton.turn_status import Status

Answer = tuple[Status, int, bytes, int]
"""status, count, payload, fuel."""


class Slots:
    """All instances of one cell. Two threads may work here at once, never on the same slot."""

    def __init__(self, calls: type[PublicCalls], clock: Clock) -> None:
        self.live: dict[int, Guest] = {}
        self._calls = calls
        self._clock = clock
        self.handoffs = 0
        """How often the run queue was handed on; the runners count it."""

    def perform(self, frame: Frame, away: Collection[int] = ()) -> tuple[bytes, bytes]:
        """Do what a frame asks and return the result's head and payload. `away` are slots in other
        threads."""
        kind, slot, seq, _ = frame
        started_us = self._clock.now_us()
        began = self._clock.monotonic()
        status, count, body, fuel = self.answer(frame, away)
        turn_us = min(self._since(began), 0xFFFFFFFF)
        head = RESULT.pack(kind, status, count, slot, len(body), seq, fuel, started_us, turn_us)
        return head, body

    def answer(self, frame: Frame, away: Collection[int] = ()) -> Answer:
        """Do what a frame asks; what the result says besides its times."""
        kind, slot, _, payload = frame
        try:
            return self._answer(kind, slot, payload, away)
        except GuestFault as fault:
            return refused(kind, fault)

    def failed(self, slot: int, fault: GuestFault) -> None:
        """After a call that did not end well: drop the instance unless it stays."""
        if fault.status not in (Status.GUEST_ERROR, Status.UNHANDLED):
            self._drop(slot)
            fault.lost.append(slot)

    def _answer(self, kind: int, slot: int, payload: bytes, away: Collection[int]) -> Answer:
        match kind:
            case Kind.TURN | Kind.ASIDE:
                return self._turn(slot, payload)
            case Kind.LOAD:
                return Status.OK, 0, self._load(slot, payload), 0
            case Kind.SNAPSHOT:
                return Status.OK, 0, self._snapshot(slot), 0
            case Kind.STOP:
                return Status.OK, 0, self._stop(slot, payload), 0
            case Kind.METERS:
                return Status.OK, 0, self._meters(away), 0
            case Kind.SWAP:
                return Status.OK, 0, self._swap(slot, payload), 0
            case Kind.REPLAY:
                return Status.OK, 0, self._rerun(slot, payload), 0
            case _:
                raise GuestFault(Status.UNHANDLED, "unknown_frame", f"no frame has the kind {kind}")

    def _turn(self, slot: int, message: bytes) -> Answer:
        instance = self._there(slot)
        try:
            count, output, fuel = instance.turn(message)
        except GuestFault as fault:
            self.failed(slot, fault)
            raise
        return Status.OK, count, output, fuel

    def _rerun(self, slot: int, payload: bytes) -> bytes:
        try:
            answer, lost = rerun(self._there(slot), payload)
        except msgspec.MsgspecError as wrong:
            raise _unreadable(wrong) from None
        if lost is not None:
            self.failed(slot, lost)
        return answer

    def _there(self, slot: int) -> Guest:
        instance = self.live.get(slot)
        if instance is None:
            raise GuestFault(Status.UNHANDLED, "no_instance", f"no instance is in slot {slot}")
        return instance

    def _load(self, slot: int, payload: bytes) -> bytes:
        began = self._clock.monotonic()
        asked, state = _decoded_load(payload)
        revision = load(asked.module, Profile(asked.profile))
        made = live(revision, asked.limits, self._calls)
        try:
            made.init(asked.agent, asked.settings, asked.seeds)
            restored = asked.restore and "restore" in made.hooks
            if restored:
                made.restore(state)
            memory_kib = kib(made.measure())
        except BaseException:
            made.close()
            raise
        self._retire(slot)
        self.live[slot] = made
        return msgspec.json.encode(
            Loaded(
                hooks=sorted(made.hooks),
                memory_kib=memory_kib,
                load_us=self._since(began),
                abi=made.abi,
                restored=restored,
            )
        )

    def _snapshot(self, slot: int) -> bytes:
        instance = self._there(slot)
        if "snapshot" not in instance.hooks:
            raise GuestFault(Status.GUEST_ERROR, "no_hook", "the guest does not export caxton_snapshot")
        try:
            return instance.snapshot()
        except GuestFault as fault:
            self.failed(slot, fault)
            raise

    def _stop(self, slot: int, payload: bytes) -> bytes:
        instance = self._there(slot)
        try:
            wanted = read_stop(payload).snapshot if payload else False
        except msgspec.MsgspecError as wrong:
            raise _unreadable(wrong) from None
        try:
            return instance.snapshot() if wanted and "snapshot" in instance.hooks else b""
        except GuestFault as fault:
            self.failed(slot, fault)
            raise
        finally:
            self._retire(slot)

    def _swap(self, slot: int, payload: bytes) -> bytes:
        began = self._clock.monotonic()
        try:
            asked = read_swap(payload)
        except msgspec.MsgspecError as wrong:
            raise _unreadable(wrong) from None
        new, old = self._there(slot), self._there(asked.source)
        if new is old:
            raise GuestFault(Status.UNHANDLED, "same_slot", "a slot cannot give way to itself")
        carried = asked.carry and "snapshot" in old.hooks and "restore" in new.hooks
        state = self._carry(slot, new, asked.source, old) if carried else b""
        pause_us = self._since(began)
        if not asked.keep:
            self._retire(asked.source)
        swapped = msgspec.json.encode(Swapped(state="carried" if carried else "fresh", pause_us=pause_us))
        return b"\0".join((swapped, state)) if asked.tell else swapped

    def _carry(self, slot: int, new: Guest, source: int, old: Guest) -> bytes:
        try:
            state = old.snapshot()
        except GuestFault as fault:
            self.failed(source, fault)
            self._drop(slot)
            fault.lost.append(slot)
            raise
        try:
            new.restore(state)
        except GuestFault as fault:
            self._drop(slot)
            fault.lost.append(slot)
            raise
        return state

    def _since(self, began: float) -> int:
        return int((self._clock.monotonic() - began) * 1e6)

    def _retire(self, slot: int) -> None:
        instance = self.live.pop(slot, None)
        if instance is not None:
            instance.shutdown()
            instance.close()

    def _drop(self, slot: int) -> None:
        instance = self.live.pop(slot, None)
        if instance is not None:
            instance.close()

    def handed_on(self) -> None:
        """A runner was late and the queue went to another."""
        self.handoffs += 1

    def _meters(self, away: Collection[int]) -> bytes:
        slot_kib = {
            # a store must not be asked anything while another thread runs in it
            slot: kib(instance.memory_bytes if slot in away else instance.measure())
            for slot, instance in list(self.live.items())
        }
        return msgspec.json.encode(
            Meters(
                pid=os.getpid(),
                rss_kib=_rss_kib(),
                cpu_s=time.process_time(),
                slots=len(slot_kib),
                threads=threading.active_count(),
                handoffs=self.handoffs,
                slot_kib=slot_kib,
            )
        )


def touched(frame: Frame) -> tuple[int, ...]:
    """The slots that a frame reads or changes."""
    kind, slot, _, payload = frame
    if kind == Kind.METERS:
        return ()
    if kind == Kind.SWAP:
        try:
            return (slot, read_swap(payload).source)
        except msgspec.MsgspecError:
            return (slot,)  # `perform` says what is wrong with it
    return (slot,)


def refused(kind: int, fault: GuestFault) -> Answer:
    """A fault as the answer to a frame; what a guest itself says about a turn is passed on as it is."""
    if kind in (Kind.TURN, Kind.ASIDE) and fault.status is Status.GUEST_ERROR:
        text = fault.reason.encode()
        return fault.status, fault.count, text + b"\n" + fault.logs if fault.logs else text, fault.fuel
    return fault.status, fault.count, fault.payload(), fault.fuel


def _decoded_load(payload: bytes) -> tuple[Load, bytes]:
    try:
        asked, state = split_load(payload)
        Profile(asked.profile)
    except (msgspec.MsgspecError, ValueError) as wrong:
        raise _unreadable(wrong) from None
    return asked, state


def _unreadable(wrong: Exception) -> GuestFault:
    return GuestFault(Status.UNHANDLED, "frame", f"the frame cannot be read: {wrong}")


def _rss_kib() -> int:
    """Resident memory of this process; where the system only tells the highest so far, that."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * resource.getpagesize() // 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
