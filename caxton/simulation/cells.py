"""A cell in this process: the far end of a link, and the guests behind it.

In: frames, as the daemon writes them to a cell. Out: results, as a cell writes them. There is one turn at a time; which
agent has the next one is chosen, how long it takes is drawn. What a cell promises holds: the results of one slot come
in the order of its frames, and a frame that is about two slots waits for both.

Nothing but its fuel ends a turn here: no watcher looks at a clock, and a guest runs in no time of that clock.
"""

from __future__ import annotations

import asyncio
from collections import deque
from functools import cache
from importlib.metadata import version
from typing import Final, NamedTuple

from caxton.bus import Bus
from caxton.cells import CellLink, CellLost
from caxton.sandbox.cell.calls_public import PublicCalls
from caxton.sandbox.cell.slots import touched
from caxton.sandbox.cell.slow_lanes import Frame
from caxton.sandbox.engines import native_version
from caxton.sandbox.frames import HEAD, RESULT, Hello, Kind
from caxton.simulation.guests import Guests, calls
from caxton.simulation.orders import LOSSES, Act, Ready
from caxton.simulation.power import Power
from caxton.simulation.virtual_loop import RESOLUTION_S, VirtualLoop

KILLED: Final = -9
"""The exit code of a process that was killed."""


class _Work(NamedTuple):
    """A frame, and the slots that it is about."""

    frame: Frame
    slots: tuple[int, ...]
    due_s: float = 0.0
    """Not before then, on the clock."""


class VirtualCell(asyncio.Transport):
    """One life of a cell, until it is killed or hung up on; to the pool its process, to the link its socket."""

    def __init__(self, pid: int, bus: Bus, clock: VirtualLoop, power: Power, guests: Guests) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._clock = clock
        self._power = power
        self._hello: asyncio.Future[Hello] = self._loop.create_future()
        self._gone = asyncio.Event()
        self._exit: int | None = None
        self._guests = guests
        self._waiting: dict[int, deque[_Work]] = {}
        """By slot, in the order of arrival; work about two slots waits in both."""
        self._late_s: dict[int, float] = {}
        """By slot, until when its agent is slow."""
        self._turn: _Work | None = None
        self._looks = False
        self.link = CellLink(bus, lambda payload: None, self._gone.set)
        self.link.connection_made(self)
        greeting = Hello(
            pid=pid,
            fast=calls()[0] is not PublicCalls,
            fast_reason=calls()[1],
            wasmtime=_wasmtime(),
            native=_native(),
        )
        clock.later(power.start_s(), lambda: self._greet(greeting))

    @property
    def busy(self) -> bool:
        """Whether it has anything to do."""
        return self._exit is None and bool(self._waiting)

    # ------------------------------------------------------------------ the process

    async def hello(self) -> Hello:
        """Its first word, once it has started."""
        return await asyncio.shield(self._hello)

    async def lost(self) -> None:
        """Return when the link is gone."""
        await self._gone.wait()

    async def ended(self) -> int:
        """Its exit code; it ends with its link."""
        await self._gone.wait()
        assert self._exit is not None
        return self._exit

    def memory_bytes(self, slot: int) -> int | None:
        """The memory of the guest in a slot, now; None where nobody can see it."""
        return self._guests.memory_bytes(slot)

    def kill(self) -> None:
        """End it at once, whatever it does: the turn that runs is never answered."""
        self._end(KILLED)

    def in_hand(self) -> frozenset[int]:
        """The message whose turn runs, or ran when it was killed."""
        if self._turn is None or self._turn.frame[0] != Kind.TURN:
            return frozenset()
        return frozenset({self._turn.frame[2]})

    def release(self) -> None:
        """There is nothing to give back."""

    # ------------------------------------------------------------------ the socket

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take frames, whole ones."""
        data, at = bytes(data), 0
        while at < len(data) and self._exit is None:
            kind, slot, length, seq = HEAD.unpack_from(data, at)
            at += HEAD.size + length
            frame = (kind, slot, seq, data[at - length : at])
            if kind == Kind.METERS:
                # it is about no slot, so no order is promised, and it must not cost a choice
                self._loop.call_soon(self._answer, frame, 0)
                continue
            delay_s = self._power.delay_s(frame[3], self.link.slots[slot].name) if kind == Kind.TURN else 0.0
            work = _Work(frame, touched(frame), self._clock.monotonic() + delay_s)
            if delay_s:
                self._clock.later(delay_s, self._look)
            for one in work.slots:
                self._waiting.setdefault(one, deque()).append(work)
        self._look()

    def close(self) -> None:
        """Hung up on."""
        self._end(0)

    def abort(self) -> None:
        """The same."""
        self._end(0)

    # ------------------------------------------------------------------ its turns

    def _greet(self, hello: Hello) -> None:
        if not self._hello.done():
            self._hello.set_result(hello)

    def _look(self) -> None:
        """Begin the next turn once everything has arrived that comes at this moment."""
        if self._turn is None and self._waiting and not self._looks:
            self._looks = True
            self._loop.call_soon(self._begin)

    def _begin(self) -> None:
        self._looks = False
        now_s = self._clock.monotonic()
        ready = [
            works[0]
            for slot, works in sorted(self._waiting.items())
            if slot == works[0].frame[1]
            and max(works[0].due_s, self._late_s.get(slot, 0.0)) <= now_s + RESOLUTION_S
            and all(self._waiting[one][0] is works[0] for one in works[0].slots)
        ]
        if self._exit is not None or not ready or not self._power.goes_on():
            return
        chosen, act, wait_s = self._power.choose(
            [self._ready(one.frame) for one in ready], self._clock.alarms_s
        )
        work = ready[chosen]
        if act is Act.WAIT:
            self._late_s[work.frame[1]] = now_s + wait_s
            self._clock.later(wait_s, self._look)
            self._look()
            return
        if act is Act.POWER_GOES:
            self._power.cut()
            return
        if act in LOSSES:
            self._power.losses.lose_next(LOSSES[act])
        self._turn = work
        took_s = self._power.turn_s()
        if act is Act.CELL_DIES:
            self._clock.later(took_s, self.kill)
        else:
            self._clock.later(took_s, lambda: self._finish(work, took_s))

    def _ready(self, frame: Frame) -> Ready:
        """Whose slot it is about; a slot that is not in use yet has nobody's name."""
        kind, slot, seq, _ = frame
        endpoint = self.link.slots.get(slot)
        return Ready("" if endpoint is None else endpoint.name, seq if kind == Kind.TURN else None)

    def _finish(self, work: _Work, took_s: float) -> None:
        # that nothing has looked at the guest meanwhile is what makes it all one to run it now
        if self._exit is not None or not self._power.goes_on():
            return
        self._turn = None
        for slot in work.slots:
            works = self._waiting[slot]
            works.popleft()
            if not works:
                del self._waiting[slot]
        self._answer(work.frame, round(took_s * 1e6))
        self._look()

    def _answer(self, frame: Frame, took_us: int) -> None:
        if self._exit is not None:
            return
        kind, slot, seq, _ = frame
        status, count, body, fuel = self._power.losses.answer(
            self._guests.answer, frame, self._ready(frame).agent
        )
        started_us = self._clock.now_us() - took_us
        head = RESULT.pack(kind, status, count, slot, len(body), seq, fuel, started_us, took_us)
        self.link.data_received(head + body)

    def _end(self, code: int) -> None:
        if self._exit is not None:
            return
        self._exit = code
        self._waiting.clear()
        self._guests.close()
        if not self._hello.done():
            self._hello.set_exception(CellLost("the cell ended before it said hello"))
            self._hello.exception()
        self._loop.call_soon(self.link.connection_lost, None)


@cache
def _wasmtime() -> str:
    return version("wasmtime")


@cache
def _native() -> str:
    return native_version()
