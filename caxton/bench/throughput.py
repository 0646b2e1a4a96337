"""How many messages a second: 1,000 agents answer each other for ever, each message run by a guest and committed.

Twice: with a protocol on every message and the referee at `enforce`, which is the figure that counts, and without.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from caxton.acl import Performative
from caxton.bench.figures import Figure, Progress
from caxton.bench.measured_system import populate, say, stage
from caxton.example_modules import module

AGENTS = 1_000
WARM_S = 1.5
TARGET = 120_000.0
PROTOCOL: Final = "fipa-iterated-contract-net"
"""A contract net in rounds without end: each message is a step."""


@dataclass(frozen=True, slots=True)
class _Run:
    """What one run gave. Times are processor time in microseconds a message."""

    rate: float
    daemon_us: float
    cell_us: float
    commit: float
    size: int
    failed: int
    violations: int


async def throughput(folder: Path | None, seconds: float, progress: Progress) -> list[Figure]:
    """Messages a second that were both handled and committed, and what a message costs over the bare guest call."""
    judged = await _run(folder, seconds, progress, PROTOCOL)
    free = await _run(folder, seconds, progress, None)
    progress("measuring the bare guest call", 1.0)
    floor_us = await _floor(folder)
    return [
        Figure(
            "messages_per_second",
            judged.rate,
            "messages/s",
            "handled and committed, a protocol on every message, referee at enforce",
            target=TARGET,
            better="higher",
        ),
        Figure(
            "messages_per_second_free",
            free.rate,
            "messages/s",
            "the same without a protocol",
            target=TARGET,
            better="higher",
        ),
        Figure(
            "floor_ratio", 1e6 / judged.rate / floor_us, "x", "cost of a message over the bare guest call"
        ),
        Figure("floor_us", floor_us, "µs", "the bare guest call, same module and message"),
        Figure("daemon_cpu_us", judged.daemon_us, "µs", "processor time a message, daemon with journal"),
        Figure("daemon_cpu_free_us", free.daemon_us, "µs", "the same without a protocol"),
        Figure("cell_cpu_us", judged.cell_us, "µs", "processor time a message, cells"),
        Figure("messages_per_commit", judged.commit, "messages", "group commit", better="higher"),
        Figure("message_bytes", float(judged.size), "bytes", "a message as JSON"),
        Figure("failed_turns", float(judged.failed + free.failed), "turns", "must be none", target=0.0),
        Figure("violations", float(judged.violations), "messages", "must be none", target=0.0),
    ]


async def _run(folder: Path | None, seconds: float, progress: Progress, protocol: str | None) -> _Run:
    """Let them talk for that long, after a while to warm up."""
    what = "with a protocol" if protocol is not None else "without one"
    act = Performative.CFP if protocol is not None else Performative.REQUEST
    async with stage(folder) as runtime:
        names = await populate(runtime, "relay", AGENTS, progress)
        for number, name in enumerate(names):
            content = {"n": 0, "task": "x" * 60}
            receiver = names[(number * 7 + 1) % AGENTS]
            say(runtime, receiver, name, content, f"bench-{number}", act, protocol)
        runtime.bus.settle()
        progress("warming up", 0.0)
        await asyncio.sleep(WARM_S)
        counts, journal = runtime.bus.counts, runtime.journal
        here = psutil.Process()
        cells = [psutil.Process(view.pid) for view in runtime.cells.views() if view.pid]
        cpu = [_cpu(process) for process in (here, *cells)]
        turns, stored, commits = counts.turns, journal.committed, journal.counts.commits
        began = time.perf_counter()
        while (spent := time.perf_counter() - began) < seconds:
            rate = (counts.turns - turns) / max(spent, 0.001)
            progress(f"{rate:,.0f} messages/s {what}", spent / seconds)
            await asyncio.sleep(0.5)
        spent = time.perf_counter() - began
        handled, durable = counts.turns - turns, journal.committed - stored
        commits = journal.counts.commits - commits
        used = [_cpu(process) - before for process, before in zip((here, *cells), cpu, strict=True)]
        return _Run(
            rate=min(handled, durable) / spent,
            daemon_us=used[0] / handled * 1e6,
            cell_us=sum(used[1:]) / handled * 1e6,
            commit=durable / max(1, commits),
            size=journal.counts.bytes // max(1, journal.counts.messages),
            failed=counts.turns - counts.turns_ok,
            violations=counts.violations,
        )


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def _floor(folder: Path | None) -> float:
    """The bare call of the same guest with a message of the same kind, in a process of its own; microseconds."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "caxton.sandbox.cell.bench_call",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await child.communicate(module("relay"))
    return float(out)
