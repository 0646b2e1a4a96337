"""Building the Python runtime, and compiling it for this version of wasmtime.

In: componentize-py and our part. Out: the path of the compiled runtime, built where it was not there before. It is
ours, so it is compiled under limits of its own, far above those of an agent's module.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from caxton.errors import CaxtonError, InvalidModule, ResourceError
from caxton.limits import MIB
from caxton.sandbox import cache_labels
from caxton.sandbox.compile.children import Children
from caxton.sandbox.compile.compiler import Compiler
from caxton.sandbox.compile.module_cache import write_whole
from caxton.sandbox.processes import command, environment
from caxton.sandbox.python.progress import COMPILE, COMPONENT, TRY, WAIT
from caxton.sandbox.python.runtime import (
    BUILD,
    BUILDER,
    BUILDER_VERSION,
    PARTS,
    RuntimeFolder,
    how_to_install,
    runtime_name,
)

BUILD_S: Final = 600.0
COMPILE_S: Final = 300.0
COMPILE_BYTES: Final = 8192 * MIB
RUNTIME_BYTES: Final = 64 * MIB

_WORLD: Final = "python-runtime"
_APP: Final = "caxton_runtime"

Tell = Callable[[str], None]
"""Told what is being done: one of the steps of `progress`."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A file as it was when it was found to be whole."""

    changed_ns: int
    inode: int
    size: int


class NotBuilt(CaxtonError):
    """Raised when the runtime could not be built."""

    code = "runtime_not_built"


class PythonRuntime:
    """The runtimes in one folder, the user's cache where none is named."""

    def __init__(self, folder: Path | None = None) -> None:
        self.place = RuntimeFolder(folder)
        self._compiled: dict[str, tuple[Path, _Seen]] = {}

    async def compiled(self, name: str) -> Path:
        """The compiled runtime of that name. Raises InvalidModule where it was not built on this machine."""
        known = self._compiled.get(name)
        if known is not None and _seen(known[0]) == known[1]:
            return known[0]
        path = await asyncio.to_thread(self.place.whole, name) or await self._compile(name)
        self._compiled[name] = (path, _seen(path))
        return path

    async def build(self, tell: Tell, *, anew: bool = False) -> Path:
        """Build and compile what is not there yet (with `anew`, everything), and try it; the compiled runtime.

        Two that build at once build once. Raises NotBuilt with what went wrong.
        """
        name = runtime_name()
        if not anew and (path := await asyncio.to_thread(self.place.whole, name)) is not None:
            return path
        async with _alone(self.place.folder, tell):
            if anew:
                self.place.label(name).unlink(missing_ok=True)
            elif (path := await asyncio.to_thread(self.place.whole, name)) is not None:
                return path
            # what a builder that was killed has left; nobody else is at work here
            for left in (*self.place.folder.glob("build-*"), *self.place.folder.glob("try-*")):
                await asyncio.to_thread(shutil.rmtree, left, ignore_errors=True)
            if anew or not self.place.component(name).is_file():
                tell(COMPONENT)
                await self._componentize(name)
            tell(COMPILE)
            path = await self._compile(name)
            tell(TRY)
            await self._try(path)
        return path

    async def _compile(self, name: str) -> Path:
        try:
            wasm = await asyncio.to_thread(self.place.component(name).read_bytes)
        except OSError:
            raise _missing(name) from None
        compiler = self._compiler()
        try:
            made = await compiler.compile(wasm)
        finally:
            await compiler.close()
        label = cache_labels.read(made.module_path)
        assert label is not None, "a component is compiled to a label"
        await asyncio.to_thread(write_whole, self.place.label(name), cache_labels.written(label))
        return Path(label.component)

    def _compiler(self) -> Compiler:
        return Compiler(
            self.place.cache,
            Children(wall_s=COMPILE_S, memory_bytes=COMPILE_BYTES),
            max_bytes=RUNTIME_BYTES,
            ours=True,
        )

    async def _componentize(self, name: str) -> None:
        _check_builder()
        with tempfile.TemporaryDirectory(dir=self.place.folder, prefix="build-") as scratch:
            place = Path(scratch)
            (place / "app").mkdir()
            (place / "none").mkdir()
            for part in PARTS.glob("*.py"):
                (place / "app" / part.name).write_bytes(part.read_bytes())
            output = place / "runtime.wasm"
            arguments = ["-q", "-d", str(PARTS / "agent.wit"), "-w", _WORLD, "componentize"]
            arguments += ["-p", str(place / "app"), _APP, "-o", str(output)]
            program = "import sys; from componentize_py import script; sys.exit(script())"
            # it would take in the packages of the environment that it runs in; there is nothing in this one
            surroundings = {**environment(), "VIRTUAL_ENV": str(place / "none"), "HOME": scratch}
            surroundings.pop("PYTHONPATH", None)
            await _run([sys.executable, "-c", program, *arguments], surroundings, place)
            await asyncio.to_thread(write_whole, self.place.folder / f"{name}.wasm", output.read_bytes())

    async def _try(self, compiled: Path) -> None:
        with tempfile.TemporaryDirectory(dir=self.place.folder, prefix="try-") as scratch:
            agent = Path(scratch) / "agent.py"
            agent.write_text("def handle(message):\n    reply('inform', message['content'])\n", "utf-8")
            arguments = (str(agent), "--runtime", str(compiled), "--turn")
            await _run(command("caxton.sandbox.python.check", *arguments), environment(), Path(scratch))


def _check_builder() -> None:
    try:
        have = version(BUILDER)
    except PackageNotFoundError:
        raise NotBuilt(f"{BUILDER} is not installed", hint=how_to_install()) from None
    if have != BUILDER_VERSION:
        raise NotBuilt(f"this is {BUILDER} {have}, it must be {BUILDER_VERSION}", hint=how_to_install())


def _missing(name: str) -> CaxtonError:
    if name == runtime_name():
        return InvalidModule("the Python runtime is not built on this machine yet", hint=BUILD)
    return InvalidModule(
        f"the agent is for another Python runtime, {name[:12]}, which is not on this machine",
        hint="build the agent again with this version of Caxton",
    )


def _seen(path: Path) -> _Seen:
    try:
        found = path.stat()
    except OSError:
        return _Seen(0, 0, -1)
    return _Seen(found.st_mtime_ns, found.st_ino, found.st_size)


async def _run(words: list[str], surroundings: dict[str, str], folder: Path) -> None:
    """Run a step to its end, BUILD_S at most; NotBuilt with its last words where it fails."""
    child = await asyncio.create_subprocess_exec(
        *words,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=surroundings,
        cwd=folder,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(BUILD_S):
            said, _ = await child.communicate()
    except TimeoutError:
        raise ResourceError(f"building the Python runtime took longer than {BUILD_S:.0f} s") from None
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            await asyncio.shield(child.wait())
    if child.returncode:
        words_left = [line for line in said.decode("utf-8", "replace").splitlines() if line.strip()]
        last = words_left[-1] if words_left else "no word"
        raise NotBuilt(f"the Python runtime was not built: {last[:300]}", said=words_left[-40:])


@contextlib.asynccontextmanager
async def _alone(folder: Path, tell: Tell) -> AsyncGenerator[None]:
    """Hold the folder for one builder."""
    await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell(WAIT)
            await asyncio.to_thread(fcntl.flock, descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
