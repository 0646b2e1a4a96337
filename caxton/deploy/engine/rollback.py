"""What undoing a deployment leads back to.

In: its row, and the agents as they are. Out: the agent, the revision before, and what it was told then; or
InvalidState, where there is nothing to go back to.
"""

from __future__ import annotations

from caxton.agents import AgentConfig, AgentRecord, Registry, Revision
from caxton.deploy.saved import read_before
from caxton.errors import InvalidState
from caxton.journal import DeploymentRow


def rollback_target(row: DeploymentRow, registry: Registry) -> tuple[AgentRecord, Revision, AgentConfig]:
    """The agent of that deployment, and the revision and configuration that it had before it.

    Raises InvalidState where the agent has moved on since, or where there was nothing before.
    """
    record = next((one for one in registry.agents.values() if one.number == row.agent_no), None)
    if row.state != "running":
        raise InvalidState(f"{row.id} is {row.state}: there is nothing to take back")
    if record is None or record.revision is None:
        raise InvalidState(f"the agent of {row.id} is not there any more")
    before = registry.numbered(row.previous_no) if row.previous_no is not None else None
    config = read_before(row.detail).before
    if before is None or config is None:
        raise InvalidState(
            f"{row.id} was the first revision of {record.name}",
            hint="to take it away: caxton agent remove",
        )
    if record.revision.no != row.revision_no:
        raise InvalidState(
            f"{record.name} has moved on since {row.id}",
            hint=f"see: caxton deploy list; its latest: caxton deploy rollback {record.name}",
        )
    return record, before, config
