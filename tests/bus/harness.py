"""A bus over a real journal, with cells that the test plays by hand.

In: the frames that the daemon writes to a cell. Out: results as a cell would send them, when the test says so. The
links are the daemon's own; only the far end of the socket is the test.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from caxton.bus import Bus, Endpoint
from caxton.bus.platform_agent import FIRST_GUEST_NUMBER, PLATFORM_NUMBERS
from caxton.bus.referee_service import RefereeService
from caxton.cells import CellLink
from caxton.clock import Clock, SystemClock
from caxton.config import ApprovalTable
from caxton.hold.hold import Hold
from caxton.ids import Ids
from caxton.journal import AgentRow, Journal, StoredMessage, StoredTurn
from caxton.limits import TREE_WAITING, Limits
from caxton.platform_agents.ams import Ams
from caxton.platform_agents.df import Df
from caxton.platform_agents.timer import Timer
from caxton.sandbox.frames import HEAD, RESULT, Kind
from caxton.turn_status import Status

Json = dict[str, Any]


class Frame(NamedTuple):
    """One frame to a cell."""

    kind: int
    slot: int
    seq: int
    body: bytes

    @property
    def message(self) -> Json:
        return json.loads(self.body)


class HandCell(asyncio.Transport):
    """The far end of a link: keeps what is written, sends what the test wants."""

    def __init__(self, bus: Bus) -> None:
        super().__init__()
        self.frames: deque[Frame] = deque()
        self.link = CellLink(bus, lambda payload: None, lambda: None)
        self.link.connection_made(self)
        bus.ports.append(self.link)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        data = bytes(data)
        at = 0
        while at < len(data):
            kind, slot, length, seq = HEAD.unpack_from(data, at)
            at += HEAD.size
            self.frames.append(Frame(kind, slot, seq, data[at : at + length]))
            at += length

    def end(
        self,
        *said: Json | bytes,
        status: int = Status.OK,
        count: int | None = None,
        fuel: int = 300,
        turn_us: int = 20,
        started_us: int = 0,
    ) -> Frame:
        """End the next turn: it says these lines, as many messages as there are unless `count` says another."""
        frame = self.frames.popleft()
        payload = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in said)
        many = len(said) if count is None else count
        started = started_us or time.time_ns() // 1000
        head = RESULT.pack(
            Kind.TURN, status, many, frame.slot, len(payload), frame.seq, fuel, started, turn_us
        )
        self.link.data_received(head + payload)
        return frame

    def fail(self, status: Status, code: str, reason: str = "it did") -> Frame:
        """End the next turn as one that cost the instance."""
        slot = self.frames[0].slot
        fault = {"code": code, "reason": reason, "lost": [slot]}
        return self.end(json.dumps(fault).encode(), status=status, count=0)


class Rings:
    """A clock driven by hand: what is armed, and for how many seconds; what time it says it is."""

    measures = True

    def __init__(self) -> None:
        self.armed: dict[int, tuple[float, Callable[[], None]]] = {}
        self.due_us: dict[int, int] = {}
        self.passed_us = 0
        self.stands_at_us: int | None = None
        self._last = 0

    def later(self, seconds: float, call: Callable[[], None]) -> Ring:
        self._last += 1
        self.armed[self._last] = (seconds, call)
        self.due_us[self._last] = self.now_us() + round(seconds * 1e6)
        return Ring(self, self._last)

    def now_us(self) -> int:
        if self.stands_at_us is not None:
            return self.stands_at_us
        return time.time_ns() // 1000 + self.passed_us

    def monotonic(self) -> float:
        return self.now_us() / 1e6

    def uptime(self) -> tuple[str, float]:
        return "", self.monotonic()

    def wait(self, seconds: float) -> None:
        """Let so much time pass, with everything that rings meanwhile; time stands still before and after it."""
        until_us = self.now_us() + round(seconds * 1e6)
        while self.armed:
            number = min(self.armed, key=self.due_us.__getitem__)
            if self.due_us[number] > until_us:
                break
            self.stands_at_us = max(self.now_us(), self.due_us[number])
            self.armed.pop(number)[1]()
        self.stands_at_us = until_us

    def ring(self) -> None:
        """The earliest rings."""
        number = min(self.armed, key=lambda one: self.armed[one][0])
        self.armed.pop(number)[1]()


class Ring(NamedTuple):
    rings: Rings
    number: int

    def cancel(self) -> None:
        self.rings.armed.pop(self.number, None)


class Guests:
    """Who is there, without a supervisor: everybody who has a mailbox runs, and their lives are the test's."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus

    def states(self) -> list[tuple[str, str]]:
        return [(name, "running") for name in self.bus.endpoints]

    def state(self, name: str) -> str | None:
        return "running" if name in self.bus.endpoints else None

    async def suspend(self, name: str) -> None:
        raise NotImplementedError

    async def resume(self, name: str) -> None:
        raise NotImplementedError

    async def remove(self, name: str) -> None:
        raise NotImplementedError

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        raise NotImplementedError


class Stand:
    """One bus with a journal and the platform's agents; guests as a test adds them."""

    def __init__(
        self,
        journal: Journal,
        limits: Limits,
        clock: Clock | None = None,
        tree_waiting: int = TREE_WAITING,
        referee: Callable[[Clock], RefereeService] = RefereeService,
        approvals: dict[str, ApprovalTable] | None = None,
    ) -> None:
        self.journal = journal
        self.limits = limits
        self.rings = clock if isinstance(clock, Rings) else Rings()
        self.bus = Bus(
            platform="local",
            ids=Ids(7),
            journal=journal,
            next_seq=journal.committed + 1,
            limits=limits,
            clock=clock or self.rings,
            tree_waiting=tree_waiting,
            referee_service=referee(clock or self.rings),
        )
        self.timer = Timer(self.bus, self.rings)
        self.guests = Guests(self.bus)
        self.df = Df(self.bus, clock or self.rings, limits.message_bytes)
        self.ams = Ams(self.bus, clock or self.rings, limits.message_bytes, self.guests, self.df.directory)
        self.bus.host(self.ams, self.df, self.timer)
        self.hold = Hold(self.bus, clock or self.rings, limits, approvals=approvals)
        self.cell = HandCell(self.bus)
        self.broken: list[tuple[str, int, str]] = []
        self.bus.turns.watch(
            broken=lambda endpoint, status, code, reason: self.broken.append((endpoint.name, status, code))
        )
        self._known = 0
        for name, number in PLATFORM_NUMBERS.items():
            journal.batch.records.append(AgentRow(number, f"{name}@local", "platform", None, "{}", 0, 0))

    def agent(
        self, name: str, *, cell: HandCell | None = None, running: bool = True, **limits: int
    ) -> Endpoint:
        """An agent in a cell by hand; not `running`: a mailbox and nothing else yet."""
        number = FIRST_GUEST_NUMBER + self._known
        self._known += 1
        chosen = Limits(**limits) if limits else self.limits
        endpoint = Endpoint(f"{name}@local", number, chosen)
        self.bus.endpoints[endpoint.name] = endpoint
        self.journal.batch.records.append(AgentRow(number, endpoint.name, "running", None, "{}", 0, 0))
        if not chosen.turns_per_s:
            # as after a quick turn
            endpoint.costs(0)
        if running:
            self.run(endpoint, cell)
        return endpoint

    def run(self, endpoint: Endpoint, cell: HandCell | None = None) -> None:
        """Give an agent a cell."""
        link = (cell or self.cell).link
        endpoint.slot = endpoint.number
        endpoint.port = link
        link.slots[endpoint.slot] = endpoint
        self.bus.open(endpoint)

    def ask(self, receiver: str | list[str], content: object = None, **more: Any) -> int:
        """The operator requests something; the message's number."""
        return self.bus.submit(
            {"performative": "request", "receiver": receiver, "content": content, **more}
        ).seq

    async def commit(self) -> None:
        """Everything so far is on disk, turns too."""
        self.bus.event("test", body={})
        self.bus.settle()
        await self.journal.committed_upto(self.bus.last_seq)

    async def messages(self, after: int = 0) -> list[Json]:
        """Every message above that number, as it stands in the journal, with its row beside it."""
        await self.commit()
        rows = await self.journal.reader.messages(after_seq=after, limit=100_000)
        return [
            {**json.loads(row.body), "seq": row.seq, "cause": row.cause, "hops": row.hops} for row in rows
        ]

    async def turns(self) -> list[StoredTurn]:
        await self.commit()
        return await self.journal.reader.turns(limit=100_000)

    async def letters(self) -> list[tuple[int, str, str]]:
        """Dead letters by number and agent, with their codes."""
        await self.commit()
        rows = await self.journal.reader.dead_letters(limit=100_000)
        return sorted((row.seq, row.agent, row.code) for row in rows)

    def pending(self) -> list[tuple[int, list[str]]]:
        return [(message.seq, names) for message, names in self._pending()]

    def _pending(self) -> Iterator[tuple[StoredMessage, list[str]]]:
        return self.journal.pending()

    def redeliver(self) -> None:
        """What the start of the daemon does with what was not finished."""
        for stored, receivers in self._pending():
            self.bus.redeliver(stored.seq, stored.body, stored.hops, receivers)
        self.timer.begin()


@asynccontextmanager
async def stand(
    folder: Path,
    clock: Clock | None = None,
    tree_waiting: int = TREE_WAITING,
    referee: Callable[[Clock], RefereeService] = RefereeService,
    approvals: dict[str, ApprovalTable] | None = None,
    **limits: int,
) -> AsyncGenerator[Stand]:
    """A bus over the journal in that folder; a second one over the same folder is a restart."""
    async with await Journal.open(folder, SystemClock()) as journal:
        made = Stand(journal, Limits(**limits), clock, tree_waiting, referee, approvals)
        await made.ams.load(journal.reader)
        await made.df.load(journal.reader)
        await made.timer.load(journal.reader)
        await made.hold.load(journal.reader)
        yield made


INFORM: Json = {"performative": "inform", "content": 1}
