"""The first turns of a new revision, one message at a time, so that it can be taken back with nothing lost.

In: an agent's messages, as to any port. Out: the same messages to its cell, each when the turn before has ended, and
a verdict. While one turn is pending nothing later has been run, so a turn that fails leaves its message and all
later ones in their order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from caxton.bus import Bus, Endpoint, Envelope
from caxton.cells import CellLink
from caxton.deploy.states import ProbationFailed
from caxton.deploy.strategies.blue_green import BlueGreen
from caxton.deploy.strategies.policy import Verdict


class ProbationPort:
    """A port between the bus and a cell's link. It ends when the policy says so of a good turn, with a bad one, or
    when it is told to."""

    catches = True

    def __init__(
        self, bus: Bus, link: CellLink, endpoint: Endpoint, policy: BlueGreen, on_lost: Callable[[], None]
    ) -> None:
        self.room = 1
        self.handled: list[tuple[Envelope, int, int]] = []
        """What the new revision has answered, in order, with the places and the numbers of its turns."""
        self.handled_upto = 0
        """The place of the last turn of these."""
        self.verdict: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._bus = bus
        self._link = link
        self._endpoint = endpoint
        self._policy = policy
        self._on_lost = on_lost
        self._pending: Envelope | None = None
        self._ending: Verdict | None = None

    # ------------------------------------------------------------------ as a port

    def push(self, endpoint: Endpoint, envelope: Envelope) -> None:
        """Take the one message that there is room for."""
        self.room = 0
        self._pending = envelope
        self._link.push(endpoint, envelope)

    def wait(self, endpoint: Endpoint) -> None:
        """Nothing to remember: `settle` looks into the mailbox."""

    def settle(self) -> None:
        """After a burst: see whether the turn has ended, and give the cell the next message."""
        endpoint, envelope = self._endpoint, self._pending
        if self.verdict.done() or endpoint.in_flight:
            return
        if envelope is not None:
            self._pending = None
            if endpoint.waiting and endpoint.waiting[0] is envelope:
                self._decide(ProbationFailed(f"the cell did not take message {envelope.seq}"))
                return
            self.handled.append((envelope, endpoint.last_seq, endpoint.turn_no))
            self.handled_upto = endpoint.last_seq
            self._ending = self._ending or self._policy.went_well()
        if self._ending is not None:
            self._decide(self._ending)
            return
        self.room = 1
        if endpoint.open and endpoint.waiting and not self._bus.journal.congested:
            self.push(endpoint, endpoint.waiting.popleft())
            self._link.settle()

    # ------------------------------------------------------------------ what ends it

    def end(self, verdict: Verdict) -> None:
        """End it with that verdict, after the pending turn if that goes well."""
        self._ending = self._ending or verdict
        self.settle()

    def failed(self, envelope: Envelope, code: str, reason: str) -> None:
        """A turn cost the instance, or said what it may not."""
        self._pending = None
        self._decide(ProbationFailed(f"message {envelope.seq}: {code}: {reason}"))

    def lost(self, why: str) -> None:
        """The cell died: the agent is the old revision again, and comes back with its cell."""
        self._pending = None
        self._on_lost()
        self._decide(ProbationFailed(why))

    def _decide(self, verdict: Verdict) -> None:
        self.room = 0
        if not self.verdict.done():
            self.verdict.set_result(verdict)
