"""How evenly a timer beats: an agent that is woken 50 times a second, beside a bare asyncio timer in the same loop."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from pathlib import Path
from typing import Final

from caxton.bench.figures import Figure, Progress, percentile
from caxton.bench.measured_system import populate, say, stage
from caxton.journal import Batch

PERIOD_US: Final = 20_000


async def timer(folder: Path | None, seconds: float, progress: Progress) -> list[Figure]:
    """50 Hz for so many seconds: how far each period is from 20 ms, from the beginning of one turn to that of the next,
    and the same of `call_at` with nothing behind it."""
    began: list[int] = []
    bare: list[int] = []

    def committed(batch: Batch) -> None:
        began.extend(turn[3] for turn in batch.turns if turn[1] == number)

    async with stage(folder, "cells = 1\n") as runtime:
        (name,) = await populate(runtime, "echo", 1, progress)
        number = runtime.bus.endpoints[name].number
        runtime.journal.on_commit.append(committed)
        beats = round(seconds * 1e6 / PERIOD_US)
        say(
            runtime,
            name,
            "timer@local",
            {"every_ms": PERIOD_US / 1000, "tag": "bench", "count": beats},
            "beats",
        )
        runtime.bus.settle()
        loop = asyncio.get_running_loop()
        first = loop.time()

        def wake() -> None:
            bare.append(time.time_ns() // 1000)
            loop.call_at(first + (len(bare) + 1) * PERIOD_US / 1e6, wake)

        loop.call_at(first + PERIOD_US / 1e6, wake)
        while loop.time() < first + seconds + 0.5:
            await asyncio.sleep(0.1)
            progress("50 beats a second", min(1.0, (loop.time() - first) / seconds))
        await runtime.journal.written()
    ours, theirs = errors(began), errors(bare)
    return [
        Figure("beats_missed", float(beats - len(began)), "beats", f"of {beats:,}, one every 20 ms"),
        Figure("period_error_p50_us", percentile(ours, 0.5), "µs", "of the agent's turns, from 20 ms"),
        Figure("period_error_p99_us", percentile(ours, 0.99), "µs", "p99"),
        Figure(
            "bare_error_p50_us", percentile(theirs, 0.5), "µs", "of a bare asyncio timer in the same loop"
        ),
        Figure("bare_error_p99_us", percentile(theirs, 0.99), "µs", "p99"),
        Figure("drift_us", float(drift(began)), "µs", "of the last from a multiple of 20 ms after the first"),
    ]


def errors(moments: list[int]) -> list[int]:
    """How far each step from one moment to the next is from the period, sorted."""
    return sorted(abs(after - before - PERIOD_US) for before, after in pairwise(sorted(moments)))


def drift(moments: list[int]) -> int:
    """How far the last moment is from a multiple of the period after the first."""
    over = (max(moments) - min(moments)) % PERIOD_US
    return min(over, PERIOD_US - over)
