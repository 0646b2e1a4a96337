"""An effect's process and what waits for it: one task owns the process, brings it up and hears what it says.

In: calls, each with a step that is taken before it leaves. Out: the process's answers; an exception where there is
none.
Whatever the process does (garbage, lines without end, floods, silence, death) costs its own calls and nobody else's:
what it says is read at a bounded pace, one call at a time leaves for each of its places, and a process that has died is
started again, later each time.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
import structlog

from caxton.access.redaction import spellings
from caxton.effects import lines
from caxton.effects.lines import Cancel, Garbage, Lines, Said, TooLong
from caxton.effects.worker import Command, StartWorker, Worker

FIRST_S: Final = 0.2
LONGEST_S: Final = 30.0
STEADY_S: Final = 10.0
"""A process that lived so long waits for its next start as the first one did."""
GRACE_S: Final = 5.0
"""So long a process may take over a call that nobody waits for; if all it has are such, it is started again."""
LEAVING_S: Final = 1.0
"""So long it may take to end by itself when the daemon does."""
TRIES: Final = 3
"""Starts in a row without an answer after which calls do not wait for the next one."""
SLICE: Final = 100
"""Lines that are read in one go; then others come first."""
NOISE_S: Final = 0.005
"""What each line that is no answer costs the process in time."""
LOGGED_S: Final = 20
"""Lines of a process that go into the log in a second."""

log = structlog.get_logger("caxton.effects")


class NoAnswer(Exception):
    """Raised where a call gets no answer from the process; `code` and the sentence are for the asker."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Interrupted(NoAnswer):
    """Raised where the process ended during a call: nobody knows whether it was done."""

    def __init__(self, reason: str) -> None:
        super().__init__("interrupted", reason)


class EffectProcess:
    """One of them; `run` is its owner. `at_once` calls are with it at the same time; a line has `most` bytes."""

    def __init__(self, command: Command, start: StartWorker, *, at_once: int, most: int) -> None:
        self.command = command
        self.why = "it was not started yet"
        """Why it does not run."""
        self.starts = 0
        self.noise = 0
        """Lines that were no answer to a call, and nothing else that is understood."""
        self._on_about: Callable[[msgspec.Raw], None] = lambda about: None
        self._on_late: Callable[[Said | None], None] = lambda said: None
        self._start = start
        self._at_once = at_once
        self._most = most
        self._free = asyncio.Semaphore(at_once)
        self._worker: Worker | None = None
        self._turned = asyncio.Event()
        """Set whenever it has come up or failed to."""
        self._open: dict[str, asyncio.Future[Said]] = {}
        self._left: dict[str, asyncio.TimerHandle] = {}
        """Calls that it still has and that nobody waits for, each with the end of its time."""
        self._late: set[str] = set()
        """Those of them whose time is over."""
        self._vain = 0
        self._tries = 0
        self._random = random.Random(command.name)
        self._secrets = [one.encode() for one in spellings(command.env.values())]
        self._logged: deque[float] = deque(maxlen=LOGGED_S)
        self._unlogged = 0

    @property
    def pid(self) -> int | None:
        """Of the process that runs."""
        return self._worker.pid if self._worker is not None else None

    @property
    def has(self) -> int:
        """How many calls it has."""
        return len(self._open) + len(self._left)

    def listen_about(self, hear: Callable[[msgspec.Raw], None]) -> None:
        """Be told what it offers, whenever it says so."""
        self._on_about = hear

    def listen_late(self, hear: Callable[[Said | None], None]) -> None:
        """Be told of answers that nobody waits for any more; None: the process has ended, and none will come."""
        self._on_late = hear

    # ------------------------------------------------------------------ calls

    async def ask(self, id: str, line: Callable[[], bytes], before: Callable[[], Awaitable[None]]) -> Said:
        """Its answer to a call: it waits for a place, takes the step `before`, and leaves as `line`.

        Raises NoAnswer where it did not leave, Interrupted where it did and the process died. Cancelled, it leaves
        nothing behind but a process that is told.
        """
        await self._free.acquire()
        kept = False
        try:
            await self._running()
            await before()
            worker = await self._running()
            answer: asyncio.Future[Said] = asyncio.get_running_loop().create_future()
            self._open[id] = answer
            worker.say(line() + b"\n")
            try:
                return await answer
            except asyncio.CancelledError:
                # it may be answered in the same moment
                kept = self._open.pop(id, None) is not None and worker is self._worker
                if kept:
                    self._leave(id, worker)
                raise
        finally:
            if not kept:
                self._free.release()

    async def _running(self) -> Worker:
        while self._worker is None:
            if self._vain >= TRIES:
                raise NoAnswer("unavailable", f"{self.command.name} does not run: {self.why}")
            self._turned.clear()
            await self._turned.wait()
        return self._worker

    def _leave(self, id: str, worker: Worker) -> None:
        worker.say(lines.write(Cancel(id)) + b"\n")
        self._left[id] = asyncio.get_running_loop().call_later(GRACE_S, self._is_late, id)

    def _is_late(self, id: str) -> None:
        self._late.add(id)
        if len(self._late) >= self._at_once and self._worker is not None:
            self._note(
                "warning", f"it did not answer within {GRACE_S:g} s of being told to stop: it is ended"
            )
            self._worker.kill()

    def _end_of(self, id: str) -> bool:
        """A call that nobody waits for is over."""
        alarm = self._left.pop(id, None)
        if alarm is None:
            return False
        alarm.cancel()
        self._late.discard(id)
        self._free.release()
        return True

    # ------------------------------------------------------------------ its life

    async def run(self) -> None:
        """Keep it running until this is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            self.starts += 1
            self._vain += 1
            try:
                worker = await self._start(self.command)
            except OSError as error:
                self.why = f"it cannot be started: {error.strerror or error}"
            else:
                await self._live(worker)
            self._note("warning", self.why)
            self._turned.set()
            if loop.time() - began > STEADY_S:
                self._tries = 0
            self._tries += 1
            whole_s = min(LONGEST_S, FIRST_S * (1 << min(self._tries - 1, 16)))
            await asyncio.sleep(whole_s * self._random.uniform(0.75, 1.25))

    async def _live(self, worker: Worker) -> None:
        self._worker = worker
        self._turned.set()
        last: list[str] = []
        try:
            async with asyncio.TaskGroup() as group:
                complaints = group.create_task(self._complaints(worker, last))
                await self._hear(worker)
                # what it has started may hold its output open
                worker.kill()
                await complaints
        except asyncio.CancelledError:
            worker.leave()
            try:
                async with asyncio.timeout(LEAVING_S):
                    await worker.ended()
            except TimeoutError:
                worker.kill()
            raise
        finally:
            self._worker = None
            worker.kill()
            code = await worker.ended()
            said = f": {last[-1]}" if last else ""
            self.why = f"its process ended with {_end(code)}{said}"
            self._over()

    def _over(self) -> None:
        """It is gone, and with it all that it had."""
        for answer in self._open.values():
            if not answer.done():
                reason = f"{self.why}, during the call: whether it was done is not known"
                answer.set_exception(Interrupted(reason))
        self._open.clear()
        for id in list(self._left):
            self._end_of(id)
        self._on_late(None)

    async def _hear(self, worker: Worker) -> None:
        cut = Lines(self._most)
        while data := await worker.read():
            noise = 0
            for many, line in enumerate(cut.feed(data), 1):
                noise += not self._line(line)
                if not many % SLICE:
                    await asyncio.sleep(noise * NOISE_S)
                    noise = 0
            # it writes no faster than it is read
            await asyncio.sleep(noise * NOISE_S)

    def _line(self, line: bytes | TooLong) -> bool:
        """Whether a line was the answer to a call."""
        said = lines.read(self._hidden(line)) if isinstance(line, bytes) else line
        match said:
            case TooLong():
                self._note("warning", f"it said a line of more than {self._most:,} bytes")
                reason = f"the answer of {self.command.name} has more than {self._most:,} bytes"
                return self._fail(said.id, NoAnswer("too-long", reason))
            case Garbage():
                self.noise += 1
                self._note("warning", f"it said what is no line of ours: {_text(said.head)}")
                return False
            case Said():
                return self._said(said)

    def _said(self, said: Said) -> bool:
        if said.about is not msgspec.UNSET:
            self._on_about(said.about)
        elif said.progress is not msgspec.UNSET:
            self._note("info", f"progress: {_text(bytes(said.progress))}", call=said.id)
        elif said.log:
            self._note(said.log, _text(said.message.encode()))
        elif said.id and (answer := self._open.pop(said.id, None)) is not None:
            self._vain = 0
            if not answer.done():
                answer.set_result(said)
            return True
        elif said.id in self._left:
            self._vain = 0
            self._end_of(said.id)
            self._on_late(said)
            return True
        else:
            self.noise += 1
        return False

    def _fail(self, id: str, error: NoAnswer) -> bool:
        answer = self._open.pop(id, None)
        if answer is None:
            return self._end_of(id)
        if not answer.done():
            answer.set_exception(error)
        return True

    async def _complaints(self, worker: Worker, last: list[str]) -> None:
        cut = Lines(self._most)
        while data := await worker.read_errors():
            for line in cut.feed(data):
                if isinstance(line, bytes):
                    last[:] = [_text(self._hidden(line))]
                    self._note("info", last[0])
            await asyncio.sleep(NOISE_S)

    def _hidden(self, line: bytes) -> bytes:
        """The line without the values of its environment."""
        for secret in self._secrets:
            line = line.replace(secret, b"***")
        return line

    def _note(self, level: str, message: str, **more: object) -> None:
        """A line for the log, where there were not too many in this second."""
        now = asyncio.get_running_loop().time()
        if len(self._logged) == LOGGED_S and now - self._logged[0] < 1:
            self._unlogged += 1
            return
        self._logged.append(now)
        if self._unlogged:
            more["left_out"], self._unlogged = self._unlogged, 0
        write = {"debug": log.debug, "warning": log.warning, "error": log.error}.get(level, log.info)
        write(message, effect=self.command.name, **more)


def _end(code: int) -> str:
    return f"code {code}" if code >= 0 else f"signal {-code}"


def _text(data: bytes) -> str:
    """A line fit for a log."""
    return data.decode("utf-8", "replace").strip()[:300]
