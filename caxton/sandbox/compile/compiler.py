"""Compiling, seen from the daemon: bytes in, the path of a checked compiled module out. Imports no wasmtime.

Each module is a job for the workers (`children`); one that was compiled before comes from the cache. For a
component, and for a Python agent, the path is that of a label (`labels`), which names what was compiled.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from caxton.errors import CaxtonError, InvalidModule
from caxton.limits import MIB
from caxton.sandbox import cache_labels
from caxton.sandbox.cache_labels import CacheLabel
from caxton.sandbox.compile.children import Children, Workers
from caxton.sandbox.compile.jobs import Done, Job
from caxton.sandbox.compile.module_cache import ModuleCache, write_whole
from caxton.sandbox.compile.precheck import MAX_BYTES, check_head
from caxton.sandbox.compile.python_source import PythonAgent, unpack
from caxton.sandbox.profiles import Profile

Runtime = Callable[[str], Awaitable[Path]]
"""The compiled runtime of that name; raises CaxtonError where it is not on this machine."""

_Key = tuple[str, Profile, bool]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A module that a cell may load. `compile_ms` is 0 where it was in the cache, else milliseconds all
    in."""

    sha256: str
    """Of the module's bytes: the revision's name."""
    module_path: Path
    cached: bool
    compile_ms: float
    exports: tuple[str, ...]
    """Names of the exports, fit to be shown; empty where the module was in the cache."""


class Compiler:
    """Compiles modules for one daemon. `close` ends every process that was started for it.

    `workers` do the work; `memory_bytes` is the largest memory that any module may begin with, `max_bytes` the
    largest module, `at_once` how many workers may work at the same time. `runtime` is where Python agents find
    theirs; `ours` says that what is compiled here is such a runtime.
    """

    def __init__(
        self,
        cache: Path,
        workers: Workers | None = None,
        *,
        memory_bytes: int = 1024 * MIB,
        max_bytes: int = MAX_BYTES,
        at_once: int = 2,
        runtime: Runtime | None = None,
        ours: bool = False,
    ) -> None:
        self._cache = ModuleCache(cache)
        self._workers = workers or Children()
        self._runtime = runtime
        self._ours = ours
        self._memory_bytes = memory_bytes
        self._max_bytes = max_bytes
        self._turnstile = asyncio.Semaphore(at_once)
        self._jobs: dict[_Key, asyncio.Future[Compiled]] = {}
        self._translated: dict[_Key, str] = {}

    async def warm(self) -> None:
        """Get ready for the first module, without waiting for that."""
        await self._workers.warm()

    async def ready(self) -> None:
        """Wait until a module that comes would be compiled at once."""
        await self._workers.ready()

    async def compile(
        self, wasm: bytes, profile: Profile = Profile.STANDARD, *, wat: bool = False
    ) -> Compiled:
        """The compiled form of a module, or of its text with `wat`.

        Raises `InvalidModule` for what Caxton does not load and `ResourceError` for what takes too much to
        compile; both say why. Callers with the same bytes at the same time share one job.
        """
        if not wat:
            check_head(wasm, self._max_bytes)
        elif len(wasm) > self._max_bytes:
            raise InvalidModule(f"the module's text has {len(wasm):,} bytes, more than {self._max_bytes:,}")
        key = (hashlib.sha256(wasm).hexdigest(), profile, wat)
        while (job := self._jobs.get(key)) is not None:
            try:
                return await asyncio.shield(job)
            except asyncio.CancelledError:
                # the one who worked for us was cancelled, not we: do it ourselves
                if not job.cancelled():
                    raise
        return await self._lead(key, wasm)

    async def wasm(self, sha256: str) -> bytes:
        """The bytes of a module that was compiled here before; raises `InvalidModule` where they are gone."""
        return await asyncio.to_thread(self._cache.bytes_of, sha256)

    async def close(self) -> None:
        """End every process. Jobs that still run fail."""
        await self._workers.close()

    async def _lead(self, key: _Key, wasm: bytes) -> Compiled:
        job: asyncio.Future[Compiled] = asyncio.get_running_loop().create_future()
        self._jobs[key] = job
        try:
            made = await self._make(key, wasm)
        except CaxtonError as refused:
            job.set_exception(refused)
            job.exception()  # nobody else may be waiting, and that is no error
            raise
        except BaseException:
            job.cancel()
            raise
        else:
            job.set_result(replace(made, cached=True, compile_ms=0.0))
            return made
        finally:
            # the job too: else a refusal would hold itself by this frame, and the module with it
            del self._jobs[key], job

    async def _make(self, key: _Key, source: bytes) -> Compiled:
        name, profile, wat = key
        python = None if wat else unpack(source)
        if python is not None:
            return await self._label(key, source, python)
        sha256 = self._translated.get(key) if wat else name
        if sha256 is not None:
            path = self._cache.compiled(sha256, profile)
            if await asyncio.to_thread(self._has, sha256, path):
                return Compiled(sha256, path, cached=True, compile_ms=0.0, exports=())
        async with self._turnstile:
            return await self._compile(key, source)

    def _has(self, sha256: str, path: Path) -> bool:
        """Whether a module is there with its compiled form, which is two files for a component."""
        cache = self._cache
        if not cache.fits(path) or not cache.wasm(sha256).exists():
            return False
        label = cache_labels.read(path)
        return label is None or cache.fits(Path(label.component))

    async def _label(self, key: _Key, module: bytes, python: PythonAgent) -> Compiled:
        """A Python agent: nothing to compile, but its runtime where it was not used before."""
        sha256, profile, _ = key
        if profile is not Profile.STANDARD:
            raise InvalidModule("a Python agent runs in profile standard only", hint="leave the profile out")
        if self._runtime is None:
            raise InvalidModule("Python agents are not taken here")
        began = asyncio.get_running_loop().time()
        component = await self._runtime(python.runtime)
        path = self._cache.compiled(sha256, profile)
        content = cache_labels.written(
            CacheLabel(component=str(component), file=python.file, source=python.told)
        )
        cached = await asyncio.to_thread(self._put, sha256, module, path, content)
        spent_ms = 0.0 if cached else (asyncio.get_running_loop().time() - began) * 1000
        return Compiled(sha256, path, cached=cached, compile_ms=spent_ms, exports=())

    def _put(self, sha256: str, module: bytes, path: Path, content: bytes) -> bool:
        """Keep a module and its label; whether both were there already."""
        cache = self._cache
        if cache.fits(path) and cache.wasm(sha256).exists() and path.read_bytes() == content:
            return True
        write_whole(cache.wasm(sha256), module)
        write_whole(path, content)
        cache.seal(path)
        return False

    async def _compile(self, key: _Key, source: bytes) -> Compiled:
        name, profile, wat = key
        cache = self._cache
        began = asyncio.get_running_loop().time()
        draft = cache.folder / f"{name}-{profile.value}.{'wat' if wat else 'wasm'}.job"
        output = draft.with_suffix(".cwasm-job")
        translated = draft.with_suffix(".wasm-job")
        try:
            await asyncio.to_thread(write_whole, draft, source)
            done = await self._workers.run(
                Job(
                    source=str(draft),
                    output=str(output),
                    profile=profile,
                    memory_bytes=self._memory_bytes,
                    wat=wat,
                    ours=self._ours,
                    wasm_output=str(translated) if wat else None,
                )
            )
            if not done.ok:
                raise InvalidModule(done.reason, hint=done.hint)
            path = cache.compiled(done.sha256, profile)
            await asyncio.to_thread(self._keep, done, translated if wat else draft, output, path)
        finally:
            for left in (draft, output, translated):
                left.unlink(missing_ok=True)
        if wat:
            self._translated[key] = done.sha256
        spent_ms = (asyncio.get_running_loop().time() - began) * 1000
        return Compiled(done.sha256, path, cached=False, compile_ms=spent_ms, exports=tuple(done.exports))

    def _keep(self, done: Done, wasm: Path, output: Path, path: Path) -> None:
        cache = self._cache
        wasm.replace(cache.wasm(done.sha256))
        if done.component:
            component = cache.compiled(done.sha256, Profile.COMPONENT)
            output.replace(component)
            cache.seal(component)
            write_whole(path, cache_labels.written(CacheLabel(component=str(component))))
        else:
            output.replace(path)
        cache.seal(path)
