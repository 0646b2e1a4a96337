"""A machine that is simulated: a runtime's clock, journal, cells and compiler, all in this process and thread.

In: a disk in memory, a loop on virtual time, the power. Out: what `caxton.machine.Machine` promises. One machine is one
life of a daemon; the next life is another machine over the same disk.
"""

from __future__ import annotations

import asyncio
import atexit
import shutil
import tempfile
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from caxton.bus import Bus
from caxton.cells import CellProcess
from caxton.config import CompileTable
from caxton.effects.worker import Command, Worker
from caxton.journal import Journal, JournalSettings
from caxton.journal.memory import MemoryDisk, MemoryStore
from caxton.limits import MIB
from caxton.sandbox.compile.__main__ import run
from caxton.sandbox.compile.compiler import Compiled, Compiler
from caxton.sandbox.compile.jobs import Done, Job
from caxton.sandbox.modules import load
from caxton.sandbox.profiles import Profile
from caxton.sandbox.python.build import PythonRuntime
from caxton.simulation.cells import VirtualCell
from caxton.simulation.effects import Effect, start
from caxton.simulation.guests import GuestsHere, GuestsInCells
from caxton.simulation.power import Power
from caxton.simulation.virtual_loop import VirtualLoop

T = TypeVar("T")
PIDS: Final = 1 << 22
"""Its processes have numbers from here on, which no process of the real machine can have."""


class VirtualMachine:
    """One life's machine."""

    def __init__(
        self,
        disk: MemoryDisk,
        clock: VirtualLoop,
        power: Power,
        processes: int = 0,
        effects: Mapping[str, Effect] | None = None,
    ) -> None:
        """`processes`: in how many cell processes guests are; 0: in this one. `effects`: the world, by name."""
        self.clock = clock
        self._effects = effects or {}
        self._processes = processes
        self.cells: dict[int, VirtualCell] = {}
        """The latest life of each cell, by number."""
        self._disk = disk
        self._power = power
        self._store: MemoryStore | None = None
        self._pid = PIDS

    @property
    def busy(self) -> bool:
        """Whether a cell has something to do, or the disk."""
        return any(cell.busy for cell in self.cells.values()) or (
            self._store is not None and self._store.busy
        )

    async def journal(self, state: Path, settings: JournalSettings) -> Journal:
        """The journal on the disk in memory."""
        self._store = MemoryStore(self._disk, self.clock, self._power, settings)
        return Journal(self._store)

    async def cell(self, no: int, bus: Bus) -> CellProcess:
        """A cell in this process."""
        self._pid += 1
        guests = GuestsInCells(self._processes) if self._processes else GuestsHere(self.clock)
        self.cells[no] = VirtualCell(self._pid, bus, self.clock, self._power, guests)
        return self.cells[no]

    async def effect(self, command: Command) -> Worker:
        """A function in the place of a process."""
        self._pid += 1
        return start(command, self._effects, self._pid, self.clock, self._power)

    def compiler(self, state: Path, table: CompileTable) -> Compiler:
        """A compiler that works in this process and shares what it made with all others here."""
        return _Compiler(table.max_module_mib * MIB)

    async def aclose(self) -> None:
        """There is no process to end."""

    def stop(self) -> None:
        """The machine has no power: end what would hold memory."""
        for cell in self.cells.values():
            cell.kill()


class _Compiler(Compiler):
    """Compiles each module once in this process, in no time of the run: the first run must be like all others."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(_modules(), _Inline(), max_bytes=max_bytes, runtime=PythonRuntime().compiled)
        self._max = max_bytes

    async def compile(
        self, wasm: bytes, profile: Profile = Profile.STANDARD, *, wat: bool = False
    ) -> Compiled:
        key = _Key(sha256(wasm).digest(), profile, wat, self._max)
        if key not in _made:
            other = _Compiler(self._max)
            compiled = elsewhere(super(_Compiler, other).compile(wasm, profile, wat=wat))
            # loaded for good, else every run would load it again
            _loaded.append(load(str(compiled.module_path), profile))
            _made[key] = replace(compiled, cached=True, compile_ms=0.0, exports=())
        return _made[key]


def kept(module: bytes, profile: str, *, wat: bool = False) -> str:
    """The sha256 of a module that every runtime of this process has from now on; raises InvalidModule."""
    compiler = _Compiler(CompileTable().max_module_mib * MIB)
    return elsewhere(compiler.compile(module, Profile(profile), wat=wat)).sha256


class _Key(NamedTuple):
    sha256: bytes
    profile: Profile
    wat: bool
    max_bytes: int


_made: dict[_Key, Compiled] = {}
_loaded: list[object] = []


class _Inline:
    """Compiles here and now; no limit of time or memory applies."""

    async def warm(self) -> None: ...

    async def ready(self) -> None: ...

    async def run(self, job: Job) -> Done:
        return run(job)

    async def close(self) -> None: ...


@cache
def _modules() -> Path:
    """The cache of compiled modules of this process."""
    folder = Path(tempfile.mkdtemp(prefix="caxton-modules-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def elsewhere(work: Coroutine[Any, Any, T]) -> T:
    """Run something to its end on a loop of the real machine, while virtual time stands still.

    A thread runs one loop at a time, so this is in another one.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()
