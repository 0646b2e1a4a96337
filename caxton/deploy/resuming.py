"""What a deployment needs to go on after a restart of the daemon, from its row and the journal."""

from __future__ import annotations

import msgspec

from caxton.agents import AgentRecord, Registry, Revision, Running, Suspended
from caxton.deploy.joining import Resumed
from caxton.deploy.journey import Under, goes_on
from caxton.deploy.sides import Sides
from caxton.journal import DeploymentRow, Reader


async def resumed(row: DeploymentRow, reader: Reader) -> Resumed:
    """How far it was, and who spoke last in each conversation."""
    under = goes_on(row)
    assert under is not None
    speakers = await reader.speakers(row.agent_no)
    return Resumed(
        progress=under.progress,
        sides=msgspec.convert(under.kept["sides"], Sides, strict=False),
        old_keys=[key for key, revision in speakers.items() if revision != row.revision_no],
        new_keys=[key for key, revision in speakers.items() if revision == row.revision_no],
        joined_seq=under.kept.get("joined_seq", 0),
        since=under.kept.get("since"),
    )


def find(row: DeploymentRow, registry: Registry) -> tuple[Under, AgentRecord, Revision] | str:
    """What it goes on with, or why it cannot."""
    under = goes_on(row)
    record = next((one for one in registry.agents.values() if one.number == row.agent_no), None)
    revision = registry.numbered(row.revision_no)
    if under is None or record is None or revision is None:
        return "its agent or its revision is not there any more"
    if record.busy or record.revision is None or record.revision.no != row.previous_no:
        return f"{record.name} is being changed, or has moved on"
    if not isinstance(record.life, Running | Suspended):
        return f"{record.name} does not run"
    return under, record, revision
