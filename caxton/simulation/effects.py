"""The world of a simulated system: each effect is a function of the test's, in the place of a process.

In: the lines that a daemon says to an effect's process. Out: what the function makes of a call. A crash may come before
a call reaches the world, and after it did before its answer is heard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from caxton.effects.worker import Command, Worker
from caxton.simulation.power import Power
from caxton.simulation.virtual_loop import VirtualLoop

Json = dict[str, Any]
Effect = Callable[[Json], Json | None]
"""From a call (`id`, `request`, `sender`, …) to its answer: `inform`, `refuse` or `failure`, and `about` for what it
offers from now on; None for none at all. With a member `about` it says that from the beginning."""


class VirtualWorker:
    """One life of an effect's process."""

    def __init__(self, pid: int, effect: Effect, clock: VirtualLoop, power: Power) -> None:
        self.pid = pid
        self._effect = effect
        self._clock = clock
        self._power = power
        self._output: asyncio.Queue[bytes] = asyncio.Queue()
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        about = getattr(effect, "about", None)
        if about is not None:
            self._output.put_nowait(msgspec.json.encode({"about": about}) + b"\n")

    def say(self, line: bytes) -> None:
        """Hear a call, and do it a little later."""
        asked: Json = msgspec.json.decode(line)
        if "request" in asked:
            self._clock.later(self._power.turn_s(), lambda: self._do(asked))

    async def read(self) -> bytes:
        """The next answer."""
        return await self._output.get()

    async def read_errors(self) -> bytes:
        """It never complains."""
        await asyncio.shield(self._ended)
        return b""

    async def ended(self) -> int:
        """It ends when it is killed."""
        return await asyncio.shield(self._ended)

    def leave(self) -> None:
        """It ends when its input does."""
        self._end(0)

    def kill(self) -> None:
        """It ends at once."""
        self._end(-9)

    def _end(self, code: int) -> None:
        if not self._ended.done():
            self._ended.set_result(code)
            self._output.put_nowait(b"")

    def _do(self, asked: Json) -> None:
        if self._ended.done() or not self._power.goes_on():
            return
        answer = self._effect(asked)
        if answer is not None and self._power.goes_on():
            if "about" in answer:
                self._output.put_nowait(msgspec.json.encode({"about": answer.pop("about")}) + b"\n")
            self._output.put_nowait(msgspec.json.encode({"id": asked["id"], **answer}) + b"\n")


def start(
    command: Command, effects: Mapping[str, Effect], pid: int, clock: VirtualLoop, power: Power
) -> Worker:
    """The effect of that name; raises OSError where the simulation has none."""
    effect = effects.get(command.name)
    if effect is None:
        raise OSError(f"the simulation has no effect {command.name}: give it effects={{{command.name!r}: …}}")
    return VirtualWorker(pid, effect, clock, power)
