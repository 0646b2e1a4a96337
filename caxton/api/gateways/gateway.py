"""One gateway: its process, which lives while it is used, and its answers.

In: requests, at most `MOST` at a time. Out: the process's answers, as they come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from caxton.effects.process import EffectProcess
from caxton.effects.worker import Command, StartWorker
from caxton.errors import TooManyRequests, Unreachable
from caxton.install_hint import install_hint

if TYPE_CHECKING:
    from caxton.api.gateways.forwarding import Forwarding

MOST: Final = 64
"""Requests that it has at a time; open streams count."""
START_S: Final = 30.0
"""How long a request waits for the process."""
IDLE_S: Final = 600.0
"""A process that nobody asks for so long is ended."""
_LINE: Final = 65_536


class Gateway:
    """Made for each protocol; `run` is its owner. `name` is its extra's, and the package's that its process imports."""

    def __init__(self, title: str, name: str, command: Command, start: StartWorker, socket: Path) -> None:
        self._title = title
        self._name = name
        self._socket = socket
        self._process = EffectProcess(command, start, at_once=1, most=_LINE)
        self._process.listen_about(self._serves)
        self._process.listen_late(self._over)
        self._came = asyncio.Event()
        self._serving = asyncio.Event()
        self._open = 0
        self._forwarding: Forwarding | None = None

    async def answer(self, request: Request) -> Response:
        """Its answer; Unreachable where it cannot run, TooManyRequests where it has as many as it takes."""
        if find_spec(self._name) is None:
            raise Unreachable(f"{self._title} needs a package of its own", hint=install_hint(self._name))
        body = await request.body()
        if self._open >= MOST:
            raise TooManyRequests(f"{self._title} has {MOST} requests open", hint="close some, or ask later")
        with self._one_more():
            self._came.set()
            try:
                async with asyncio.timeout(START_S):
                    await self._serving.wait()
            except TimeoutError:
                raise Unreachable(
                    f"{self._title} does not run: {self._process.why}", hint=".caxton/daemon.log says more"
                ) from None
            assert self._forwarding is not None
            return await self._forwarding.answer(request, body, self._one_more)

    async def run(self) -> None:
        """Have the process while it is used, until this is cancelled."""
        # what speaks to it is loaded when somebody comes
        while True:
            await self._came.wait()
            from caxton.api.gateways.forwarding import Forwarding

            self._forwarding = Forwarding(self._socket)
            async with asyncio.TaskGroup() as group:
                living = group.create_task(self._process.run())
                try:
                    await self._until_idle()
                finally:
                    self._serving.clear()
                    living.cancel()

    async def _until_idle(self) -> None:
        while True:
            self._came.clear()
            try:
                async with asyncio.timeout(IDLE_S):
                    await self._came.wait()
            except TimeoutError:
                if not self._open:
                    return

    @contextmanager
    def _one_more(self) -> Generator[None]:
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1

    def _serves(self, about: msgspec.Raw) -> None:
        self._serving.set()

    def _over(self, said: object) -> None:
        if said is None:
            self._serving.clear()
