"""How many messages a second: 1,000 agents answer each other for ever, each message run by a guest and committed."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import psutil

from caxton.bench.figures import Figure, Progress
from caxton.bench.stage import populate, say, stage
from caxton.example_modules import module

AGENTS = 1_000
WARM_S = 1.5
TARGET = 120_000.0


async def throughput(folder: Path | None, seconds: float, progress: Progress) -> list[Figure]:
    """Messages a second that were both handled and committed, and what a message costs over the bare guest call."""
    async with stage(folder) as house:
        names = await populate(house, "relay", AGENTS, progress)
        for number, name in enumerate(names):
            say(house, names[(number * 7 + 1) % AGENTS], name, {"n": 0, "task": "x" * 60}, f"bench-{number}")
        house.bus.settle()
        progress("warming up", 0.0)
        await asyncio.sleep(WARM_S)
        counts, journal = house.bus.counts, house.journal
        here = psutil.Process()
        cells = [psutil.Process(view.pid) for view in house.cells.views() if view.pid]
        cpu = [_cpu(process) for process in (here, *cells)]
        turns, stored, rows = counts.turns, journal.committed, journal.counts.commits
        began = time.perf_counter()
        while (spent := time.perf_counter() - began) < seconds:
            progress(f"{(counts.turns - turns) / max(spent, 0.001):,.0f} messages/s", spent / seconds)
            await asyncio.sleep(0.5)
        spent = time.perf_counter() - began
        handled, durable = counts.turns - turns, journal.committed - stored
        commits = journal.counts.commits - rows
        used = [_cpu(process) - before for process, before in zip((here, *cells), cpu, strict=True)]
        failed = counts.turns - counts.turns_ok
        body = journal.batch.messages[-1][6] if journal.batch.messages else b""
        progress("measuring the bare guest call", 1.0)
    floor_us = await _floor(folder)
    rate = min(handled, durable) / spent
    return [
        Figure(
            "messages_per_second", rate, "messages/s", "handled and committed", target=TARGET, better="higher"
        ),
        Figure("floor_ratio", 1e6 / rate / floor_us, "x", "cost of a message over the bare guest call"),
        Figure("floor_us", floor_us, "µs", "the bare guest call, same module and message"),
        Figure(
            "daemon_cpu_us", used[0] / handled * 1e6, "µs", "processor time a message, daemon with journal"
        ),
        Figure("cell_cpu_us", sum(used[1:]) / handled * 1e6, "µs", "processor time a message, cells"),
        Figure("messages_per_commit", durable / max(1, commits), "messages", "group commit", better="higher"),
        Figure("message_bytes", float(len(body)), "bytes", "a message as JSON"),
        Figure("failed_turns", float(failed), "turns", "must be none", target=0.0),
    ]


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def _floor(folder: Path | None) -> float:
    """The bare call of the same guest with a message of the same kind, in a process of its own; microseconds."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "caxton.sandbox.floor",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await child.communicate(module("relay"))
    return float(out)
