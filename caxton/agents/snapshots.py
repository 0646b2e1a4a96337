"""Snapshots in the background: the state of an agent that has had turns enough is kept, behind the messages that its
cell has.

In: that a state is due. Out: a row with the state, so that a recovery has fewer turns to run again.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from caxton.agents.instances import Instances
from caxton.agents.record import AgentRecord
from caxton.bus import Bus
from caxton.bus.endpoint import NEVER
from caxton.cells import CellLink, CellLost
from caxton.sandbox.frames import Fault, Kind
from caxton.turn_status import Status


class Snapshots:
    """Takes them, one at a time of each agent. `broken` is told where one cost the instance."""

    def __init__(self, bus: Bus, instances: Instances, broken: Callable[[AgentRecord, str], None]) -> None:
        self._bus = bus
        self._instances = instances
        self._broken = broken
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

    async def _take_once(self, record: AgentRecord, link: CellLink) -> None:
        endpoint = record.endpoint
        # the frame stands behind every message that the cell has now, so the state is the one after them
        seq = endpoint.in_flight[-1].seq if endpoint.in_flight else endpoint.last_seq
        revision_no = endpoint.revision_no
        answer = await link.request(Kind.SNAPSHOT, endpoint.slot)
        if answer.status == Status.OK and revision_no == endpoint.revision_no:
            self._instances.keep(record, answer.payload, seq)
            self._bus.settle()
        elif answer.status in (Status.TRAP, Status.LIMIT, Status.BROKEN):
            fault = msgspec.json.decode(answer.payload, type=Fault)
            self._due.discard(record)
            self._broken(record, f"snapshot: {fault.code}: {fault.reason}")
