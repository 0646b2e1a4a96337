"""What a runtime needs of the machine that it runs on, as a port; and the real machine.

In: what the runtime asks for as it is built. Out: a clock, a journal, processes for cells, a compiler. All else of a
runtime touches neither disk nor process nor clock but through these, so another machine can be a simulated one
(`caxton.simulation`, decision 16).
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from caxton.bus import Bus
from caxton.cells import CellProcess, WorkerProcess
from caxton.clock import Clock, SystemClock
from caxton.config import CompileTable
from caxton.effects.worker import Command, Groups, ProcessWorker, Worker
from caxton.journal import Journal, JournalSettings
from caxton.limits import MIB
from caxton.sandbox.compile.children import Children
from caxton.sandbox.compile.compiler import Compiler
from caxton.sandbox.forks.client import ForkServer
from caxton.sandbox.python.build import PythonRuntime


class Machine(Protocol):
    """Where a runtime runs."""

    @property
    def clock(self) -> Clock:
        """Where it gets its time from."""
        ...

    async def journal(self, state: Path, settings: JournalSettings) -> Journal:
        """Open the journal of the project whose state is in that folder; raises JournalError."""
        ...

    async def cell(self, no: int, bus: Bus) -> CellProcess:
        """Start the process of cell `no`."""
        ...

    def compiler(self, state: Path, table: CompileTable) -> Compiler:
        """What compiles modules for the project whose state is in that folder."""
        ...

    async def effect(self, command: Command) -> Worker:
        """Start the process of an effect; raises OSError where that is not possible."""
        ...

    async def aclose(self) -> None:
        """End what is left of the processes that it started."""
        ...


class RealMachine:
    """This machine: its disk, processes for cells and for compiling, which `forks` starts."""

    def __init__(self, clock: Clock | None = None, forks: ForkServer | None = None) -> None:
        self.clock: Clock = clock or SystemClock()
        self._forks = forks or ForkServer()
        self._groups = Groups()

    async def journal(self, state: Path, settings: JournalSettings) -> Journal:
        """The journal on the disk."""
        return await Journal.open(state, self.clock, settings)

    async def cell(self, no: int, bus: Bus) -> CellProcess:
        """A Python process of its own."""
        return await WorkerProcess.start(self._forks, bus)

    def compiler(self, state: Path, table: CompileTable) -> Compiler:
        """A compiler with children, and its cache in the state's folder."""
        return Compiler(
            state / "modules",
            Children(self._forks, wall_s=table.wall_s, memory_bytes=table.memory_mib * MIB),
            max_bytes=table.max_module_mib * MIB,
            runtime=PythonRuntime().compiled,
        )

    async def effect(self, command: Command) -> Worker:
        """A process in a group of its own."""
        return await ProcessWorker.start(command, self._groups)

    async def aclose(self) -> None:
        """End the process that the others were forked from, and the one that watches over groups."""
        await self._groups.close()
        await self._forks.close()
