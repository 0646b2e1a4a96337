"""A new revision that is told the past of the agent while the old one works on (docs/replay.md).

In: an instance of the new revision in a slot of its own. Out: the same instance with the memory that the agent would
have if it had been this revision all along. What is on disk comes from the journal; what comes meanwhile is written
down as it passes, so that between two turns only the last few are left and nothing waits for the disk.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from caxton.agents import AgentRecord, RecoveryPlan, Revision, Supervisor
from caxton.bus import Bus, Endpoint, Envelope
from caxton.cells import Cell, CellLink
from caxton.deploy.target import Target
from caxton.errors import DeploymentError

IN_FLIGHT: Final = 32
"""Messages that the cell has at a time meanwhile, so that few are left in the pause."""
FEW: Final = 8
ROUNDS: Final = 50
PORTION: Final = 256


class Tap:
    """A port between the bus and a cell's link that remembers what passed."""

    def __init__(self, bus: Bus, link: CellLink, endpoint: Endpoint) -> None:
        first = endpoint.given_no - len(endpoint.in_flight) + 1
        self.heard = deque(
            (endpoint.place(one), number, one) for number, one in enumerate(endpoint.in_flight, first)
        )
        """Each with the place and the number of its turn."""
        self._bus = bus
        self._link = link
        self._endpoint = endpoint
        self.room = self._left()

    def push(self, endpoint: Endpoint, envelope: Envelope) -> None:
        """Take one message, and remember it."""
        self._link.push(endpoint, envelope)
        self.heard.append((endpoint.place(envelope), endpoint.turn_number(envelope), envelope))
        self.room = self._left()

    def wait(self, endpoint: Endpoint) -> None:
        """Nothing to remember: `settle` looks into the mailbox."""

    def settle(self) -> None:
        """After a burst: give the cell what there is room for."""
        endpoint = self._endpoint
        pushed = False
        self.room = self._left()
        while (
            endpoint.open
            and endpoint.waiting
            and self.room > 0
            and not endpoint.holds_back
            and not self._bus.journal.congested
        ):
            self.push(endpoint, endpoint.waiting.popleft())
            pushed = True
        if pushed:
            self._link.settle()

    def _left(self) -> int:
        return min(self._link.room, IN_FLIGHT - len(self._endpoint.in_flight))


class Rebuild:
    """One such rebuilding; `start` beside the old instance, `finish` between two turns, `end` in any case."""

    def __init__(
        self, bus: Bus, agents: Supervisor, record: AgentRecord, cell: Cell, link: CellLink, slot: int
    ) -> None:
        self.turns = 0
        """How many turns were run once more."""
        self._bus = bus
        self._agents = agents
        self._record = record
        self._cell = cell
        self._link = link
        self._slot = slot
        self._tap: Tap | None = None
        self._revision: Revision | None = None
        self._restarts = record.restarts

    async def start(
        self, target: Target, brought_by: str, *, since: int | None = None, strict: bool = True
    ) -> str | None:
        """Tell it what is past; None, or why that cannot be told and it begins with nothing.

        `brought_by` is the deployment; `since`: it began with nothing after that message. A turn that went well and
        costs the new revision its instance raises DeploymentError; unless `strict`, such turns of the old one that are
        on disk are left out.
        """
        endpoint, self._revision = self._record.endpoint, target.revision
        plan = await self._past(
            RecoveryPlan(
                self._record,
                self._cell,
                self._slot,
                target.revision,
                target.config,
                brought_by=brought_by,
                since=since,
                strict=strict,
            )
        )
        if not plan.replays:
            return plan.reason
        self._tap = Tap(self._bus, self._link, endpoint)
        upto = endpoint.last_seq
        endpoint.divert(self._tap)
        self._bus.ports.append(self._tap)
        # what ended before the tap was there
        await self._agents.recovery.catch_up(plan, upto)
        self.turns = plan.turns
        self._raise(plan)
        for _ in range(ROUNDS):
            if await self._tell(ended_only=True) <= FEW:
                break
        return None

    async def finish(self) -> None:
        """Tell it what is left; the agent takes no turn now. Raises DeploymentError as `start` does."""
        await self._record.endpoint.idle()
        if self._record.restarts != self._restarts or self._record.mending is not None:
            raise DeploymentError("the agent broke down while its past was told", hint="try again")
        while await self._tell(ended_only=False):
            pass
        self.end()

    def end(self) -> None:
        """Nothing is remembered any more; messages go to the cell as before."""
        tap, self._tap = self._tap, None
        if tap is None:
            return
        endpoint = self._record.endpoint
        if endpoint.port is tap:
            endpoint.direct(self._link)
        self._bus.ports.remove(tap)
        if endpoint.open:
            self._bus.open(endpoint)

    # ------------------------------------------------------------------ steps

    async def _past(self, plan: RecoveryPlan) -> RecoveryPlan:
        """What is on disk now, told."""
        await self._agents.recovery.recall([plan], decided_upto(self._record.endpoint))
        if plan.error is not None:
            raise plan.error
        self._raise(plan)
        return plan

    def _raise(self, plan: RecoveryPlan) -> None:
        if plan.broke:
            raise DeploymentError(
                f"its past cannot be told to the new revision: {plan.reason}",
                hint="the old revision goes on; with --fresh-state the new one begins with nothing",
            )

    async def _tell(self, *, ended_only: bool) -> int:
        """Run some of what was heard; how much that was."""
        tap, revision = self._tap, self._revision
        if tap is None or revision is None:
            return 0
        last = self._record.endpoint.last_seq
        portion: list[tuple[int, int, Envelope]] = []
        while tap.heard and len(portion) < PORTION and (not ended_only or tap.heard[0][0] <= last):
            portion.append(tap.heard.popleft())
        if not portion:
            return 0
        numbered = self._agents.instances.numbered
        bodies = [numbered(envelope.body, number, place, revision) for place, number, envelope in portion]
        answer = await self._agents.instances.replay(self._link, self._slot, bodies)
        self.turns += answer.done
        if answer.fault is not None:
            raise DeploymentError(
                f"its past cannot be told to the new revision: its turn on message {portion[answer.done][2].seq} went "
                f"well once and now ended: {answer.fault.reason}",
                hint="the old revision goes on; with --fresh-state the new one begins with nothing",
            )
        return len(portion)


def decided_upto(endpoint: Endpoint) -> int:
    """Up to this place every turn is in the journal, or on its way there. What an instance that broke down gave back
    waits again behind messages of which something was said."""
    undecided = [endpoint.place(one) for one in (*endpoint.in_flight, *endpoint.returned)]
    if endpoint.waiting:
        undecided.append(endpoint.place(endpoint.waiting[0]))
    return min((*undecided, endpoint.last_seq + 1)) - 1
