"""Begins deployments and ends those that the end of a daemon interrupted; their rows are the history.

In: what was asked for, or the rows of before. Out: deployments as they stand, written down.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from caxton.agents import AgentRecord, Registry, Revision, Running, Suspended
from caxton.clock import Clock
from caxton.deploy.checks import STATIC
from caxton.deploy.record import DeploymentRecord
from caxton.deploy.request import DeploymentRequest
from caxton.deploy.saved import SavedState, goes_on
from caxton.deploy.states import Interrupted, Refused, reason_of, state_name, step, stored
from caxton.deploy.target import Target
from caxton.errors import CaxtonError
from caxton.journal import DeploymentRow, Journal, Reader

ALL: Final = 1_000_000_000
"""Deployments are few."""
NO_REVISION: Final = 0
"""For a deployment whose module did not become one."""


@dataclass(frozen=True, slots=True)
class Resumable:
    """A deployment that goes on: with what, for which agent, to which revision."""

    saved: SavedState
    agent: AgentRecord
    revision: Revision


class DeploymentRecords:
    """Begins deployments, and ends those that the end of a daemon interrupted; their rows are the history."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._last = 0

    def begin(
        self,
        request: DeploymentRequest,
        agent: AgentRecord,
        target: Target,
        *,
        compile_ms: float = 0.0,
        cached: bool = False,
    ) -> DeploymentRecord:
        """A new deployment, in state validating."""
        # numbers go up with time, so that the newest has the greatest id also after a restart
        self._last = max(self._last + 1, self._clock.now_us())
        id = f"d-{self._last:013x}"
        deployment = DeploymentRecord(
            self._journal, self._clock, id, request, agent, target, compile_ms=compile_ms, cached=cached
        )
        deployment.save()
        return deployment

    def refused(self, request: DeploymentRequest, agent: AgentRecord, error: CaxtonError) -> None:
        """A module did not pass the static check: a deployment to no revision, and its end."""
        nothing = Revision(NO_REVISION, sha256(request.wasm).hexdigest(), "", "")
        deployment = self.begin(request, agent, Target(nothing, agent.config))
        deployment.checks.failed(STATIC, error)
        deployment.step(Refused(f"the {STATIC} check failed: {error.message}"))
        deployment.save()

    def resume(self, row: DeploymentRow, found: Resumable) -> DeploymentRecord:
        """The deployment of that row, to go on where it was."""
        saved = found.saved
        request = DeploymentRequest(
            found.agent.name,
            b"",
            profile=saved.config.profile,
            strategy=row.strategy,
            fresh_state=saved.fresh_state,
            options=saved.options,
            wait=False,
        )
        target = Target(found.revision, saved.config, saved.fresh_state)
        deployment = DeploymentRecord(self._journal, self._clock, row.id, request, found.agent, target)
        deployment.take_up(row, saved)
        return deployment

    def close(self, row: DeploymentRow, reason: str) -> DeploymentRow:
        """End a deployment that was to go on and cannot."""
        ended = replace(row, state="rolled_back", reason=reason, updated_us=self._clock.now_us())
        self._journal.batch.records.append(ended)
        return ended

    async def interrupted(self, reader: Reader) -> tuple[list[DeploymentRow], list[DeploymentRow]]:
        """After a start: end what was under way when the daemon ended, and return it as it is written down now; and
        what is to go on."""
        rows = await reader.deployments(limit=ALL)
        going = [row for row in rows if goes_on(row) is not None]
        ended = list(self._ended([row for row in rows if row not in going]))
        self._journal.batch.records.extend(ended)
        return ended, going

    def _ended(self, rows: list[DeploymentRow]) -> Iterator[DeploymentRow]:
        now = self._clock.now_us()
        for row in rows:
            state = stored(row.state)
            if state is not None:
                last, _ = step(state, Interrupted(new=row.previous_no is None))
                yield replace(row, state=state_name(last), reason=reason_of(last), updated_us=now)


def resumable(row: DeploymentRow, registry: Registry) -> Resumable | str:
    """What a deployment goes on with, or why it cannot."""
    saved = goes_on(row)
    agent = next((one for one in registry.agents.values() if one.number == row.agent_no), None)
    revision = registry.numbered(row.revision_no)
    if saved is None or agent is None or revision is None:
        return "its agent or its revision is not there any more"
    if agent.busy or agent.revision is None or agent.revision.no != row.previous_no:
        return f"{agent.name} is being changed, or has moved on"
    if not isinstance(agent.life, Running | Suspended):
        return f"{agent.name} does not run"
    return Resumable(saved, agent, revision)
