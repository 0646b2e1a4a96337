"""Runs measures one after another, each over a system of its own."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import uvloop

from caxton.bench.agents import agents
from caxton.bench.figures import Figure, Progress, Report
from caxton.bench.latency import latency
from caxton.bench.python import python
from caxton.bench.rogue import rogue
from caxton.bench.start import start
from caxton.bench.swap import swap
from caxton.bench.throughput import throughput
from caxton.bench.timer import timer
from caxton.bench.topics import topics

Measure = Callable[[Path | None, float, Progress], Awaitable[list[Figure]]]

MEASURES: Final[dict[str, tuple[Measure, str]]] = {
    "throughput": (
        throughput,
        "1,000 agents answer each other; every message is run by a guest and committed",
    ),
    "latency": (latency, "a hop between two agents, from the end of one turn to the end of the next"),
    "agents": (agents, "10,000 live agents"),
    "start": (start, "from a module's bytes to the agent's first answer"),
    "rogue": (
        rogue,
        "everybody else while one agent spins to its limit, and while one does its worst in other ways",
    ),
    "swap": (swap, "an agent's build is changed under a client that never stops; then sources are edited"),
    "timer": (timer, "an agent that is woken 50 times a second, beside a bare timer of asyncio"),
    "topics": (topics, "one publication to 1,000 agents, beside 1,000 plain messages"),
    "python": (python, "100 agents in Python, and a source that is edited"),
}
"""Every measure by name, with what it does."""


def run(name: str, *, folder: Path | None, seconds: float, progress: Progress) -> Report:
    """Take one measure. `folder` is where its temporary project goes, so that a chosen disk is measured."""
    measure, text = MEASURES[name]
    sys.setswitchinterval(0.0001)
    gc.set_threshold(50_000, 20, 50)
    began = time.perf_counter()

    async def take() -> list[Figure]:
        return await measure(folder, seconds, progress)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        figures = runner.run(take())
    gc.unfreeze()
    return Report(name, text, figures, time.perf_counter() - began)
