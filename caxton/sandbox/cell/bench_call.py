"""The bare guest call: what a turn costs with nothing around it, in microseconds.

    python -m caxton.sandbox.cell.bench_call < module.wasm

In: a module of ours on stdin (the bench's, never a user's). Out: the median time of one turn in microseconds, on one
line: message written, guest called with fuel and deadline, output copied. The bench holds a message's whole cost
against it.
"""

from __future__ import annotations

import statistics
import sys
import threading
import time

import wasmtime

from caxton.limits import Limits
from caxton.sandbox.cell.instance import Instance
from caxton.sandbox.cell.selftest import choose
from caxton.sandbox.engines import engine
from caxton.sandbox.modules import Revision
from caxton.sandbox.profiles import Profile

ROUNDS = 40
TURNS = 2_000
STACK = 16 * 1024 * 1024

MESSAGE = (
    b'{"id":"7d7c6f3e-9b7a-8123-9f00-00000000002a","performative":"request","sender":"a1@local",'
    b'"receiver":["a2@local"],"conversation_id":"bench-17","trace_id":"00000000000000000000000000000001",'
    b'"span_id":"9f86d081884c7d65","timestamp":1700000000000000,"content":{"n":1234},"reply_with":"r1",'
    b'"language":"json","ontology":"bench"}'
)


def main() -> None:
    """Measure and print."""
    wasm = sys.stdin.buffer.read()
    # never a guest on the main thread, and never on a small stack
    threading.stack_size(STACK)
    worker = threading.Thread(target=_measure, args=(wasm,))
    worker.start()
    worker.join()


def _measure(wasm: bytes) -> None:
    calls, _ = choose()
    revision = Revision(wasmtime.Module(engine(Profile.STANDARD), wasm), Profile.STANDARD)
    instance = Instance(revision, Limits(), calls)
    rounds: list[float] = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(TURNS):
            instance.turn(MESSAGE)
        rounds.append((time.perf_counter() - began) / TURNS * 1e6)
    instance.close()
    sys.stdout.write(f"{statistics.median(rounds):.3f}\n")


if __name__ == "__main__":
    main()
