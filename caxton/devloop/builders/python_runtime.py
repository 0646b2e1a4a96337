"""The Python runtime, made where the first Python agent of a machine needs it: once for all, and told as it goes.

In: a target that is about to be built. Out: `Preparing` events, and the runtime in the user's cache. Builds that need
none do not wait for it.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

from caxton.devloop.builders import toolchains
from caxton.devloop.builders.targets import Target
from caxton.devloop.builders.toolchains import Missing
from caxton.devloop.events import Preparing, Sink
from caxton.errors import CaxtonError
from caxton.sandbox.python.progress import Estimate
from caxton.sandbox.python.runtime import RuntimeFolder, runtime_name

TICK_S: Final = 1.0


class RuntimeOnDemand:
    """Makes it when it is asked for and not there."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._alone = asyncio.Lock()

    async def see_to_it(self, target: Target) -> None:
        """Return when the target can be built as far as the runtime is concerned.

        Where it cannot be made the build says so: it tries again, and ends with the reason.
        """
        if not _is_python(target) or _is_there():
            return
        if isinstance(toolchains.python(target.module.parent), Missing):
            return
        async with self._alone:
            if not _is_there():
                await self._make(target.agents)

    async def _make(self, agents: list[str]) -> None:
        # here, not above: it is loaded once in the life of a machine
        from caxton.sandbox.python.build import PythonRuntime

        estimate = Estimate(time.monotonic)

        def say(*, begins: bool) -> None:
            now = estimate.progress()
            what = f"{now.title}, {now.left}"
            self._sink(Preparing(agents=agents, what=what, begins=begins, part=now.part, left_s=now.left_s))

        def begin(what: str) -> None:
            estimate.begin(what)
            say(begins=True)

        async def tick() -> None:
            while True:
                await asyncio.sleep(TICK_S)
                say(begins=False)

        async with asyncio.TaskGroup() as group:
            ticking = group.create_task(tick())
            try:
                await PythonRuntime().build(begin)
            except CaxtonError:
                pass
            finally:
                ticking.cancel()


def _is_python(target: Target) -> bool:
    """Whether it is built as Python, a command of one's own writes Python, or Python stands in its place."""
    recipe = target.recipe
    if recipe is not None and (recipe.needs == "python" or recipe.output.suffix == ".py"):
        return True
    return target.module.suffix == ".py"


def _is_there() -> bool:
    return RuntimeFolder().there(runtime_name()) is not None
