"""Deployments that the end of the daemon interrupted, after its next start.

In: their rows, and the agents once they are there again. Out: an end for those that ended with the daemon, and
the others under way again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

import msgspec
import structlog

from caxton.agents import AgentRecord, Registry, Revision, Running, Supervisor, Suspended
from caxton.deploy.engine.run import RunPlan
from caxton.deploy.handover.standby import SavedProgress
from caxton.deploy.record import DeploymentRecords, DeploymentView, SavedState, goes_on
from caxton.deploy.states import DAEMON_STOPPED
from caxton.deploy.strategies.revision_metrics import ComparedMetrics
from caxton.deploy.target import Target
from caxton.journal import DeploymentRow, Reader

log = structlog.get_logger("caxton.deploy")


class _Run(Protocol):
    """Bring one deployment to its end; `on_live` is told when both revisions live."""

    async def __call__(
        self, plan: RunPlan, on_live: Callable[[DeploymentView], None] | None, *, again: bool
    ) -> DeploymentView: ...


class InterruptedDeployments:
    """Ends or takes up what was under way."""

    def __init__(self, deployments: DeploymentRecords, agents: Supervisor, run: _Run) -> None:
        self._deployments = deployments
        self._agents = agents
        self._registry = agents.registry
        self._run = run
        self._waiting: list[tuple[DeploymentRow, SavedProgress]] = []

    async def read(self, reader: Reader) -> None:
        """After a start of the daemon: end the deployments that its last end interrupted, but those that go on."""
        ended, going = await self._deployments.interrupted(reader)
        for row in ended:
            log.warning("a deployment was interrupted", id=row.id, state=row.state, reason=row.reason)
        for row in going:
            self._waiting.append((row, await saved(row, reader)))

    async def resume(self) -> None:
        """The agents are there again: take up the deployments in which two revisions lived; returns when they do
        again, or when it is said why not."""
        waiting: list[asyncio.Event] = []
        for row, so_far in self._waiting:
            waiting.append(asyncio.Event())
            self._agents.spawn(self._resume(row, so_far, waiting[-1]))
        self._waiting.clear()
        for live in waiting:
            await live.wait()

    async def _resume(self, row: DeploymentRow, so_far: SavedProgress, live: asyncio.Event) -> None:
        """One deployment that the end of the daemon interrupted; `live` is set when both revisions do, or it ends."""
        try:
            await self._take_up(row, so_far, live)
        finally:
            live.set()

    async def _take_up(self, row: DeploymentRow, so_far: SavedProgress, live: asyncio.Event) -> None:
        found = find(row, self._registry)
        if isinstance(found, str):
            ended = self._deployments.close(row, f"{DAEMON_STOPPED}, and it could not go on: {found}")
            log.warning("a deployment cannot go on", id=row.id, reason=ended.reason)
            return
        under, record, revision = found
        record.busy = True
        try:
            deployment = self._deployments.again(row, record, revision)
            target = Target(revision, under.config, under.fresh_state)
            log.info("a deployment goes on", id=row.id, agent=record.name, strategy=row.strategy)
            plan = RunPlan(record, target, deployment, under.options, "", saved=so_far)
            await self._run(plan, lambda view: live.set(), again=True)
        finally:
            record.busy = False


async def saved(row: DeploymentRow, reader: Reader) -> SavedProgress:
    """How far it was, and who spoke last in each conversation."""
    under = goes_on(row)
    assert under is not None
    speakers = await reader.speakers(row.agent_no)
    return SavedProgress(
        progress=under.progress,
        metrics=msgspec.convert(under.kept["sides"], ComparedMetrics, strict=False),
        old_keys=[key for key, revision in speakers.items() if revision != row.revision_no],
        new_keys=[key for key, revision in speakers.items() if revision == row.revision_no],
        joined_seq=under.kept.get("joined_seq", 0),
        since=under.kept.get("since"),
    )


def find(row: DeploymentRow, registry: Registry) -> tuple[SavedState, AgentRecord, Revision] | str:
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
