"""What agents in Python cost: memory, a turn, and the way from a save to an answer."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Final

import psutil

from caxton.bench.figures import Figure, Progress
from caxton.bench.measured_system import say, stage
from caxton.deploy import DeploymentRequest
from caxton.devloop.builders.source_builders import from_source
from caxton.runtime import Runtime
from caxton.sandbox.python.runtime import BUILD, RuntimeFolder, packed

AGENTS: Final = 100
EDITS: Final = 10
SOURCE: Final = """
def handle(message):
    state["count"] = state.get("count", 0) + {step}
    if message["performative"] == "request":
        reply("inform", {{"count": state["count"], "was": message["content"]}})
"""


async def python(folder: Path | None, seconds: float, progress: Progress) -> list[Figure]:
    """100 Python agents, one after another and then at once; then edits of one of them."""
    if not RuntimeFolder().is_built():
        return [Figure("agents", 0.0, "agents", f"in Python are left out; build their runtime: {BUILD}")]
    module = packed(Path("agent.py"), SOURCE.format(step=1).encode())
    async with stage(folder) as runtime:
        # the first one brings the runtime into the cell; what it alone costs is not an agent's
        await runtime.engine.deploy(DeploymentRequest("first", module))
        before = _own_kib(runtime)
        began = time.perf_counter()
        for number in range(AGENTS):
            await runtime.engine.deploy(DeploymentRequest(f"python-{number}", module))
            progress("deploy", number / AGENTS)
        names = [runtime.bus.full_name(f"python-{number}") for number in range(AGENTS)]
        deploy_ms = (time.perf_counter() - began) / AGENTS * 1000
        idle = _own_kib(runtime)
        await _once(runtime, names, 0)
        used = _own_kib(runtime)
        counts = runtime.bus.counts
        turns, spent_us, fuel = counts.turns_ok, counts.turn_us, counts.fuel
        began = time.perf_counter()
        rounds = 0
        while time.perf_counter() - began < seconds:
            rounds += 1
            await _once(runtime, names, rounds)
            progress("turns", (time.perf_counter() - began) / seconds)
        took = time.perf_counter() - began
        turns, spent_us, fuel = counts.turns_ok - turns, counts.turn_us - spent_us, counts.fuel - fuel
        edits = await _edits(runtime, progress)
    return [
        Figure("kib_per_agent", (idle - before) / AGENTS, "KiB", "memory that an idle agent has for itself"),
        Figure("kib_per_agent_used", (used - before) / AGENTS, "KiB", "the same after its first turn"),
        Figure("deploy_ms", deploy_ms, "ms", f"to deploy one, mean of {AGENTS}"),
        Figure("turn_us", spent_us / turns, "us", f"of a turn in its cell, mean of {turns:,}"),
        Figure("turn_fuel", fuel / turns, "fuel", "of a turn"),
        Figure("turns_per_second", turns / took, "turns/s", "of all agents together", better="higher"),
        *edits,
    ]


async def _once(runtime: Runtime, names: list[str], number: int) -> None:
    """One message to each agent, and its answer to the one before; wait until all are handled."""
    for place, name in enumerate(names):
        say(runtime, names[place - 1], name, {"n": number}, f"python-{number}-{place}")
    runtime.bus.settle()
    for name in names:
        await runtime.bus.endpoints[name].empty()


async def _edits(runtime: Runtime, progress: Progress) -> list[Figure]:
    """From a saved edit to the first answer of the new source."""
    rows: list[tuple[float, float, float]] = []
    with tempfile.TemporaryDirectory(prefix="caxton-edit-", ignore_cleanup_errors=True) as scratch:
        source = Path(scratch) / "agent.py"
        await asyncio.to_thread(source.write_text, SOURCE.format(step=1), "utf-8")
        recipe = from_source(source, Path(scratch) / "agent.wasm", Path(scratch))
        endpoint = runtime.bus.endpoints[runtime.bus.full_name("first")]
        for number in range(EDITS):
            await asyncio.to_thread(source.write_text, SOURCE.format(step=number + 2), "utf-8")
            began = time.perf_counter()
            child = await asyncio.create_subprocess_exec(
                *recipe.command, cwd=recipe.folder, env={**os.environ, **recipe.environ}
            )
            if await child.wait():
                raise RuntimeError(f"{source.name} was not built")
            module = await asyncio.to_thread(recipe.output.read_bytes)
            built = time.perf_counter()
            view = await runtime.engine.deploy(DeploymentRequest("first", module))
            assert view.timings is not None
            say(runtime, endpoint.name, endpoint.name, {"n": number}, f"edit-{number}")
            runtime.bus.settle()
            await endpoint.empty()
            pause_ms = view.timings.pause_us / 1000
            rows.append(((built - began) * 1000, pause_ms, (time.perf_counter() - began) * 1000))
            progress("edit, check, swap", (number + 1) / EDITS)
    texts = {
        "edit_check_ms": f"the runtime looks at the edited source, median of {EDITS}",
        "edit_pause_ms": "of the agent while the new source takes over, with its state",
        "edit_to_answer_ms": "from the save to the first answer of the new source",
    }
    return [
        Figure(name, statistics.median(row[place] for row in rows), "ms", text)
        for place, (name, text) in enumerate(texts.items())
    ]


def _own_kib(runtime: Runtime) -> float:
    """Memory that is the cells' own, in KiB: pages of the runtime that many instances share count once, or not at all
    where the file backs them. Where the system does not tell, resident memory, which counts them for each instance."""
    total = 0
    for view in runtime.cells.views():
        if view.pid is not None:
            process = psutil.Process(view.pid)
            try:
                total += process.memory_full_info().uss
            except (AttributeError, psutil.AccessDenied):
                total += process.memory_info().rss
    return total / 1024
