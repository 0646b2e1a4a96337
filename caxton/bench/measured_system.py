"""A system to measure: a temporary project with as many agents as a measure wants."""

from __future__ import annotations

import asyncio
import gc
import os
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psutil

from caxton.acl import Draft, Performative
from caxton.bench.figures import Progress
from caxton.config import load
from caxton.deploy import DeploymentRequest
from caxton.example_modules import module
from caxton.journal import Batch
from caxton.runtime import Runtime, open_runtime


@contextmanager
def project_folder(folder: Path | None, text: str = "") -> Generator[Path]:
    """An empty project in a temporary folder; `text` is its caxton.toml."""
    with tempfile.TemporaryDirectory(prefix="caxton-bench-", dir=folder, ignore_cleanup_errors=True) as name:
        project = Path(name) / "project"
        project.mkdir()
        (project / "caxton.toml").write_text(f'name = "bench"\n{text}')
        yield project


@asynccontextmanager
async def opened(project: Path, *, snapshots: bool = False, wait: bool = True) -> AsyncGenerator[Runtime]:
    """A runtime over that project; without `wait` its agents come back while it is in use."""
    async with open_runtime(load(project, environ={}), snapshots=snapshots, wait=wait) as runtime:
        # as the daemon does
        gc.collect()
        gc.freeze()
        yield runtime


@asynccontextmanager
async def stage(folder: Path | None, text: str = "") -> AsyncGenerator[Runtime]:
    """A runtime over an empty project in a temporary folder; `text` is its caxton.toml."""
    with project_folder(folder, text) as project:
        async with opened(project) as runtime:
            yield runtime


async def populate(
    runtime: Runtime, example: str, count: int, progress: Progress, prefix: str = "a"
) -> list[str]:
    """Deploy `count` agents of one example; their full names."""
    wasm = module(example)
    await runtime.engine.deploy(DeploymentRequest(f"{prefix}0", wasm))
    done = 1
    while done < count:
        more = min(200, count - done)
        await asyncio.gather(
            *(
                runtime.engine.deploy(DeploymentRequest(f"{prefix}{number}", wasm))
                for number in range(done, done + more)
            )
        )
        done += more
        progress(f"{done} agents", done / count)
    await runtime.journal.committed_upto(runtime.journal.batch.last_seq)
    return [runtime.bus.full_name(f"{prefix}{number}") for number in range(count)]


def say(
    runtime: Runtime,
    sender: str,
    receiver: str,
    content: Any,
    conversation: str,
    act: Performative = Performative.REQUEST,
    protocol: str | None = None,
) -> int:
    """Let an agent say something out of turn, as if somebody had asked it; the message's number."""
    draft = Draft(
        act,
        [receiver],
        msgspec.Raw(msgspec.json.encode(content)),
        conversation_id=conversation,
        protocol=protocol,
        reply_with="r1",
        language="json",
        ontology="bench",
    )
    return runtime.bus.admit(draft, sender, trace_id="0" * 31 + "1", cause=0, hops=0).seq


class Hops:
    """How long each message of a turn took, from the end of the turn that said it to the end of its own.

    Read from committed rows, so measuring costs the way of a message nothing. Microseconds. `among`: only messages with
    these bytes in them.
    """

    def __init__(self, runtime: Runtime, among: bytes = b"") -> None:
        self._among = among
        self.values: list[int] = []
        self.keep = False
        self.only_after_us = 0
        self._causes: dict[int, int] = {}
        self._ends: dict[int, int] = {}
        self._house = runtime
        runtime.journal.on_commit.append(self._committed)

    def close(self) -> None:
        """Listen no more."""
        self._house.journal.on_commit.remove(self._committed)

    def _committed(self, batch: Batch) -> None:
        if not self.keep:
            return
        for row in batch.messages:
            if self._among in row[6]:
                self._causes[row[0]] = row[3]
        for turn in batch.turns:
            seq, end = turn[0], turn[3] + turn[5]
            self._ends[seq] = end
            cause = self._causes.pop(seq, 0)
            said = self._ends.pop(cause, None) if cause else None
            if said is not None:
                self.values.append(max(0, end - said))


def memory_kib(runtime: Runtime) -> tuple[int, int]:
    """Resident memory of the daemon's process and of all cells, in KiB."""
    own = psutil.Process(os.getpid()).memory_info().rss // 1024
    cells = sum(
        psutil.Process(view.pid).memory_info().rss // 1024
        for view in runtime.cells.views()
        if view.pid is not None
    )
    return own, cells
