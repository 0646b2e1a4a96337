"""One life of a simulated system: from a start over a disk to its end, or to the moment at which the power goes.

In: a project, a disk, the time. Out: a runtime on a loop of its own, run as far as somebody asks. A life without power
is abandoned: its tasks unwind on their own loop, where neither disk nor cells answer, and in a time that is nobody's.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine, Mapping
from typing import Any, Final, TypeVar

from caxton.config import Project
from caxton.errors import TimedOut
from caxton.journal.memory import MemoryDisk
from caxton.runtime import Runtime, open_runtime
from caxton.simulation.effects import Effect
from caxton.simulation.power import Power
from caxton.simulation.schedule import Schedule
from caxton.simulation.virtual_loop import OutOfTime, VirtualLoop
from caxton.simulation.virtual_machine import VirtualMachine

UNWIND_S: Final = 3_600
T = TypeVar("T")


class Crashed(Exception):
    """Raised when the machine has stopped before what was waited for."""


class Life:
    """Made at the time `now_us`; `chance` is what its ids are made from."""

    def __init__(
        self,
        project: Project,
        schedule: Schedule,
        disk: MemoryDisk,
        now_us: int,
        chance: str,
        processes: int = 0,
        effects: Mapping[str, Effect] | None = None,
    ) -> None:
        self.loop = VirtualLoop(now_us, self._thread_s)
        self.power = Power(schedule, self._stop)
        self.machine = VirtualMachine(disk, self.loop, self.power, processes, effects)
        self._opened: Runtime | None = None
        self._ready: asyncio.Future[None] = self.loop.create_future()
        self._stopping = asyncio.Event()
        self._errors: list[BaseException] = []
        self.loop.set_exception_handler(self._note)
        ids = random.Random(f"ids {chance}").getrandbits(64)
        self._main = self.loop.create_task(self._live(project, ids), name="runtime")

    @property
    def runtime(self) -> Runtime:
        """The runtime, once it has started."""
        assert self._opened is not None, "it starts"
        return self._opened

    @property
    def is_over(self) -> bool:
        """Whether the runtime has ended."""
        return self._main.done()

    def started(self) -> asyncio.Task[None]:
        """Done when the runtime is there."""
        return self.doing(self._wait_ready())

    def ended(self) -> asyncio.Task[None]:
        """Done when the runtime has ended in order."""
        self._stopping.set()
        return self._main

    def doing(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Some work on the loop."""
        return self.loop.create_task(work)

    def until(self, task: asyncio.Task[T], limit_s: float) -> T:
        """Run until a task is done; its result, or what it raised.

        Raises TimedOut after so many virtual seconds, Crashed where the power goes, and what the runtime fails of.
        """
        self.loop.end_after(round(limit_s * 1e6))
        for one in (task, self._main):
            one.add_done_callback(self._stop)
        try:
            while self.power.on and not task.done() and not self._main.done():
                self.loop.run_forever()
        except OutOfTime:
            if task is not self._main:
                self._unwind({task})
            raise TimedOut(f"it was not done within {limit_s:g} s of virtual time") from None
        finally:
            for one in (task, self._main):
                one.remove_done_callback(self._stop)
        if not self.power.on:
            raise Crashed("the machine has stopped")
        if self._errors:
            raise self._errors.pop(0)
        if not task.done():
            self._main.result()
        return task.result()

    def abandon(self) -> None:
        """End what is left of it, without any effect."""
        self.power.end()
        self.machine.stop()
        while tasks := asyncio.all_tasks(self.loop):
            self._unwind(tasks)
        self._unwind({self.loop.create_task(self.loop.shutdown_asyncgens())}, cancel=False)
        if not self._main.cancelled():
            self._main.exception()
        self.loop.close()

    async def _live(self, project: Project, ids: int) -> None:
        async with open_runtime(project, machine=self.machine, seed=ids) as self._opened:
            self._ready.set_result(None)
            await self._stopping.wait()

    async def _wait_ready(self) -> None:
        await self._ready

    def _thread_s(self) -> float:
        return self.power.read_s()

    def _stop(self, *_: object) -> None:
        if self.loop.is_running():
            self.loop.stop()

    def _note(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An error that nobody waits for: whoever runs the loop gets it."""
        if self.power.on:
            self._errors.append(context.get("exception") or RuntimeError(context["message"]))

    def _unwind(self, tasks: set[asyncio.Task[Any]], *, cancel: bool = True) -> None:
        """Let tasks end, in as much time as that takes them."""
        self.loop.end_after(UNWIND_S * 1_000_000)
        for task in tasks:
            if cancel:
                task.cancel()
            task.add_done_callback(self._stop)
        while any(not task.done() for task in tasks):
            self.loop.run_forever()
