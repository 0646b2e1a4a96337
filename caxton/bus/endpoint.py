"""An agent as the bus sees it: a name, a mailbox, and a port to the cell that runs it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Final, Protocol

from caxton.bus.envelope import Envelope
from caxton.bus.mailbox import NEVER, Mailbox
from caxton.limits import Limits

WINDOW: Final = 16
"""Messages of one agent that its cell has at a time, at the most."""
FIRST_WINDOW: Final = 2
"""Before any turn was measured, and where agents may be urgent: nothing can overtake what its cell has."""
WINDOW_US: Final = 2_000
"""How much work of one agent may stand in front of the others' there, in microseconds."""


class Trial(Protocol):
    """Who watches what a new revision says."""

    catches: bool
    """Whether a turn that fails now is not to be written down: its message waits again, first in line."""

    def failed(self, envelope: Envelope, code: str, reason: str) -> None:
        """A turn that was caught cost the instance, or said what it may not."""
        ...

    def lost(self, why: str) -> None:
        """The cell died, or the agent was given up."""
        ...


class DeliveryPort(Protocol):
    """One cell, as far as the bus knows it."""

    room: int
    """How many more messages it takes before it must give results back."""

    def push(self, endpoint: Endpoint, envelope: Envelope) -> None:
        """Take one message for one of its agents; takes one from `room`."""
        ...

    def wait(self, endpoint: Endpoint) -> None:
        """Remember that this agent has waiting messages; they are asked for when there is room."""
        ...

    def settle(self) -> None:
        """Send what was pushed."""
        ...


class Endpoint(Mailbox):
    """One guest agent with its mailbox, which never holds more than `limits.mailbox`.

    `open` says whether new messages may go to the cell now.
    """

    __slots__ = (
        "draws",
        "failed_turns",
        "fuel",
        "held_bytes",
        "last_error",
        "limits",
        "name",
        "number",
        "open",
        "owed_us",
        "port",
        "queued",
        "refusal",
        "resting",
        "revision_no",
        "sent",
        "slot",
        "snapshot_at",
        "suspended",
        "trial",
        "turn_us",
        "turns",
        "when_idle",
        "window",
    )

    def __init__(self, name: str, number: int, limits: Limits) -> None:
        super().__init__()
        self.name = name
        self.number = number
        self.limits = limits
        self.held_bytes = 0
        """What all of its messages are long, as JSON."""
        self.port: DeliveryPort | None = None
        self.slot = 0
        self.open = False
        self.window = self._first_window()
        """How many messages its cell may have at a time: fewer, the more its turns cost."""
        self.owed_us = 0
        """For how long what it has said since it rested has kept the bus, about."""
        self.resting = False
        self.suspended = False
        """Whether `open` stays False whoever opens it, until the agent is resumed."""
        self.queued = False
        """Whether the port remembers it as waiting."""
        self.revision_no = 0
        self.draws = False
        """Whether its build may ask for randomness: then messages say the number of their turn."""
        self.turns = 0
        self.failed_turns = 0
        self.sent = 0
        self.fuel = 0
        self.turn_us = 0
        self.snapshot_at = NEVER
        """The turn after which its state is to be kept; NEVER for agents without the hook."""
        self.trial: Trial | None = None
        """Set while there is a new revision beside the old one."""
        self.refusal: tuple[str, str] | None = None
        """Code and reason for every new message, where the agent takes none."""
        self.when_idle: asyncio.Future[None] | None = None
        """Somebody waits until the cell has answered everything."""
        self.last_error: str | None = None

    # ------------------------------------------------------------------ how much it holds

    def comes(self, size: int) -> None:
        """A message of so many bytes comes into its mailbox, or straight to its cell, or stays there."""
        self.held_bytes += size

    # ------------------------------------------------------------------ where its messages go

    def attach(self, port: DeliveryPort, slot: int, revision_no: int) -> None:
        """Its messages go to that slot of a cell, where that revision runs."""
        self.port, self.slot, self.revision_no = port, slot, revision_no

    def route(self, slot: int, revision_no: int, limits: Limits) -> None:
        """Messages are for the instance in that slot from now on, which is that revision with those limits."""
        self.slot = slot
        self.runs(revision_no)
        self.limit(limits)

    def limit(self, limits: Limits) -> None:
        """Those limits hold from now on."""
        self.limits = limits
        self.window = self._first_window()

    def may_draw(self, *, draws: bool) -> None:
        """Whether its build may ask for randomness."""
        self.draws = draws

    def asks_to_put_back(self, *, asks: bool) -> None:
        """Whether its build may put messages back."""
        self.puts_back = asks
        self.window = self._first_window()

    def divert(self, port: DeliveryPort, trial: Trial | None = None) -> None:
        """Messages go by that port for a time, and `trial` watches what comes of them."""
        self.port, self.trial = port, trial
        self._in_order = trial is not None

    def direct(self, port: DeliveryPort) -> None:
        """Messages go straight to the cell again, and nobody watches."""
        self.port, self.trial = port, None
        self._in_order = self.queued = False

    def runs(self, revision_no: int) -> None:
        """Its turns are those of that revision."""
        self.revision_no = revision_no

    def let_in(self) -> None:
        """New messages may go to its cell, unless it is suspended."""
        self.open = not self.suspended

    def shut(self) -> None:
        """New messages wait."""
        self.open = False

    def suspend(self) -> None:
        """New messages wait, whoever lets them in, until it is resumed."""
        self.suspended, self.open = True, False

    def resume(self) -> None:
        """It may be opened again."""
        self.suspended = False

    def refuse(self, code: str, reason: str) -> None:
        """Take no new message, with that answer."""
        self.refusal = (code, reason)

    def accept(self) -> None:
        """Take new messages again."""
        self.refusal = None

    def queue(self, *, queued: bool) -> None:
        """Its port says whether it remembers it as waiting."""
        self.queued = queued

    # ------------------------------------------------------------------ its turns

    def turn_ended(self, seq: int, fuel: int, turn_us: int, size: int) -> None:
        """It has had one more turn, from that message, which was so long."""
        self.turns += 1
        self.held_bytes -= size
        self.last_seq = self._places.pop(seq, seq) if self._places else seq
        # what its cell has of it yet has the next numbers
        number = self.given_no - len(self.in_flight)
        if self._numbers:
            number = self._numbers.pop(seq, number)
        self.turn_no = number
        if number > self.ended_no:
            self.ended_no = number
        self.fuel += fuel
        self.turn_us += turn_us

    def costs(self, turn_us: int) -> None:
        """Its latest turn took so much of its cell and of the bus: what it has in front of others is bounded."""
        widest = 1 if self.puts_back else FIRST_WINDOW if self.limits.urgent else WINDOW
        self.window = min(widest, max(1, WINDOW_US // max(1, turn_us)))

    def owes(self, said_us: int) -> None:
        """What it said has kept the bus for so long."""
        self.owed_us += said_us

    def hold_on(self) -> None:
        """It gets nothing more until what it says is taken in."""
        self.window = 0

    def rest(self) -> None:
        """It has had more than its share: it gets nothing until it goes on."""
        self.window, self.owed_us, self.resting = 0, 0, True

    def go_on(self) -> None:
        """It has rested."""
        self.window, self.resting = 1, False

    def has_said(self, count: int) -> None:
        """It has sent so many messages more."""
        self.sent += count

    def turn_failed(self, code: str, reason: str) -> None:
        """A turn of its failed."""
        self.failed_turns += 1
        self.last_error = f"{code}: {reason}"

    def explain(self, why: str) -> None:
        """Say why it does not work, where no turn is the reason."""
        self.last_error = why

    def took_up(self, seq: int) -> None:
        """It is back, and the place of its latest turn is another than the turns that ended here say."""
        self.last_seq = seq
        if self.waiting:
            # what waits may be what made it the worst of all: one turn first shows what they cost
            self.window = 1

    def keep_state_after(self, turns: int | None) -> None:
        """Its state is due after so many more turns; None for never."""
        self.snapshot_at = NEVER if turns is None else self.turns + turns

    def pending_again(self, envelope: Envelope, *, is_open: bool) -> None:
        """A turn that was caught has not ended: its message is the first that the cell has, as before."""
        self.pend_again(envelope)
        self.open = is_open
        self.measure()

    def take_out(self, which: Callable[[Envelope], bool]) -> list[Envelope]:
        """Take out what waits and is meant; it is the caller's from now on."""
        gone = self.without(which)
        if gone:
            self.measure()
            self.wake()
        return gone

    @property
    def why_full(self) -> str | None:
        """Why its mailbox takes nothing more for now, None where it does."""
        limits = self.limits
        if len(self.waiting) + len(self.in_flight) + len(self.aside) >= limits.mailbox:
            return f"the mailbox of {self.name} is full: {limits.mailbox:,} messages wait (limits.mailbox)"
        if self.held_bytes >= limits.mailbox_bytes:
            much = f"what waits has {self.held_bytes:,} bytes, at most {limits.mailbox_bytes:,}"
            return f"the mailbox of {self.name} is full: {much} (limits.mailbox_bytes)"
        return None

    def measure(self) -> None:
        """Look anew how long all is that waits for it."""
        queues = (self.waiting, self.in_flight, self.returned, self.aside)
        self.held_bytes = sum(len(one.body) for queue in queues for one in queue)

    def let_go_first(self) -> Envelope:
        """Take out what waits first."""
        envelope = self.waiting.popleft()
        self.held_bytes -= len(envelope.body)
        return envelope

    def lose_cell(self, in_hand: Collection[int] = ()) -> list[Envelope]:
        """The cell is gone: everything that it had waits again, marked; returns it.

        `in_hand` are the numbers of the messages whose turns it died in: those count as tried.
        """
        lost = [
            envelope.again(tried=envelope.seq in in_hand) for envelope in (*self.returned, *self.in_flight)
        ]
        self.returned.clear()
        self.in_flight.clear()
        self._numbers.clear()
        self.given_no = self.ended_no
        self.waiting.extendleft(reversed(lost))
        self.measure()
        self.open = False
        self.queued = False
        self.port = None
        self.wake()
        return lost

    # ------------------------------------------------------------------ who waits for it

    def wake(self) -> None:
        """Let those look who wait for `idle` or `empty`."""
        waiter = self.when_idle
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def idle(self) -> None:
        """Wait until its cell has answered everything; close it first, or this may take for ever."""
        while self.in_flight:
            await self._woken()

    async def empty(self) -> None:
        """Wait until nothing waits any more, neither here nor in the cell."""
        while self.in_flight or self.waiting:
            await self._woken()

    async def _woken(self) -> None:
        if self.when_idle is None or self.when_idle.done():
            self.when_idle = asyncio.get_running_loop().create_future()
        await asyncio.shield(self.when_idle)

    def _first_window(self) -> int:
        return FIRST_WINDOW if not self.puts_back and not self.limits.turns_per_s else 1
