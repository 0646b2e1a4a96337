"""What an agent that does its worst (`storms`) costs everybody else.

Ten other agents talk at a steady rate and somebody asks the API, in windows with and without the storm in turn; a
figure is the median of the windows. Then a system is killed in the middle of the storm, and started again.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Final

from caxton.api.server import Server
from caxton.api.services import Services
from caxton.bench.figures import Figure, Progress, percentile
from caxton.bench.latency import pace
from caxton.bench.measured_system import Hops, opened, populate, project_folder, say
from caxton.bench.storms import Storm, storms
from caxton.client import AsyncClient
from caxton.daemon_socket import listen
from caxton.runtime import Runtime

OTHERS = 10
RATE = 1_000
WINDOWS = 7
WINDOW_S = 0.6
ASK_EVERY_S: Final = 0.05
STARTS = 3
TARGET_RATIO: Final = 5.0
TARGET_ANSWER_MS: Final = 1_000.0
TARGET_START: Final = 2.0


async def bystanders(folder: Path | None, progress: Progress) -> list[Figure]:
    """p99 of ten others' hops at 1,000 messages a second, the API's slowest answer, and the start after a kill."""
    figures: list[Figure] = []
    with project_folder(folder) as project:
        async with opened(project, snapshots=True) as runtime, _served(runtime) as client:
            names = await populate(runtime, "echo", OTHERS, progress)
            hops = Hops(runtime, among=b'"conversation_id":"pace-')
            await pace(runtime, names, RATE, 1.0, lambda part: progress("warming up", part))
            hops.keep = True
            for storm in storms():
                figures += await _windows(runtime, client, hops, names, storm, progress)
            hops.close()
        return figures + await _starts(project, progress)


async def _windows(
    runtime: Runtime, client: AsyncClient, hops: Hops, names: list[str], storm: Storm, progress: Progress
) -> list[Figure]:
    """The others without the storm and with it, in turn."""
    quiet: list[float] = []
    loud: list[float] = []
    answers: list[float] = []

    async def window(what: str, part: float) -> float:
        hops.values.clear()
        began = time.perf_counter()
        await pace(runtime, names, RATE, WINDOW_S, lambda _: progress(what, part))
        # the slowest count too
        for name in names:
            await runtime.bus.endpoints[name].empty()
        await runtime.journal.committed_upto(runtime.bus.last_seq)
        # where everything stood still, they could not even begin: they have waited for that long
        return percentile(sorted(hops.values) or [round((time.perf_counter() - began) * 1e6)], 0.99)

    for number in range(WINDOWS):
        part = number / WINDOWS
        # asked in both, for the questions cost the others something too
        async with _asking(client, []):
            quiet.append(await window(f"before {storm.name}", part))
        async with storm.blows(runtime), _asking(client, answers):
            loud.append(await window(storm.name, part))
    name, text = storm.name, storm.text
    before = median(quiet)
    return [
        Figure(f"{name}_p99_us", median(loud), "µs", f"p99 of the others while one {text}"),
        Figure(
            f"{name}_ratio",
            median(loud) / before,
            "x",
            f"that over the p99 without it, {before:,.0f} µs",
            target=TARGET_RATIO,
        ),
        Figure(
            f"{name}_api_ms",
            max(answers) * 1e3,
            "ms",
            f"the API's slowest answer of {len(answers)} meanwhile",
            target=TARGET_ANSWER_MS,
        ),
    ]


@asynccontextmanager
async def _served(runtime: Runtime) -> AsyncGenerator[AsyncClient]:
    """The API of the runtime, as the daemon serves it, and a client of it."""
    listener = listen(runtime.project.state)
    services = Services.of(
        runtime, stop=lambda: None, started_us=time.time_ns() // 1000, started=lambda: True
    )
    server = Server(services, listener)
    running = asyncio.create_task(server.run())
    try:
        async with AsyncClient(listener.path) as client:
            yield client
    finally:
        server.stop()
        await running


@asynccontextmanager
async def _asking(client: AsyncClient, answers: list[float]) -> AsyncGenerator[None]:
    """Ask for the status again and again; `answers` gets how long each took, in seconds, the last one too."""
    over = asyncio.Event()

    async def ask() -> None:
        while not over.is_set():
            began = time.perf_counter()
            await client.status()
            answers.append(time.perf_counter() - began)
            await asyncio.sleep(ASK_EVERY_S)

    async with asyncio.TaskGroup() as group:
        group.create_task(ask())
        try:
            yield
        finally:
            over.set()


async def _starts(project: Path, progress: Progress) -> list[Figure]:
    """From the start to an answer of each of the others, after a kill in a storm, over that without one."""
    usual = median([await _start(project, None) for _ in range(STARTS)])
    figures: list[Figure] = []
    every = list(storms())
    for number, storm in enumerate(every):
        progress(f"a start after {storm.name}", number / len(every))
        took = await _start(project, storm.name)
        figures.append(
            Figure(
                f"{storm.name}_start_ratio",
                took / usual,
                "x",
                f"a start after a kill in it, {took:.2f} s, over one without, {usual:.2f} s",
                target=TARGET_START,
            )
        )
    return figures


async def _start(project: Path, storm: str | None) -> float:
    """Kill a system in the middle of that storm; seconds from its next start to an answer of each of the others."""
    copy = project.with_name("killed")
    await asyncio.to_thread(shutil.copytree, project, copy)
    try:
        words = ["-m", "caxton.bench.killed_storm", str(copy), *([storm] if storm else [])]
        child = await asyncio.create_subprocess_exec(
            sys.executable, *words, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        await child.wait()
        began = time.perf_counter()
        async with opened(copy, snapshots=True, wait=False) as runtime:
            others = [name for name in runtime.bus.endpoints if name.startswith("a")]
            for number, name in enumerate(others):
                say(runtime, name, name, 1, f"after-{number}")
            runtime.bus.settle()
            for name in others:
                await runtime.bus.endpoints[name].empty()
            return time.perf_counter() - began
    finally:
        await asyncio.to_thread(shutil.rmtree, copy)
