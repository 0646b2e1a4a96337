"""One build: the recipe run, what it wrote put in its place, what it said made into an event.

In: a target. Out: `Built` or `BuildFailed`. The module in its place is replaced whole or not at all, and only by
one that differs.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from caxton.devloop.builders import process, toolchains, wasi_stubs
from caxton.devloop.builders.diagnostics import first_error
from caxton.devloop.builders.python_runtime import RuntimeOnDemand
from caxton.devloop.builders.recipe import Recipe
from caxton.devloop.builders.targets import Target
from caxton.devloop.builders.toolchains import Missing
from caxton.devloop.events import BuildFailed, BuildStarted, Built, ConfigurationFailed, Diagnostic, Sink
from caxton.errors import CaxtonError, InvalidModule
from caxton.sandbox.python.runtime import packed

MAGIC: Final = b"\0asm"
OVERTAKEN_MAX: Final = 5
"""So many times in a row a build is ended for a newer save; then it is let to its end."""
AT_ONCE: Final = 2
"""Builds that run side by side."""


class NotBuilt(CaxtonError):
    """Raised when a builder did not do what it was for."""

    code = "not_built"

    def __init__(self, error: Diagnostic, output: str, took_ms: float, hint: str | None = None) -> None:
        super().__init__(str(error), hint=hint)
        self.error = error
        self.output = output
        self.took_ms = took_ms


@dataclass(frozen=True, slots=True)
class Module:
    """What the last good build of a target made; `build_ms` is None for one that is not built here."""

    data: bytes
    build_ms: float | None = None


@dataclass(slots=True)
class _UnderWay:
    """A build that was begun, or waits for room; `begun`: it has looked at its sources."""

    target: Target
    task: asyncio.Task[None]
    begun: bool = False


class Builds:
    """Builds what changed, `AT_ONCE` targets side by side, and says what became of it. A build that a newer save has
    overtaken is ended, and begun anew."""

    def __init__(
        self, shown_from: Path, sink: Sink, running: Callable[[list[str]], Awaitable[dict[str, str | None]]]
    ) -> None:
        """`running` says which revision each of some agents runs, for builds that fail."""
        self._shown_from = shown_from
        self._sink = sink
        self._running = running
        self._room = asyncio.Semaphore(AT_ONCE)
        self._runtime = RuntimeOnDemand(sink)
        self._under_way: dict[Path, _UnderWay] = {}
        self._built: set[str] = set()
        self._overtaken: Counter[Path] = Counter()
        """How often in a row a build was ended before its time."""
        self.modules: dict[Path, Module] = {}
        """What the last good builds made, by place."""

    async def begin(
        self, group: asyncio.TaskGroup, targets: Iterable[Target], ended: Callable[[], None]
    ) -> None:
        """Begin to build every target that something has changed for, in that group; `ended` is called after each."""
        wanted = {target.module: target for target in targets}
        for place, one in list(self._under_way.items()):
            if one.target is not wanted.get(place) or self._is_overtaken(one):
                one.task.cancel()
                await asyncio.wait([one.task])
                # also where it had not even begun
                self._under_way.pop(place, None)
        for place, target in wanted.items():
            if place not in self._under_way and target.inputs.changed():
                task = group.create_task(self._build(target, ended), name=f"build {place.name}")
                self._under_way[place] = _UnderWay(target, task)

    def _is_overtaken(self, one: _UnderWay) -> bool:
        recipe, place = one.target.recipe, one.target.module
        # a command whose sources nobody has named may write among them itself
        named = recipe is not None and (recipe.may_read is not None or bool(recipe.watch))
        if not (
            named and one.begun and self._overtaken[place] < OVERTAKEN_MAX and one.target.inputs.changed()
        ):
            return False
        self._overtaken[place] += 1
        return True

    def unsaved(self) -> set[str]:
        """The agents that are being built as their sources were when the build was begun first."""
        waited = [one for place, one in self._under_way.items() if not self._overtaken[place]]
        return {agent for one in waited for agent in one.target.agents}

    def take_built(self) -> set[str]:
        """The agents that got a module since the last call."""
        built, self._built = self._built, set()
        return built

    async def _build(self, target: Target, ended: Callable[[], None]) -> None:
        try:
            await self._runtime.see_to_it(target)
            if target.recipe is None:
                self._take_as_it_is(target, self._built)
                return
            async with self._room:
                event, module = await build(target, self._shown_from, lambda: self._began(target))
            if isinstance(event, BuildFailed):
                event = msgspec.structs.replace(event, keeps=await self._running(target.agents))
            else:
                self.modules[target.module] = Module(module, event.build_ms)
                self._built.update(target.agents)
            self._overtaken.pop(target.module, None)
            self._sink(event)
        finally:
            self._under_way.pop(target.module, None)
            ended()

    def _began(self, target: Target) -> None:
        assert target.recipe is not None
        self._under_way[target.module].begun = True
        self._sink(
            BuildStarted(agents=target.agents, builder=target.recipe.builder, source=target.recipe.source)
        )

    def _take_as_it_is(self, target: Target, built: set[str]) -> None:
        """A module that somebody else builds: read it as it stands."""
        try:
            with target.inputs.recorded():
                data = target.module.read_bytes()
        except OSError as error:
            reason = f"[agents.{target.agents[0]}] wasm: {target.module} cannot be read: {error.strerror}"
            self._sink(ConfigurationFailed(reason=reason, hint="build it, or name its source"))
            return
        self.modules[target.module] = Module(data)
        built.update(target.agents)


async def build(
    target: Target, shown_from: Path, began: Callable[[], None] | None = None
) -> tuple[Built | BuildFailed, bytes]:
    """Build a target that has a recipe; the event, and the module (empty where there is none).

    Places in the event are relative to `shown_from`. `keeps` of a failure is left to the caller. `began` is called
    when every later change of the source is known to be one.
    """
    assert target.recipe is not None
    try:
        with target.inputs.recorded():
            if began is not None:
                began()
            outcome = await _run(target.recipe, shown_from)
            module = _take(target.recipe, outcome)
            _place(module, target, outcome)
    except NotBuilt as refused:
        return (
            BuildFailed(
                agents=target.agents,
                error=refused.error,
                output=refused.output,
                hint=refused.hint,
                build_ms=refused.took_ms,
                keeps={},
            ),
            b"",
        )
    return (
        Built(
            agents=target.agents,
            revision=hashlib.sha256(module).hexdigest(),
            size=len(module),
            build_ms=outcome.took_ms,
            output=outcome.output,
        ),
        module,
    )


async def _run(recipe: Recipe, shown_from: Path) -> process.Outcome:
    found = toolchains.TOOLCHAINS[recipe.needs].look(recipe.folder) if recipe.needs else None
    if isinstance(found, Missing):
        raise _needs(recipe, found, process.Outcome(None, "", 0.0))
    _make_room(recipe)
    outcome = await process.run(recipe.command, recipe.folder, recipe.timeout_s, recipe.environ)
    if outcome.ok:
        return outcome
    # cargo says in many words, and not always the same, that Rust lacks the target: so it is looked for
    if recipe.needs == "cargo" and isinstance(lacks := toolchains.cargo_with_target(recipe.folder), Missing):
        raise _needs(recipe, lacks, outcome)
    hint = None
    if outcome.code is None and "cannot be run" in outcome.output:
        hint = "install it, or correct build.command in caxton.toml"
    elif outcome.code is None:
        hint = "give it more time with build.timeout in caxton.toml" if recipe.builder == "command" else None
    raise NotBuilt(
        first_error(outcome.output, recipe.folder, shown_from), outcome.output, outcome.took_ms, hint
    )


def _needs(recipe: Recipe, missing: Missing, outcome: process.Outcome) -> NotBuilt:
    what = Diagnostic(f"{recipe.source} needs {missing.what}, which is not installed")
    return NotBuilt(what, outcome.output, outcome.took_ms, missing.remedy)


def _make_room(recipe: Recipe) -> None:
    """What the build before left is not to be taken for the work of this one."""
    if recipe.depfile is not None:
        recipe.depfile.unlink(missing_ok=True)
    if recipe.keeps_output:
        if recipe.builder != "command":
            recipe.output.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return
    if recipe.output.is_dir():
        shutil.rmtree(recipe.output)
    recipe.output.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    recipe.output.unlink(missing_ok=True)


def _take(recipe: Recipe, outcome: process.Outcome) -> bytes:
    output = recipe.output
    if output.is_dir():
        made = sorted(output.rglob("*.wasm"))
        if len(made) != 1:
            names = ", ".join(file.name for file in made) or "none"
            what = Diagnostic(f"the builder left {len(made)} modules ({names}), not one")
            raise NotBuilt(what, outcome.output, outcome.took_ms, recipe.no_output)
        output = made[0]
    try:
        module = output.read_bytes()
    except OSError as error:
        what = Diagnostic(f"the command succeeded but wrote no {output.name}: {error.strerror}")
        raise NotBuilt(what, outcome.output, outcome.took_ms, recipe.no_output) from error
    try:
        if output.suffix == ".py":
            return packed(output, module)
        if not module.startswith(MAGIC):
            what = Diagnostic(f"{output.name} is not a WebAssembly module")
            hint = "the build has to write wasm, or an agent in Python as .py"
            raise NotBuilt(what, outcome.output, outcome.took_ms, hint)
        if not recipe.system:
            return module
        return wasi_stubs.with_less_data(wasi_stubs.without_system(module))
    except InvalidModule as error:
        raise NotBuilt(Diagnostic(error.message), outcome.output, outcome.took_ms, error.hint) from error


def _place(module: bytes, target: Target, outcome: process.Outcome) -> None:
    """The module where the configuration says; one that is there already is not touched."""
    place = target.module
    assert target.recipe is not None
    if place == target.recipe.output:
        return
    try:
        there = place.read_bytes() if place.is_file() else b""
        if there == module:
            return
        if there and not there.startswith(MAGIC):
            what = Diagnostic(f"{place} is no module: it was not made here, and is not written over")
            raise NotBuilt(what, outcome.output, outcome.took_ms, "move it, or correct wasm in caxton.toml")
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh = place.with_name(f".{place.name}.new")
        fresh.write_bytes(module)
        os.replace(fresh, place)
    except OSError as error:
        what = Diagnostic(f"{place} cannot be written: {error.strerror}")
        raise NotBuilt(what, outcome.output, outcome.took_ms, "correct wasm in caxton.toml") from error
