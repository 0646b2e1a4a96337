"""Direct: the new revision takes over at once, between two turns; there is no way back but another deployment."""

from __future__ import annotations

import msgspec

from caxton.agents import AgentConfig, AgentRecord, Revision, Running, Supervisor
from caxton.bus import Bus
from caxton.clock import Clock
from caxton.errors import DeploymentError
from caxton.sandbox.frames import Fault, Kind, Status


async def change(
    agents: Supervisor, bus: Bus, clock: Clock, record: AgentRecord, revision: Revision, config: AgentConfig
) -> tuple[str, int]:
    """Another revision for a running agent. Returns what became of the state, and the pause in microseconds."""
    instances = agents.instances
    cell, endpoint = record.cell, record.endpoint
    assert cell is not None
    assert isinstance(record.life, Running)
    link = cell.link
    if link is None:
        raise DeploymentError("the agent's cell is being started again", hint="try again in a moment")
    slot = cell.slot()
    loaded = await instances.load(record, cell, slot, revision, config, restore=False)
    carry = "snapshot" in record.hooks and "restore" in loaded.hooks and config.recover == "snapshot"
    began = clock.monotonic()
    endpoint.open = False
    lost: str | None = None
    try:
        await endpoint.idle()
        if not isinstance(record.life, Running) or cell.link is not link:
            raise DeploymentError("the agent broke down while it was changed over", hint="try again")
        swap = msgspec.json.encode({"from": endpoint.slot, "carry": carry})
        answer = await link.request(Kind.SWAP, slot, swap)
        if answer.status != Status.OK:
            fault = msgspec.json.decode(answer.payload, type=Fault)
            if endpoint.slot in fault.lost:
                lost = f"snapshot: {fault.code}: {fault.reason}"
            raise DeploymentError(
                f"the new revision did not take over the state: {fault.reason}",
                hint=fault.hint or "the old revision goes on",
            )
        link.slots.pop(endpoint.slot, None)
        endpoint.slot = slot
        link.slots[slot] = endpoint
        record.life = record.life.swap(revision.sha256, slot)
        record.revision, record.config = revision, config
        record.hooks = tuple(loaded.hooks)
        endpoint.revision_no = revision.no
        endpoint.limits = config.limits
        if not carry:
            instances.forget(record)
        instances.plan_snapshot(record)
    finally:
        if lost is not None:
            # its own hook cost the old revision its instance: it is started again as after any trap
            agents.broken(record, lost)
        elif isinstance(record.life, Running) and cell.link is link:
            bus.open(endpoint)
    pause_us = int((clock.monotonic() - began) * 1e6)
    return ("carried" if carry else "fresh"), pause_us
