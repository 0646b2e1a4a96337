"""What a change of an agent's build costs it: how long it takes no turn, and whether anything is lost on the way."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec

from caxton.bench.edits import edits
from caxton.bench.figures import Figure, Progress, percentile
from caxton.bench.measured_system import stage
from caxton.bus import Endpoint
from caxton.deploy import DeploymentOptions, DeploymentRequest, Probation
from caxton.example_modules import module
from caxton.journal import Batch
from caxton.runtime import Runtime

SWAPS: Final = 200
TRIED: Final = 100
"""Swaps with a probation of 5 turns."""
RATE: Final = 2_000
TICK_S: Final = 0.0005
BETWEEN: Final = 20
"""Turns from one swap to the next."""
TARGET_P99_US: Final = 5_000.0
NAME: Final = "counter"


class _Content(msgspec.Struct):
    count: int


class _Answer(msgspec.Struct):
    content: _Content
    performative: str


async def swap(folder: Path | None, seconds: float, progress: Progress) -> list[Figure]:
    """200 changes of a counter's build under a client that never stops, 100 more with a probation; then edits of agents
    in four languages, in a system that has nothing else to do."""
    wasm = module(NAME)
    builds = (_section(wasm, b"one"), _section(wasm, b"two"))
    async with stage(folder) as runtime:
        await runtime.engine.deploy(DeploymentRequest(NAME, builds[0]))
        ledger = _Ledger(runtime)
        async with _client(runtime):
            direct, fresh = await _swaps(runtime, builds, SWAPS, "direct", lambda p: progress("direct", p))
            tried, fresh_tried = await _swaps(
                runtime, builds, TRIED, "blue-green", lambda p: progress("blue-green", p)
            )
        await runtime.bus.endpoints[runtime.bus.full_name(NAME)].empty()
        await runtime.journal.committed_upto(runtime.bus.last_seq)
        ledger.close()
    gaps = ledger.gaps()
    lost, reordered = ledger.verdict()
    return [
        _pause("pause_p50_us", direct, 0.5, f"mailbox closed to open again, median of {SWAPS} direct swaps"),
        _pause("pause_p99_us", direct, 0.99, "the same, p99", TARGET_P99_US),
        _pause("blue_green_pause_p50_us", tried, 0.5, f"median of {TRIED} blue-green swaps"),
        _pause("blue_green_pause_p99_us", tried, 0.99, "the same, p99", TARGET_P99_US),
        _pause(
            "seen_p50_us",
            gaps,
            0.5,
            "from the old build's last turn to the new one's first, over a usual gap",
        ),
        _pause("seen_p99_us", gaps, 0.99, "the same, p99"),
        Figure(
            "lost", float(lost), "messages", f"of {len(ledger.asked):,} that were asked meanwhile", target=0.0
        ),
        Figure("reordered", float(reordered), "messages", "answered out of their order", target=0.0),
        Figure(
            "not_carried",
            float(fresh + fresh_tried),
            "swaps",
            "whose verdict on the state was wrong",
            target=0.0,
        ),
        *await edits(folder, progress),
    ]


def _pause(name: str, values: list[int], part: float, text: str, target: float | None = None) -> Figure:
    return Figure(name, percentile(sorted(values), part), "µs", text, target=target)


@asynccontextmanager
async def _client(runtime: Runtime) -> AsyncGenerator[None]:
    """Somebody who asks the counter at a steady rate, whatever becomes of it."""
    over = asyncio.Event()

    async def ask() -> None:
        began, asked = time.perf_counter(), 0
        while not over.is_set():
            wanted = int((time.perf_counter() - began) * RATE)
            while asked < wanted:
                runtime.bus.submit({"performative": "request", "receiver": NAME, "content": {"add": 1}})
                asked += 1
            await asyncio.sleep(TICK_S)

    async with asyncio.TaskGroup() as group:
        group.create_task(ask())
        try:
            yield
        finally:
            over.set()


async def _swaps(
    runtime: Runtime, builds: tuple[bytes, bytes], many: int, strategy: str, show: Callable[[float], None]
) -> tuple[list[int], int]:
    """The pauses in microseconds, and how many swaps did not carry the state."""
    endpoint = runtime.bus.endpoints[runtime.bus.full_name(NAME)]
    pauses: list[int] = []
    fresh = 0
    for number in range(many):
        await _turns(runtime, endpoint, BETWEEN)
        view = await runtime.engine.deploy(
            DeploymentRequest(
                NAME,
                builds[(number + 1) % 2],
                strategy=strategy,
                options=DeploymentOptions(probation=Probation()),
            )
        )
        assert view.timings is not None
        pauses.append(view.timings.pause_us)
        fresh += (view.state, view.memory, view.unchanged) != ("running", "carried", False)
        show((number + 1) / many)
    return pauses, fresh


async def _turns(runtime: Runtime, endpoint: Endpoint, many: int) -> None:
    """Wait for that many turns more; each of them is committed."""
    until, told = endpoint.turns + many, asyncio.Event()

    def look(batch: Batch) -> None:
        if endpoint.turns >= until:
            told.set()

    runtime.journal.on_commit.append(look)
    try:
        await told.wait()
    finally:
        runtime.journal.on_commit.remove(look)


class _Ledger:
    """Every message to the agent, its turns and its answers, as they are committed."""

    def __init__(self, runtime: Runtime) -> None:
        self.asked: list[int] = []
        self._answers: dict[int, list[bytes]] = {}
        self._turns: list[tuple[int, int, int]] = []
        self._house = runtime
        runtime.journal.on_commit.append(self._committed)

    def close(self) -> None:
        """Listen no more."""
        self._house.journal.on_commit.remove(self._committed)

    def _committed(self, batch: Batch) -> None:
        for row in batch.messages:
            if row[3]:
                self._answers.setdefault(row[3], []).append(row[6])
            else:
                self.asked.append(row[0])
        for turn in batch.turns:
            self._turns.append((turn[3], turn[3] + turn[5], turn[2]))

    def gaps(self) -> list[int]:
        """Between the last turn of a build and the first of the next, less what is usual; microseconds."""
        between = [(after[0] - before[1], after[2] != before[2]) for before, after in pairwise(self._turns)]
        usual = statistics.median(gap for gap, changed in between if not changed)
        return [max(0, int(gap - usual)) for gap, changed in between if changed]

    def verdict(self) -> tuple[int, int]:
        """What `verdict` says of all of it."""
        return verdict(self.asked, self._answers)


def verdict(asked: Sequence[int], answers: Mapping[int, Sequence[bytes]]) -> tuple[int, int]:
    """How many requests have not exactly one answer, and how many answers do not count on from the one before.

    `asked` are the requests' numbers in their order, `answers` the messages said to each.
    """
    lost = reordered = count = 0
    for seq in asked:
        said = answers.get(seq, ())
        if len(said) != 1:
            lost += 1
            continue
        now = _read(said[0]).content.count
        # after one that has no answer the agent may or may not have counted
        reordered += not count < now <= count + 1 + lost
        count = now
    return lost, reordered


def _section(wasm: bytes, text: bytes) -> bytes:
    """The same module with a custom section, so that it is another build."""
    name = b"\5build"
    return wasm + bytes([0, len(name) + len(text)]) + name + text


_read = msgspec.json.Decoder(_Answer).decode
