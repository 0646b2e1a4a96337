"""What a publication costs beside as many plain messages: processor time of daemon and cells, in turns."""

from __future__ import annotations

import os
import statistics
from pathlib import Path
from typing import Final

import psutil

from caxton.acl import Performative
from caxton.bench.figures import Figure, Progress
from caxton.bench.measured_system import populate, say, stage
from caxton.runtime import Runtime

SUBSCRIBERS: Final = 1_000
PUBLICATIONS: Final = 10
"""In each round, beside as many plain messages as they have receivers."""
TOPIC: Final = "topic:bench@local"


async def topics(folder: Path | None, seconds: float, progress: Progress) -> list[Figure]:
    """Rounds of publications and of plain messages in turn, for so many seconds."""
    published: list[float] = []
    plain: list[float] = []
    async with stage(folder, "cells = 1\n") as runtime:
        names = await populate(runtime, "echo", SUBSCRIBERS, progress)
        for name in names:
            say(runtime, name, "topics@local", {"topic": "bench"}, f"s-{name}", Performative.SUBSCRIBE)
        await _handled(runtime)
        clock = runtime.clock
        end = clock.monotonic() + seconds
        number = 0
        while clock.monotonic() < end or len(plain) < 3:
            number += 1
            before = _spent_s()
            for one in range(PUBLICATIONS):
                say(runtime, names[0], TOPIC, number, f"p-{number}-{one}", Performative.INFORM)
                await _handled(runtime)
            between = _spent_s()
            for one in range(PUBLICATIONS):
                for name in names:
                    say(runtime, names[0], name, number, f"m-{number}-{one}-{name}", Performative.INFORM)
                await _handled(runtime)
            published.append(between - before)
            plain.append(_spent_s() - between)
            progress(f"{number} rounds", min(1.0, 1 - (end - clock.monotonic()) / seconds))
        lost = runtime.bus.counts.publications_lost
    ratios = [one / other for one, other in zip(published, plain, strict=True)]
    each = SUBSCRIBERS * PUBLICATIONS
    return [
        Figure(
            "publication_ratio",
            statistics.median(ratios),
            "x",
            f"one publication to {SUBSCRIBERS:,} over {SUBSCRIBERS:,} plain messages, median of {len(ratios)}",
            target=0.6,
        ),
        Figure(
            "delivery_us", statistics.median(published) / each * 1e6, "µs", "processor time of a delivery"
        ),
        Figure("plain_us", statistics.median(plain) / each * 1e6, "µs", "processor time of a plain message"),
        Figure("lost", float(lost), "deliveries", "that found no room"),
    ]


async def _handled(runtime: Runtime) -> None:
    """Wait until everybody has handled everything, and it is on disk."""
    runtime.bus.settle()
    for endpoint in {*runtime.bus.endpoints.values()}:
        await endpoint.empty()
    await runtime.journal.written()


def _spent_s() -> float:
    """Processor time of this process and of its children so far."""
    daemon = psutil.Process(os.getpid())
    spent = 0.0
    for process in (daemon, *daemon.children(recursive=True)):
        times = process.cpu_times()
        spent += times.user + times.system
    return spent
