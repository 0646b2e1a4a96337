"""Snapshots in the background: the state of an agent that has had turns enough is kept, behind the messages that its
cell has.

In: that a state is due. Out: a row with the state, so that a recovery has fewer turns to run again. That a state cannot
be kept is no fault of the agent: it works on, the reason is said once, and each next try comes after more turns.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import structlog

from caxton.agents.events import AgentEvents
from caxton.agents.instances import Instances
from caxton.agents.record import AgentRecord
from caxton.bus import Bus
from caxton.bus.mailbox import NEVER
from caxton.cells import Answer, CellLink, CellLost
from caxton.errors import AgentError
from caxton.sandbox.frames import Fault, Kind
from caxton.turn_status import Status

log = structlog.get_logger("caxton.agents")


class Snapshots:
    """Takes them, one at a time of each agent. `lost` is told where one cost the instance all the same."""

    def __init__(
        self,
        bus: Bus,
        instances: Instances,
        events: AgentEvents,
        lost: Callable[[AgentRecord, str], None],
    ) -> None:
        self._bus = bus
        self._instances = instances
        self._events = events
        self._lost = lost
        self._due: set[AgentRecord] = set()
        self._asked: set[AgentRecord] = set()

    def is_asked(self, record: AgentRecord) -> bool:
        """Whether its cell was asked for its state and has not answered."""
        return record in self._asked

    def due(self, record: AgentRecord) -> bool:
        """It has had turns enough; whether somebody is to `take` the snapshot now."""
        self._instances.plan_snapshot(record)
        self._due.add(record)
        if record in self._asked:
            return False
        self._asked.add(record)
        return True

    async def take(self, record: AgentRecord) -> None:
        """Keep the agent's state, and once more where that was due again before the cell had answered."""
        try:
            # never: a deployment has begun, and keeps what is to be kept
            while record in self._due and record.endpoint.snapshot_at != NEVER:
                self._due.discard(record)
                if record.cell is not None and record.cell.link is not None:
                    await self._take_once(record, record.cell.link)
        except CellLost:
            pass
        finally:
            self._due.discard(record)
            self._asked.discard(record)

    async def take_now(self, record: AgentRecord) -> None:
        """Keep the agent's state, due or not, unless something is changing the agent or it cannot be kept."""
        link = record.cell.link if record.cell is not None else None
        if link is None or record in self._asked or record.busy or record.deployment or record.snapshot_error:
            return
        self._asked.add(record)
        try:
            await self._take_once(record, link)
        except CellLost:
            pass
        finally:
            self._asked.discard(record)
        if record in self._due:
            self._asked.add(record)
            await self.take(record)

    async def state(self, record: AgentRecord) -> bytes:
        """The state of an agent that rests, which is kept as well; AgentError or CellLost where it cannot be had."""
        link = record.cell.link if record.cell is not None else None
        if link is None:
            raise CellLost("the agent's cell is being started again", hint="try again in a moment")
        answer = await self._take_once(record, link)
        if answer.status != Status.OK:
            raise AgentError(
                f"{record.name} does not give its state: {record.snapshot_error or 'it was lost'}"
            )
        return answer.payload

    async def _take_once(self, record: AgentRecord, link: CellLink) -> Answer:
        endpoint = record.endpoint
        # the frame stands behind every message that the cell has now, so the state is the one after them
        seq = endpoint.given
        revision_no = endpoint.revision_no
        answer = await link.request(Kind.SNAPSHOT, endpoint.slot)
        if revision_no != endpoint.revision_no:
            return answer
        if answer.status == Status.OK:
            record.snapshot_kept()
            self._instances.keep(record, answer.payload, seq)
            self._instances.plan_snapshot(record)
            self._bus.settle()
            return answer
        fault = msgspec.json.decode(answer.payload, type=Fault)
        if answer.status != Status.UNHANDLED:
            self._failed(record, fault)
        if endpoint.slot in fault.lost:
            self._due.discard(record)
            self._lost(record, f"snapshot: {fault.code}: {fault.reason}")
        return answer

    def _failed(self, record: AgentRecord, fault: Fault) -> None:
        """The agent works on; say so once, and try again later."""
        is_news = record.snapshot_error is None
        record.snapshot_failed("; ".join(filter(None, (fault.reason, fault.hint))))
        self._instances.plan_snapshot(record)
        if is_news:
            log.warning(
                "an agent's state cannot be kept", agent=record.name, reason=fault.reason, hint=fault.hint
            )
            self._events.tell(
                record, "snapshot_failed", code=fault.code, reason=fault.reason, hint=fault.hint
            )
