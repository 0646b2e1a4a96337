"""What one agent that does its worst costs all the others: one that spins into its limit, and storms (`storms`)."""

from __future__ import annotations

import asyncio
from pathlib import Path

from caxton.bench.bystanders import bystanders
from caxton.bench.figures import Figure, Progress, percentile
from caxton.bench.latency import pace
from caxton.bench.measured_system import Hops, populate, say, stage
from caxton.deploy import DeploymentRequest
from caxton.example_modules import module
from caxton.limits import Limits
from caxton.runtime import Runtime

OTHERS = 900
RATE = 5_000
TARGET_P99_US = 5_000.0
SPINS = 3

ONE_CELL = "cells = 1\n"


async def rogue(folder: Path | None, seconds: float, progress: Progress) -> list[Figure]:
    """p99 of the others' hops at 5,000 messages a second, quiet, and while one agent of their cell spins for 1 s."""
    async with stage(folder, ONE_CELL) as runtime:
        names = await populate(runtime, "echo", OTHERS, progress)
        (spinner,) = await populate(runtime, "rogue", 1, progress, prefix="rogue")
        # its fuel is ample, so that the wall limit of 1 s is what ends it
        await runtime.engine.deploy(DeploymentRequest("rogue0", module("rogue"), limits=Limits(fuel=10**12)))
        hops = Hops(runtime)
        await pace(runtime, names, RATE, 1.0, lambda part: progress("warming up", part))
        hops.keep = True
        await pace(runtime, names, RATE, 2.0, lambda part: progress("quiet", part))
        await runtime.journal.committed_upto(runtime.bus.last_seq)
        quiet = sorted(hops.values)
        hops.values.clear()
        failed = runtime.bus.counts.turns_limit
        async with asyncio.TaskGroup() as group:
            group.create_task(_spin(runtime, names[0], spinner))
            await pace(runtime, names, RATE, SPINS * 1.2 + 0.3, lambda part: progress("one spins", part))
        await runtime.journal.committed_upto(runtime.bus.last_seq)
        spinning = sorted(hops.values)
        limited = runtime.bus.counts.turns_limit - failed
        hops.close()
    return [
        Figure(
            "others_p99_quiet_us",
            percentile(quiet, 0.99),
            "µs",
            f"hop p99 at {RATE:,} messages/s, nobody spins",
        ),
        Figure(
            "others_p99_us",
            percentile(spinning, 0.99),
            "µs",
            f"the same while one spins ({limited} times into its limit)",
            target=TARGET_P99_US,
        ),
        Figure("others_p999_us", percentile(spinning, 0.999), "µs", "p99.9 while one spins"),
        Figure("others_max_us", float(spinning[-1]), "µs", "the slowest while one spins"),
        *await bystanders(folder, progress),
    ]


async def _spin(runtime: Runtime, sender: str, spinner: str) -> None:
    endpoint = runtime.bus.endpoints[spinner]
    for number in range(SPINS):
        say(runtime, sender, spinner, {"spin": True}, f"spin-{number}")
        runtime.bus.settle()
        await endpoint.empty()
