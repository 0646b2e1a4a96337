"""How long a hop takes: from the end of the turn that said a message to the end of the turn that handled it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from caxton.bench.figures import Figure, Progress, percentile
from caxton.bench.measured_system import Hops, populate, say, stage
from caxton.runtime import Runtime

AGENTS = 1_000
RATES = (1_000, 10_000)
TICK_S = 0.0005
TARGET_P99_US = 500.0


async def latency(folder: Path | None, seconds: float, progress: Progress) -> list[Figure]:
    """p50, p99 and p99.9 of a hop at 1,000 and 10,000 messages a second, arriving at their own pace."""
    figures: list[Figure] = []
    async with stage(folder) as runtime:
        names = await populate(runtime, "echo", AGENTS, progress)
        hops = Hops(runtime)
        for rate in RATES:
            await pace(runtime, names, rate, 1.0, partial(progress, f"warming up at {rate:,}/s"))
            hops.values.clear()
            hops.keep = True
            await pace(runtime, names, rate, seconds, partial(progress, f"{rate:,} messages/s"))
            await runtime.journal.committed_upto(runtime.bus.last_seq)
            hops.keep = False
            values = sorted(hops.values)
            figures += [
                Figure(
                    f"hop_{label}_us_at_{rate}",
                    percentile(values, part),
                    "µs",
                    f"hop {label} at {rate:,} messages/s ({len(values):,} hops)",
                    target=TARGET_P99_US if label == "p99" and rate == 10_000 else None,
                )
                for label, part in (("p50", 0.5), ("p99", 0.99), ("p999", 0.999))
            ]
        hops.close()
    return figures


async def pace(
    runtime: Runtime, names: list[str], rate: int, seconds: float, progress: Callable[[float], None]
) -> None:
    """Open loop: so many messages a second, whatever becomes of them. Half are requests, half the answers."""
    count = len(names)
    began = time.perf_counter()
    said = 0
    shown = 0.0
    while (spent := time.perf_counter() - began) < seconds:
        wanted = int(spent * rate / 2)
        if said < wanted:
            while said < wanted:
                say(
                    runtime,
                    names[(said * 7 + 3) % count],
                    names[said % count],
                    {"n": said},
                    f"pace-{said % 5000}",
                )
                said += 1
            runtime.bus.settle()
        if spent - shown > 0.5:
            shown = spent
            progress(spent / seconds)
        await asyncio.sleep(TICK_S)
