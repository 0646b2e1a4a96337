"""From a saved edit to an answer by the new build, for each language, as `caxton dev` takes a save.

In: a folder for the temporary project. Out: for each language the milliseconds of the build, the compilation, the gate
(the agent's last conversations, replayed on the new build) and the swap, and of the whole way. The sources are those of
`caxton new`. The edit changes the largest step that a counter takes, and the question after it asks for just that step:
the build before would have refused it. The time that the watcher waits for a save to be over is not in it.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from caxton.bench.figures import Figure, Progress
from caxton.bench.measured_system import stage
from caxton.deploy import DeploymentRequest, DeploymentView
from caxton.deploy.replay_gate import ReplayGate
from caxton.devloop.builders.build import NotBuilt, build
from caxton.devloop.builders.source_builders import from_source, in_folder
from caxton.devloop.builders.targets import Target
from caxton.devloop.builders.toolchains import Missing
from caxton.devloop.events import BuildFailed
from caxton.devloop.scaffold.generate import Language, new_agent
from caxton.journal import Batch
from caxton.runtime import Runtime
from caxton.sandbox.python.runtime import BUILD, RuntimeFolder

EDITS: Final = 3
CONVERSATIONS: Final = 20
TURNS: Final = 5
"""Of each conversation that the agent had before the edits."""
LARGEST: Final = 1_000_000_000

_PLACES: Final[dict[Language, tuple[str, str]]] = {
    Language.WAT: ("$largest i64 (i64.const ", "1000000000"),
    Language.C: ("#define LARGEST ", "1000000000"),
    Language.ZIG: ("const largest = ", "1_000_000_000"),
    Language.PYTHON: ("LARGEST = ", "10**9"),
}
"""What stands before the number that is edited in a language's template, and the number."""


class Edit(NamedTuple):
    """One edit: where its milliseconds went, and how many turns the gate found the same."""

    build_ms: float
    compile_ms: float
    gate_ms: float
    swap_ms: float
    total_ms: float
    same: int


class _Said(msgspec.Struct):
    performative: str


async def edits(folder: Path | None, progress: Progress) -> list[Figure]:
    """Edits of an agent in each language.

    A language that this machine does not build is one line that says why, and what to install. Raises
    DeploymentError where a build does not come up.
    """
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(
        prefix="caxton-edit-", dir=folder, ignore_cleanup_errors=True
    ) as scratch:
        async with stage(folder) as runtime:
            for place, language in enumerate(_PLACES):
                progress(f"edits in {language.value}", place / len(_PLACES))
                figures += await _in(runtime, language, Path(scratch))
        progress("edits", 1.0)
    return figures


async def _in(runtime: Runtime, language: Language, scratch: Path) -> list[Figure]:
    source = await asyncio.to_thread(_Source.make, language, scratch)
    if isinstance(source, str):
        return [_left_out(language, f"; install: {source}")]
    try:
        return _figures(language, await _of(runtime, source))
    except NotBuilt as error:
        return [_left_out(language, f": {error.message}" + (f" ({error.hint})" if error.hint else ""))]


def _left_out(language: Language, why: str) -> Figure:
    return Figure(f"edit_{language.value}", 0.0, "edits", f"edits in {language.value} are left out{why}")


def _figures(language: Language, rows: list[Edit]) -> list[Figure]:
    texts = {
        "build": f"{language.value}: the edited source is built, median of {len(rows)}",
        "compile": "its module is compiled",
        "gate": f"it is tried with the last {CONVERSATIONS} conversations: {rows[-1].same} turns the same",
        "swap": "it is checked, loaded and takes over, with the state",
        "total": "from the save to the first answer of the new build, committed",
    }
    return [
        Figure(f"edit_{language.value}_{step}_ms", statistics.median(row[place] for row in rows), "ms", text)
        for place, (step, text) in enumerate(texts.items())
    ]


async def _of(runtime: Runtime, source: _Source) -> list[Edit]:
    """Make the agent, let it have its conversations, edit it."""
    name = source.target.agents[0]
    await runtime.engine.deploy(DeploymentRequest(name, await source.built()))
    for number in range(CONVERSATIONS):
        for _ in range(TURNS):
            await _asked(runtime, name, f"{name}-{number}", 1)
    # what compilers make for themselves the first time was made for the deployment
    return [await _edit(runtime, name, source, number) for number in range(EDITS)]


async def _edit(runtime: Runtime, name: str, source: _Source, number: int) -> Edit:
    # the daemon keeps one compiler loaded; it has been ready for long when a person saves a file
    await runtime.compiler.ready()
    largest = LARGEST + number + 1
    await asyncio.to_thread(source.save, largest)
    began = time.perf_counter()
    module = await source.built()
    built = time.perf_counter()
    view = await runtime.engine.deploy(DeploymentRequest(name, module, gate=ReplayGate(mode="replay")))
    answer = await _asked(runtime, name, f"{name}-{number}", largest)
    total_ms = (time.perf_counter() - began) * 1000
    if answer != "inform":
        raise RuntimeError(f"{name}: the edited build did not answer, somebody said {answer}")
    return _split(view, (built - began) * 1000, total_ms)


def _split(view: DeploymentView, build_ms: float, total_ms: float) -> Edit:
    gate, timings = view.gate, view.timings
    if gate is None or timings is None or (view.state, view.memory) != ("running", "carried"):
        raise RuntimeError(
            f"{view.agent}: the edited build is {view.state}, its state {view.memory}: {view.reason}"
        )
    # the gate is passed while the build loads
    swap_ms = timings.load_ms - gate.elapsed_ms + timings.pause_us / 1000
    return Edit(build_ms, timings.compile_ms, gate.elapsed_ms, swap_ms, total_ms, gate.totals.same)


async def _asked(runtime: Runtime, name: str, conversation: str, add: int) -> str:
    """Ask for a step; the performative of the answer, once it is committed."""
    told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    asked = 0

    def look(batch: Batch) -> None:
        for row in batch.messages:
            if row[3] == asked and not told.done():
                told.set_result(_read(row[6]).performative)

    runtime.journal.on_commit.append(look)
    try:
        asked = runtime.bus.submit(
            {
                "performative": "request",
                "receiver": name,
                "content": {"add": add},
                "conversation_id": conversation,
            }
        ).seq
        return await told
    finally:
        runtime.journal.on_commit.remove(look)


class _Source:
    """An agent's source on disk, as `caxton new` writes it, and what builds it."""

    def __init__(self, file: Path, before: str, number: str, target: Target) -> None:
        self.target = target
        self._file = file
        self._head, found, self._tail = file.read_text("utf-8").partition(before + number)
        if not found:
            raise RuntimeError(f"there is no {before}{number} in {file.name}")
        self._before = before

    @classmethod
    def make(cls, language: Language, scratch: Path) -> _Source | str:
        """Write it; or what has to be installed before it can be built."""
        name = f"edited-{language.value}"
        made = new_agent(name, language, scratch / name, None)
        if isinstance(made.missing, Missing):
            return made.missing.remedy
        if language is Language.PYTHON and not RuntimeFolder().is_built():
            return BUILD
        file = in_folder(made.folder)
        assert file is not None
        recipe = from_source(file, file.with_suffix(".wasm"), made.folder / "build")
        return cls(file, *_PLACES[language], Target(recipe.output, [name], recipe))

    def save(self, largest: int) -> None:
        """The edit: another largest step."""
        self._file.write_text(f"{self._head}{self._before}{largest}{self._tail}", "utf-8")

    async def built(self) -> bytes:
        """The module. Raises NotBuilt."""
        event, module = await build(self.target, self._file.parent)
        if isinstance(event, BuildFailed):
            raise NotBuilt(event.error, event.output, event.build_ms, event.hint)
        return module


_read = msgspec.json.Decoder(_Said).decode
