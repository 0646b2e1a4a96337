"""How long from a module's bytes to an agent's first answer, in a daemon that is ready for it."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import msgspec

from caxton.acl import Draft, Performative
from caxton.bench.figures import Figure, Progress, percentile
from caxton.bench.measured_system import populate, stage
from caxton.deploy import DeploymentRequest
from caxton.example_modules import module
from caxton.runtime import Runtime

TRIES = 20
TARGET_COLD_MS = 100.0
TARGET_WARM_MS = 5.0
TARGET_CREATED = 1.3
MAKER = "warm0"
LOOK_S = 0.0002


async def start(folder: Path | None, seconds: float, progress: Progress) -> list[Figure]:
    """Cold: bytes that nobody has seen. Warm: compiled before, a new agent. Created: made by the ams, like another."""
    wasm = module("counter")
    cold: list[int] = []
    warm: list[int] = []
    created: list[int] = []
    async with stage(folder, f'[agents.{MAKER}]\nwasm = "counter.wasm"\nmay = ["create"]') as runtime:
        await populate(runtime, "counter", 1, progress)
        for number in range(TRIES):
            # the daemon keeps one compiler loaded; it has been ready for long when a person saves a file
            await runtime.compiler.ready()
            cold.append(await _first_answer(runtime, f"cold{number}", _never_seen(wasm)))
            progress("cold", (number + 1) / TRIES / 2)
        for number in range(TRIES):
            # in turn, so that both meet the same machine
            warm.append(await _first_answer(runtime, f"warm{number}", wasm))
            created.append(await _created(runtime, f"created{number}"))
            progress("warm", 0.5 + (number + 1) / TRIES / 2)
    cold.sort()
    warm.sort()
    created.sort()
    return [
        Figure(
            "cold_ms",
            percentile(cold, 0.5) / 1000,
            "ms",
            "bytes to first answer, median",
            target=TARGET_COLD_MS,
        ),
        Figure("cold_max_ms", cold[-1] / 1000, "ms", f"the slowest of {TRIES}"),
        Figure(
            "warm_ms", percentile(warm, 0.5) / 1000, "ms", "compiled before, median", target=TARGET_WARM_MS
        ),
        Figure("warm_max_ms", warm[-1] / 1000, "ms", f"the slowest of {TRIES}"),
        Figure(
            "created",
            percentile(created, 0.5) / percentile(warm, 0.5),
            "x warm",
            "create to the ams's answer, median",
            target=TARGET_CREATED,
        ),
    ]


async def _first_answer(runtime: Runtime, name: str, wasm: bytes) -> int:
    """Deploy a new agent and ask it something; microseconds until its turn is over."""
    began = time.perf_counter_ns()
    await runtime.engine.deploy(DeploymentRequest(name, wasm))
    runtime.bus.submit({"performative": "request", "receiver": name, "content": {"add": 1}})
    endpoint = runtime.bus.endpoints[runtime.bus.full_name(name)]
    await endpoint.empty()
    took = (time.perf_counter_ns() - began) // 1000
    if endpoint.sent != 1:
        raise RuntimeError(f"{name} did not answer: {endpoint.last_error}")
    return took


async def _created(runtime: Runtime, name: str) -> int:
    """Let an agent have another one made; microseconds until it has read the answer."""
    maker = runtime.bus.endpoints[runtime.bus.full_name(MAKER)]
    turns, began = maker.turns, time.perf_counter_ns()
    wish = {"action": "create", "description": {"name": name, "like": MAKER}}
    draft = Draft(
        Performative.REQUEST, [runtime.bus.full_name("ams")], msgspec.Raw(msgspec.json.encode(wish))
    )
    runtime.bus.admit(draft, maker.name, trace_id=runtime.bus.ids.trace(), cause=0, hops=0)
    runtime.bus.settle()
    while maker.turns == turns:  # noqa: ASYNC110  # nobody tells when a mailbox is read
        await asyncio.sleep(LOOK_S)
    took = (time.perf_counter_ns() - began) // 1000
    if runtime.bus.full_name(name) not in runtime.bus.endpoints:
        raise RuntimeError(f"{name} was not made")
    return took


def _never_seen(wasm: bytes) -> bytes:
    """The same module with a custom section of random bytes, so that no cache knows it."""
    noise = os.urandom(16)
    section = bytes([4]) + b"seen" + noise
    return wasm + bytes([0, len(section)]) + section
