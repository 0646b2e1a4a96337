"""What retention spares for agents' memories, kept small: states are taken, and a share of the disk is held.

In: from time to time, how much the journal has left for each agent though it would have gone. Out: for an agent whose
state can be taken, a snapshot, so that these rows can go; for one whose rows fill its share of the disk, a suspension
that says why and what can be done. Nothing is ever removed that a memory is made from.
"""

from __future__ import annotations

import structlog

from caxton.agents.life import Running, Suspended
from caxton.agents.record import AgentRecord
from caxton.agents.supervisor import Supervisor
from caxton.errors import InvalidState
from caxton.journal import Journal, Needed
from caxton.limits import MIB

log = structlog.get_logger("caxton.agents")


class SparedMemory:
    """Looks after it. `share_mib` is what each agent may have, 0 for as much as there is."""

    def __init__(self, agents: Supervisor, journal: Journal, share_mib: int) -> None:
        self._agents = agents
        self._journal = journal
        self._share = share_mib * MIB

    def look(self) -> None:
        """Ask for the states that are missing, and suspend whoever has filled its share."""
        memories = self._journal.kept.memories
        if not memories:
            return
        for record in list(self._agents.registry.agents.values()):
            needed = memories.get(record.number)
            if needed is None:
                continue
            full = bool(self._share) and needed.bytes > self._share
            if isinstance(record.life, Running | Suspended) and self._agents.instances.keeps(record):
                self._agents.spawn(self._agents.repair.snapshots.take_now(record))
            if full and isinstance(record.life, Running) and not record.busy:
                self._agents.spawn(self._suspend(record, needed))
            elif full and isinstance(record.life, Suspended):
                record.endpoint.explain(self._why(record, needed))

    async def _suspend(self, record: AgentRecord, needed: Needed) -> None:
        why = self._why(record, needed)
        try:
            await self._agents.suspend(record.name, why)
        except InvalidState:
            return  # something else is changing it; the next look tries again
        record.endpoint.explain(why)
        log.error("an agent was suspended", agent=record.name, reason=why)

    def _why(self, record: AgentRecord, needed: Needed) -> str:
        name = record.name
        return (
            f"its memory is made from {needed.rows:,} turns of which the journal keeps {needed.bytes / MIB:,.1f} MiB "
            f"beyond their time, more than journal.memory_mib = {self._share // MIB}. Ways out: deploy a build with "
            f'caxton_snapshot and caxton_restore; raise journal.memory_mib; say recover = "fresh" where it has '
            f"nothing to remember; or deploy it with --fresh-state, to begin anew. Then: caxton agent resume {name}"
        )
