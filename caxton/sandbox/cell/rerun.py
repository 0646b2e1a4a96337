"""Turns run once more: many messages in one frame, their output thrown away or handed back.

In: a live instance and a REPLAY frame's payload. Out: how each turn went. What a turn says here goes to the daemon at
most; nobody on the bus hears it. A turn that costs the instance ends the rerun: `done` says how far it came.
"""

from __future__ import annotations

import time

import msgspec

from caxton.sandbox.cell.guests import Guest
from caxton.sandbox.faults import GuestFault
from caxton.sandbox.frames import Fault, Replay, Replayed, ReplayedTurn, cut, split_payload
from caxton.turn_status import DISCARDED, Status

PATIENCE = 10
"""A turn that ended in time once may take so many times its wall limit here: the machine may be busier now."""


def rerun(instance: Guest, payload: bytes) -> tuple[bytes, GuestFault | None]:
    """Run the messages of a payload in order; the answer's payload, and the fault where the instance is lost.

    Raises `msgspec.MsgspecError` for a payload that cannot be read.
    """
    asked, bodies = split_payload(payload, Replay)
    turns: list[ReplayedTurn] = []
    outputs: list[bytes] = []
    done = fuel = 0
    lost: GuestFault | None = None
    began_ns = time.thread_time_ns()
    instance.patience(PATIENCE)
    try:
        for message in cut(bodies, asked.lengths):
            status, count, output, used = 0, 0, b"", 0
            try:
                count, output, used = instance.turn(message)
            except GuestFault as fault:
                status, count, used = fault.status, fault.count, fault.fuel
                output = fault.reason.encode() if status == Status.GUEST_ERROR else fault.payload()
                if status in DISCARDED:
                    # without the frames that it came through, of which this is one: a cell collects no cycles
                    lost = fault.with_traceback(None)
            fuel += used
            if asked.outputs:
                memory_kib = kib(instance.memory_bytes if lost else instance.measure())
                turns.append(ReplayedTurn(status, count, used, memory_kib, len(output)))
                outputs.append(output)
            if lost is not None:
                break
            done += 1
    finally:
        instance.patience(1)
    why = None if lost is None else Fault(code=lost.code, reason=lost.reason, hint=lost.hint)
    cpu_us = (time.thread_time_ns() - began_ns) // 1000
    head = msgspec.json.encode(Replayed(done=done, fuel=fuel, cpu_us=cpu_us, fault=why, turns=turns))
    return head + b"\0" + b"".join(outputs), lost


def kib(memory_bytes: int | None) -> int | None:
    """Bytes as KiB; what is not known stays so."""
    return None if memory_bytes is None else memory_bytes // 1024
