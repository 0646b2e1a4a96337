"""An agent as the bus sees it: a name, a mailbox, and a port to the cell that runs it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection
from typing import Final, Protocol

import msgspec

from caxton.acl import Message
from caxton.bus.causes import Tree
from caxton.bus.conversations import ConversationEntry
from caxton.limits import Limits

NEVER: Final = 1 << 62
WINDOW: Final = 16
"""Messages of one agent that its cell has at a time, at the most."""
WINDOW_US: Final = 2_000
"""How much work of one agent may stand in front of the others' there, in microseconds."""


class Envelope(msgspec.Struct, gc=False):
    """An admitted message on its way; one for all its receivers."""

    seq: int
    message: Message
    body: bytes
    """The message as JSON: what the guest reads and the journal keeps."""
    hops: int
    tree: Tree
    """The causal tree that it belongs to."""
    redelivered: bool = False
    tries: int = 0
    """How often a cell died in its turn."""
    entry: ConversationEntry | None = None
    """Its conversation, where the bus had it at hand."""

    def again(self, *, tried: bool = False) -> Envelope:
        """The same message, marked as delivered again; `tried`: a cell died in its turn."""
        body = self.body if self.redelivered else self.body[:-1] + b',"redelivered":true}'
        return Envelope(self.seq, self.message, body, self.hops, self.tree, True, self.tries + tried)


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


class Endpoint:
    """The mailbox of one guest agent.

    `waiting` holds what its cell has not been given yet, `in_flight` what it has and has not answered; both together
    never hold more than `limits.mailbox`. `open` says whether new messages may go to the cell now.
    """

    __slots__ = (
        "failed_turns",
        "fuel",
        "in_flight",
        "last_error",
        "last_seq",
        "limits",
        "name",
        "number",
        "open",
        "owed_us",
        "port",
        "queued",
        "refusal",
        "resting",
        "returned",
        "revision_no",
        "sent",
        "slot",
        "snapshot_at",
        "suspended",
        "trial",
        "turn_us",
        "turns",
        "waiting",
        "when_idle",
        "window",
    )

    def __init__(self, name: str, number: int, limits: Limits) -> None:
        self.name = name
        self.number = number
        self.limits = limits
        self.waiting: deque[Envelope] = deque()
        self.in_flight: deque[Envelope] = deque()
        self.returned: list[Envelope] = []
        """What the cell gave back unhandled, in order."""
        self.port: DeliveryPort | None = None
        self.slot = 0
        self.open = False
        self.window = WINDOW if not limits.turns_per_s else 1
        """How many messages its cell may have at a time: fewer, the more its turns cost."""
        self.owed_us = 0
        """For how long what it has said since it rested has kept the bus, about."""
        self.resting = False
        self.suspended = False
        """Whether `open` stays False whoever opens it, until the agent is resumed."""
        self.queued = False
        """Whether the port remembers it as waiting."""
        self.revision_no = 0
        self.last_seq = 0
        """The message of its latest turn."""
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

    @property
    def depth(self) -> int:
        """Messages that wait for it, those in its cell included."""
        return len(self.waiting) + len(self.in_flight)

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
        self.window = WINDOW if not limits.turns_per_s else 1

    def divert(self, port: DeliveryPort, trial: Trial | None = None) -> None:
        """Messages go by that port for a time, and `trial` watches what comes of them."""
        self.port, self.trial = port, trial

    def direct(self, port: DeliveryPort) -> None:
        """Messages go straight to the cell again, and nobody watches."""
        self.port, self.trial = port, None
        self.queued = False

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

    def turn_ended(self, seq: int, fuel: int, turn_us: int) -> None:
        """It has had one more turn, from that message."""
        self.turns += 1
        self.last_seq = seq
        self.fuel += fuel
        self.turn_us += turn_us

    def costs(self, turn_us: int) -> None:
        """Its latest turn took so much of its cell and of the bus: what it has in front of others is bounded."""
        self.window = min(WINDOW, max(1, WINDOW_US // max(1, turn_us)))

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
        """It is back, and the message of its latest turn is another than the turns that ended here say."""
        self.last_seq = seq
        if self.waiting:
            # what waits may be what made it the worst of all: one turn first shows what they cost
            self.window = 1

    def keep_state_after(self, turns: int | None) -> None:
        """Its state is due after so many more turns; None for never."""
        self.snapshot_at = NEVER if turns is None else self.turns + turns

    def pending_again(self, envelope: Envelope, *, is_open: bool) -> None:
        """A turn that was caught has not ended: its message is the first that the cell has, as before."""
        for queue in (self.returned, self.waiting):
            for place, one in enumerate(queue):
                if one is envelope:
                    del queue[place]
                    break
        self.in_flight.appendleft(envelope)
        self.open = is_open

    def drop(self, tree: Tree) -> list[Envelope]:
        """Take out what waits of that tree."""
        lost = [envelope for envelope in self.waiting if envelope.tree is tree]
        if lost:
            kept = [envelope for envelope in self.waiting if envelope.tree is not tree]
            self.waiting.clear()
            self.waiting.extend(kept)
            self.wake()
        return lost

    @property
    def full(self) -> bool:
        """Whether its mailbox takes nothing more for now."""
        return self.refusal is None and self.depth >= self.limits.mailbox

    def take_back(self) -> None:
        """Put what the cell did not handle in front of what waits, in the old order."""
        if self.returned and not self.in_flight:
            self.waiting.extendleft(reversed(self.returned))
            self.returned.clear()

    def lose_cell(self, in_hand: Collection[int] = ()) -> list[Envelope]:
        """The cell is gone: everything that it had waits again, marked; returns it.

        `in_hand` are the numbers of the messages whose turns it died in: those count as tried.
        """
        lost = [
            envelope.again(tried=envelope.seq in in_hand) for envelope in (*self.returned, *self.in_flight)
        ]
        self.returned.clear()
        self.in_flight.clear()
        self.waiting.extendleft(reversed(lost))
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
