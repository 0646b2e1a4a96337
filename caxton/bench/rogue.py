"""What one agent that spins into its limit costs all the others."""

from __future__ import annotations

import asyncio
from pathlib import Path

from caxton.bench.figures import Figure, Progress, percentile
from caxton.bench.latency import pace
from caxton.bench.stage import Hops, populate, say, stage
from caxton.deploy import DeploymentRequest
from caxton.example_modules import module
from caxton.house import House
from caxton.limits import Limits

OTHERS = 900
RATE = 5_000
TARGET_P99_US = 5_000.0
SPINS = 3

ONE_CELL = "cells = 1\n"


async def rogue(folder: Path | None, seconds: float, progress: Progress) -> list[Figure]:
    """p99 of the others' hops at 5,000 messages a second, quiet, and while one agent of their cell spins for 1 s."""
    async with stage(folder, ONE_CELL) as house:
        names = await populate(house, "echo", OTHERS, progress)
        (spinner,) = await populate(house, "rogue", 1, progress, prefix="rogue")
        # its fuel is ample, so that the wall limit of 1 s is what ends it
        await house.engine.deploy(DeploymentRequest("rogue0", module("rogue"), limits=Limits(fuel=10**12)))
        hops = Hops(house)
        await pace(house, names, RATE, 1.0, lambda part: progress("warming up", part))
        hops.keep = True
        await pace(house, names, RATE, 2.0, lambda part: progress("quiet", part))
        await house.journal.committed_upto(house.bus.last_seq)
        quiet = sorted(hops.values)
        hops.values.clear()
        failed = house.bus.counts.turns_limit
        async with asyncio.TaskGroup() as group:
            group.create_task(_spin(house, names[0], spinner))
            await pace(house, names, RATE, SPINS * 1.2 + 0.3, lambda part: progress("one spins", part))
        await house.journal.committed_upto(house.bus.last_seq)
        spinning = sorted(hops.values)
        limited = house.bus.counts.turns_limit - failed
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
    ]


async def _spin(house: House, sender: str, spinner: str) -> None:
    endpoint = house.bus.endpoints[spinner]
    for number in range(SPINS):
        say(house, sender, spinner, {"spin": True}, f"spin-{number}")
        house.bus.settle()
        await endpoint.empty()
