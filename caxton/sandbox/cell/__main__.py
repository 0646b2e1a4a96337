"""A cell: the process that runs guests. Run as `python -m caxton.sandbox.cell --fd N [--box M]` with a stream
socket as N and memory that it shares with the daemon (`blackbox`) as M.

It says HELLO, then answers frames (`frames`) until the daemon closes the socket. It never opens a file but
the compiled modules that the daemon names, and no guest runs on its main thread, which only waits for the
end.
"""

from __future__ import annotations

import argparse
import gc
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Sequence
from importlib.metadata import version

import msgspec

from caxton.clock import SystemClock
from caxton.sandbox.cell.calls_public import PublicCalls
from caxton.sandbox.cell.runner import RunQueue
from caxton.sandbox.cell.selftest import choose
from caxton.sandbox.cell.slots import Slots
from caxton.sandbox.cell.watcher import Watcher
from caxton.sandbox.crash_record import CrashRecord, shared
from caxton.sandbox.engines import native_version
from caxton.sandbox.frames import RESULT, Hello, Kind
from caxton.sandbox.processes import die_with_parent
from caxton.sandbox.profiles import STACK

BROKE = 70
"""The exit code of a cell that ended by a fault of its own."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve one socket until it is closed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True, help="the socket to the daemon")
    parser.add_argument("--box", type=int, help="the black box's memory; without it nobody looks")
    chosen = parser.parse_args(arguments)
    stream = socket.socket(fileno=chosen.fd)
    box = CrashRecord(shared() if chosen.box is None else chosen.box)
    stream.setblocking(True)
    die_with_parent()
    # a terminal's interrupt goes to the whole group; the daemon decides when its cells end
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # native stack must be larger than a guest's, or deep recursion in a guest ends the process
    threading.stack_size(16 * STACK)
    sys.setswitchinterval(0.0005)
    threading.excepthook = _end
    calls, why = choose()
    stream.sendall(_hello(calls, why))
    queue = RunQueue(stream, Slots(calls, SystemClock()), box)
    # the objects of a turn are in no cycle; a collection would only stop all agents now and then
    gc.collect()
    gc.freeze()
    gc.disable()
    queue.start()
    Watcher(queue).start()
    queue.ended.wait()
    # not in order: a late thread may still be in a guest, whose store must not be taken away under it
    os._exit(0)


def _hello(calls: type[PublicCalls], why: str) -> bytes:
    hello = Hello(
        pid=os.getpid(),
        fast=calls is not PublicCalls,
        fast_reason=why,
        wasmtime=version("wasmtime"),
        native=native_version(),
    )
    body = msgspec.json.encode(hello)
    return RESULT.pack(Kind.HELLO, 0, 0, 0, len(body), 0, 0, 0, 0) + body


def _end(failure: threading.ExceptHookArgs) -> None:
    """A thread of the cell failed, which no guest can bring about: end, so that the supervisor starts
    another. What it cannot send to a daemon that is gone is no failure."""
    if issubclass(failure.exc_type, ConnectionError):
        os._exit(0)
    traceback.print_exception(failure.exc_type, failure.exc_value, failure.exc_traceback)
    sys.stderr.flush()
    os._exit(BROKE)


if __name__ == "__main__":
    main()
