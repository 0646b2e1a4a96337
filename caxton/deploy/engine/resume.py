"""Deployments that the end of the daemon interrupted, after its next start.

In: their rows, and the agents once they are there again. Out: an end for those that ended with the daemon, and
the others under way again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from caxton.agents import Supervisor
from caxton.deploy.engine.records import DeploymentRecords, resumable
from caxton.deploy.record import DeploymentRecord, DeploymentView
from caxton.deploy.saved import SavedProgress, goes_on
from caxton.journal import DeploymentRow, Reader
from caxton.schemas.deployments import DAEMON_STOPPED

log = structlog.get_logger("caxton.deploy")


_Run = Callable[
    [DeploymentRecord, Callable[[DeploymentView], None], SavedProgress], Awaitable[DeploymentView]
]
"""Go on with one deployment; the function is told when both revisions live."""


class InterruptedDeployments:
    """Ends or takes up what was under way."""

    def __init__(self, deployments: DeploymentRecords, agents: Supervisor, run: _Run) -> None:
        self._deployments = deployments
        self._agents = agents
        self._run = run
        self._waiting: list[tuple[DeploymentRow, SavedProgress]] = []

    async def read(self, reader: Reader) -> None:
        """After a start of the daemon: end the deployments that its last end interrupted, but those that go on."""
        ended, going = await self._deployments.interrupted(reader)
        for row in ended:
            log.warning("a deployment was interrupted", id=row.id, state=row.state, reason=row.reason)
        for row in going:
            self._waiting.append((row, await saved_progress(row, reader)))

    async def resume(self) -> None:
        """The agents are there again: take up the deployments in which two revisions lived; returns when they do
        again, or when it is said why not."""
        waiting: list[asyncio.Event] = []
        for row, progress in self._waiting:
            waiting.append(asyncio.Event())
            self._agents.spawn(self._resume(row, progress, waiting[-1]))
        self._waiting.clear()
        for live in waiting:
            await live.wait()

    async def _resume(self, row: DeploymentRow, progress: SavedProgress, live: asyncio.Event) -> None:
        """One deployment that the end of the daemon interrupted; `live` is set when both revisions do, or it ends."""
        try:
            await self._take_up(row, progress, live)
        finally:
            live.set()

    async def _take_up(self, row: DeploymentRow, progress: SavedProgress, live: asyncio.Event) -> None:
        found = resumable(row, self._agents.registry)
        if isinstance(found, str):
            ended = self._deployments.close(row, f"{DAEMON_STOPPED}, and it could not go on: {found}")
            log.warning("a deployment cannot go on", id=row.id, reason=ended.reason)
            return
        found.agent.claim("deployed")
        try:
            deployment = self._deployments.resume(row, found)
            log.info("a deployment goes on", id=row.id, agent=found.agent.name, strategy=row.strategy)
            await self._run(deployment, lambda view: live.set(), progress)
        finally:
            found.agent.release()


async def saved_progress(row: DeploymentRow, reader: Reader) -> SavedProgress:
    """How far it was, and who spoke last in each conversation."""
    saved = goes_on(row)
    assert saved is not None
    speakers = await reader.speakers(row.agent_no)
    return SavedProgress(
        progress=saved.progress,
        kept=saved.kept,
        old_keys=[key for key, revision in speakers.items() if revision != row.revision_no],
        new_keys=[key for key, revision in speakers.items() if revision == row.revision_no],
    )
