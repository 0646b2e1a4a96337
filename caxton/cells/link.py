"""The daemon's end of one cell's socket.

In: envelopes that the bus pushes, and requests (load, stop, snapshot, …). Out: frames, in that order, in one write a
burst; results back into the bus. At most `IN_FLIGHT` messages are with a cell at a time: what more there is waits in
the agents' mailboxes, and agents that wait are served in turn. While more waits for the disk than the journal allows,
a cell has no room: it ends the turns that it has, and agents that talk among themselves get no further ahead.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import Final, NamedTuple, cast

from caxton.bus import Bus, Endpoint, Envelope
from caxton.errors import CaxtonError
from caxton.sandbox.frames import HEAD, LENGTH_CEILING, RESULT, Kind

SLICE_S: Final = 0.008
"""How long results are taken in one go, in seconds; then others come first, such as requests of clients. What was said
meanwhile goes to the cell in one write, since each write wakes it."""
IN_FLIGHT: Final = 2_048
"""Messages with one cell at a time. More only adds waiting; fewer starves it between two writes."""

_CLOSED: Final = 1 << 32
"""So much less room than there is: none."""

LOST: Final = "the cell ended before it answered"
_TURN: Final = int(Kind.TURN)


class CellLost(CaxtonError):
    """Raised when a cell went away before it answered, or did not come up."""

    code = "cell_lost"
    status = 503


class Answer(NamedTuple):
    """What a cell answered to a request; the numbers are those of a turn, in the frame's units."""

    status: int
    payload: bytes
    said: int = 0
    fuel: int = 0
    started_us: int = 0
    turn_us: int = 0


class CellLink(asyncio.Protocol):
    """One cell as the bus's port; lives as long as the connection."""

    def __init__(self, bus: Bus, on_hello: Callable[[bytes], None], on_lost: Callable[[], None]) -> None:
        self.room = IN_FLIGHT
        self.slots: dict[int, Endpoint] = {}
        self.lost = False
        self._bus = bus
        self._on_hello = on_hello
        self._on_lost = on_lost
        self._transport: asyncio.WriteTransport | None = None
        self._out: list[bytes] = []
        self._rest = b""
        self._going_on = False
        self._waiting: deque[Endpoint] = deque()
        self._held_back: bool = False
        """Whether nothing more goes to the cell until the disk has caught up."""
        self._asked: dict[int, asyncio.Future[Answer]] = {}
        self._token = 0

    # ------------------------------------------------------------------ to the cell

    def push(self, endpoint: Endpoint, envelope: Envelope) -> None:
        """Take one message for one agent."""
        endpoint.give(envelope)
        body = envelope.body
        if endpoint.draws:
            body = self._bus.seeds.head(endpoint.turn_number(envelope), endpoint.place(envelope)) + body
        self._out.append(HEAD.pack(_TURN, endpoint.slot, len(body), envelope.seq))
        self._out.append(body)
        self.room -= 1

    def wait(self, endpoint: Endpoint) -> None:
        """Remember an agent whose messages wait for room."""
        endpoint.queue(queued=True)
        self._waiting.append(endpoint)

    def settle(self) -> None:
        """Fill the room there is, fairly, and write everything in one go."""
        congested = self._bus.journal.congested
        if congested is not self._held_back:
            self._held_back = congested
            self.room += -_CLOSED if congested else _CLOSED
        if self._waiting and not congested:
            self._pump()
        if self._out and self._transport is not None:
            self._transport.write(b"".join(self._out))
            self._out.clear()

    def _pump(self) -> None:
        waiting = self._waiting
        while self.room > 0 and waiting:
            endpoint = waiting.popleft()
            if (
                not endpoint.open
                or not endpoint.waiting
                or endpoint.port is not self
                or len(endpoint.in_flight) >= endpoint.window
                or endpoint.holds_back
            ):
                # its next turn that ends brings it here again
                endpoint.queue(queued=False)
                continue
            self.push(endpoint, endpoint.waiting.popleft())
            if endpoint.waiting:
                waiting.append(endpoint)
            else:
                endpoint.queue(queued=False)

    async def request(self, kind: Kind, slot: int, payload: bytes = b"") -> Answer:
        """Ask the cell for something; it answers after everything that was sent to it before.

        Raises CellLost when it dies first.
        """
        answer = self.ask(kind, slot, payload)
        self.settle()
        return await answer

    def ask(self, kind: Kind, slot: int, payload: bytes = b"") -> asyncio.Future[Answer]:
        """The same without waiting: the answer will be there. It goes out with the next `settle`.

        Raises CellLost where the cell is gone already; where it dies first, the future does.
        """
        if self.lost:
            raise CellLost(LOST)
        self._token += 1
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked[self._token] = future
        self._out.append(HEAD.pack(kind, slot, len(payload), self._token))
        self._out.append(payload)
        return future

    # ------------------------------------------------------------------ from the cell

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is ours."""
        # uvloop's transports are none by inheritance
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Results, as many as came in one read."""
        self._rest = self._rest + data if self._rest else data
        if not self._going_on:
            self._take()

    def _take(self) -> None:
        """Take in some of the results that are here, and the others a moment later."""
        self._going_on = False
        data, until = self._rest, perf_counter() + SLICE_S
        at, end = 0, len(data)
        size = RESULT.size
        unpack = RESULT.unpack_from
        slots = self.slots
        ended = self._bus.ended
        while end - at >= size:
            kind, status, count, slot, length, seq, fuel, started_us, turn_us = unpack(data, at)
            if length > LENGTH_CEILING:
                self._rest = b""
                self.close()
                return
            start = at + size
            if end - start < length:
                break
            if perf_counter() >= until and at:
                self._going_on = True
                asyncio.get_running_loop().call_soon(self._take)
                break
            at = start + length
            payload = data[start:at]
            if kind == _TURN:
                self.room += 1
                endpoint = slots.get(slot)
                # a turn that came behind the end of its instance was not run; it waits in the journal
                if endpoint is not None:
                    ended(endpoint, seq, status, count, payload, fuel, started_us, turn_us)
            elif kind == Kind.HELLO:
                self._on_hello(payload)
            else:
                future = self._asked.pop(seq, None)
                if future is not None and not future.done():
                    future.set_result(Answer(status, payload, count, fuel, started_us, turn_us))
        self._rest = data[at:]
        self._bus.settle()

    def connection_lost(self, exc: Exception | None) -> None:
        """The cell is gone."""
        self.lost = True
        while self._going_on:
            self._take()
        self._transport = None
        self._out.clear()
        for future in self._asked.values():
            if not future.done():
                future.set_exception(CellLost(LOST))
        self._on_lost()

    def close(self) -> None:
        """Hang up; the cell ends when it reads the end of the stream."""
        if self._transport is not None:
            self._transport.abort() if self.lost else self._transport.close()
