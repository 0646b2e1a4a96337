"""What one agent that does its worst within the default limits costs all the others.

Each storm is an agent that says the same in each turn, whatever it is told. Ten other agents talk at a steady rate, in
windows with and without the storm in turn; a figure is the median of the windows.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

import msgspec

from caxton.bench.figures import Figure, Progress, percentile
from caxton.bench.latency import pace
from caxton.bench.measured_system import Hops, populate, say, stage
from caxton.deploy import DeploymentRequest
from caxton.runtime import Runtime

OTHERS = 10
RATE = 1_000
WINDOWS = 7
WINDOW_S = 0.6
TARGET_RATIO: Final = 5.0
LOGS: Final = 100
_NAME: Final = "storm"
_OTHER: Final = "storm-other"
_OUT: Final = 128 * 1024
_encode = msgspec.json.Encoder().encode

Json = dict[str, object]


class Storm(NamedTuple):
    """What the agent says in each turn; how many messages it is told at first; whether a second one answers it."""

    name: str
    text: str
    lines: list[Json]
    begun_by: int = 1
    pair: bool = False


def storms() -> Iterator[Storm]:
    """Every way of doing one's worst, messages and all."""
    nobody = [f"n{n}" for n in range(256)]
    to_self: Json = {"performative": "inform", "receiver": _NAME, "content": 1}
    log: Json = {"caxton": "log", "level": "info", "message": "x" * 80}
    asked: Json = {"performative": "request", "receiver": _NAME, "protocol": "fipa-request"}
    timer: Json = {"performative": "request", "receiver": "timer", "content": {"after_ms": 1}}
    yield Storm(
        "fan_out", "says 38 messages to 256 agents that do not exist", [{**to_self, "receiver": nobody}] * 38
    )
    yield Storm("self_fork", "says two messages to itself in each turn", [to_self, to_self])
    yield Storm("ping_pong", "has 200 messages with another one, for ever", [], 200, pair=True)
    yield Storm("log_flood", "logs 100 lines in each turn", [log] * LOGS + [to_self], 64)
    yield Storm("conversation_flood", "begins a conversation with itself in each turn", [asked], 64)
    yield Storm(
        "journal_flood", "says 200 KB to itself in each turn", [{**to_self, "content": "x" * 200_000}], 8
    )
    yield Storm("timers", "sets 64 timers in each turn", [timer] * 64)


async def others(folder: Path | None, progress: Progress) -> list[Figure]:
    """p99 of ten others' hops at 1,000 messages a second, with each storm and without."""
    figures: list[Figure] = []
    async with stage(folder) as runtime:
        names = await populate(runtime, "echo", OTHERS, progress)
        hops = Hops(runtime, among=b'"conversation_id":"pace-')
        await pace(runtime, names, RATE, 1.0, lambda part: progress("warming up", part))
        hops.keep = True
        for storm in storms():
            quiet: list[float] = []
            loud: list[float] = []
            for number in range(WINDOWS):
                part = number / WINDOWS
                quiet.append(await _window(runtime, hops, names, progress, f"before {storm.name}", part))
                await _begin(runtime, storm)
                loud.append(await _window(runtime, hops, names, progress, storm.name, part))
                await _end(runtime, storm)
            ratio = median(loud) / median(quiet)
            figures += [
                Figure(
                    f"{storm.name}_p99_us", median(loud), "µs", f"p99 of the others while one {storm.text}"
                ),
                Figure(
                    f"{storm.name}_ratio",
                    ratio,
                    "x",
                    f"that over the p99 without it, {median(quiet):,.0f} µs",
                    target=TARGET_RATIO,
                ),
            ]
        hops.close()
    return figures


async def _window(
    runtime: Runtime, hops: Hops, names: list[str], progress: Progress, what: str, part: float
) -> float:
    """p99 of the others in one window."""
    hops.values.clear()
    await pace(runtime, names, RATE, WINDOW_S, lambda _: progress(what, part))
    await runtime.journal.committed_upto(runtime.bus.last_seq)
    return percentile(sorted(hops.values), 0.99)


async def _begin(runtime: Runtime, storm: Storm) -> None:
    mine = storm.lines or [{"performative": "inform", "receiver": _OTHER, "content": 1}]
    await runtime.engine.deploy(DeploymentRequest(_NAME, guest(mine), wat=True))
    if storm.pair:
        theirs: list[Json] = [{"performative": "inform", "receiver": _NAME, "content": 1}]
        await runtime.engine.deploy(DeploymentRequest(_OTHER, guest(theirs), wat=True))
    me = runtime.bus.full_name(_NAME)
    for number in range(storm.begun_by):
        say(runtime, me, me, 1, f"{storm.name}-{number}")
    runtime.bus.settle()


async def _end(runtime: Runtime, storm: Storm) -> None:
    for name in (_NAME, _OTHER) if storm.pair else (_NAME,):
        await runtime.agents.remove(name)


def guest(lines: list[Json]) -> bytes:
    """A module whose every turn says these lines, as WebAssembly text."""
    said = b"\n".join(_encode(line) for line in lines)
    count = sum("caxton" not in line for line in lines)
    # magic, version 1.0, flags, in_ptr, in_cap, out_ptr, out_len, out_cap
    fields = (0x31415843, 1 << 16, 0, 4_096, 65_536, _OUT, 0, 1 << 20)
    head = "".join(f"\\{byte:02x}" for byte in struct.pack("<8I", *fields))
    text = "".join(f"\\{byte:02x}" if byte in b'"\\\n' or byte > 126 else chr(byte) for byte in said)
    return f"""(module
  (memory (export "memory") 24)
  (data (i32.const 64) "{head}")
  (data (i32.const {_OUT}) "{text}")
  (func (export "caxton_abi") (result i32) (i32.const 64))
  (func (export "caxton_alloc") (param i32) (result i32) (i32.const 0))
  (func (export "handle_message") (param i32 i32) (result i32)
    (i32.store (i32.const 88) (i32.const {len(said)}))
    (i32.const {count})))""".encode()
