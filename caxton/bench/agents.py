"""How much memory an idle agent takes, and how many live in one daemon."""

from __future__ import annotations

import time
from pathlib import Path

from caxton.bench.figures import Figure, Progress
from caxton.bench.measured_system import memory_kib, populate, say, stage

AGENTS = 10_000
TARGET_KIB = 40.0


async def agents(folder: Path | None, seconds: float, progress: Progress) -> list[Figure]:
    """KiB of resident memory for each of 10,000 live agents, in the daemon and in the cells, after a first answer."""
    async with stage(folder) as runtime:
        await populate(runtime, "echo", 1, progress, prefix="first")
        before = memory_kib(runtime)
        began = time.perf_counter()
        names = await populate(runtime, "echo", AGENTS, progress)
        took = time.perf_counter() - began
        idle = memory_kib(runtime)
        turns = runtime.bus.counts.turns_ok
        for number, name in enumerate(names):
            say(runtime, names[number - 1], name, {"n": number}, f"agents-{number}")
        runtime.bus.settle()
        for name in names:
            await runtime.bus.endpoints[name].empty()
        answered = runtime.bus.counts.turns_ok - turns
        used = memory_kib(runtime)
    return [
        Figure(
            "agents", float(len(names)), "agents", "live in one daemon", target=float(AGENTS), better="higher"
        ),
        Figure(
            "kib_per_agent",
            (sum(idle) - sum(before)) / AGENTS,
            "KiB",
            "memory of an idle agent, daemon and cell",
            target=TARGET_KIB,
        ),
        Figure("kib_per_agent_daemon", (idle[0] - before[0]) / AGENTS, "KiB", "of that in the daemon"),
        Figure("kib_per_agent_cell", (idle[1] - before[1]) / AGENTS, "KiB", "of that in the cell"),
        Figure(
            "kib_per_agent_used",
            (sum(used) - sum(before)) / AGENTS,
            "KiB",
            f"after its first messages ({answered:,} turns in all)",
        ),
        Figure(
            "deploys_per_second", AGENTS / took, "agents/s", "deployed one after another", better="higher"
        ),
    ]
