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
from caxton.deploy.joining import Resumed
from caxton.deploy.journey import DeploymentView, Journeys, Under, goes_on
from caxton.deploy.sides import Sides
from caxton.deploy.states import DAEMON_STOPPED
from caxton.deploy.target import Target
from caxton.deploy.travel import Way
from caxton.journal import DeploymentRow, Reader

log = structlog.get_logger("caxton.deploy")


class _Travel(Protocol):
    """Bring one deployment to its end; `on_live` is told when both revisions live."""

    async def __call__(
        self, way: Way, on_live: Callable[[DeploymentView], None] | None, *, again: bool
    ) -> DeploymentView: ...


class GoingOn:
    """Ends or takes up what was under way."""

    def __init__(self, journeys: Journeys, agents: Supervisor, travel: _Travel) -> None:
        self._journeys = journeys
        self._agents = agents
        self._registry = agents.registry
        self._travel = travel
        self._waiting: list[tuple[DeploymentRow, Resumed]] = []

    async def read(self, reader: Reader) -> None:
        """After a start of the daemon: end the deployments that its last end interrupted, but those that go on."""
        ended, going = await self._journeys.interrupted(reader)
        for row in ended:
            log.warning("a deployment was interrupted", id=row.id, state=row.state, reason=row.reason)
        for row in going:
            self._waiting.append((row, await resumed(row, reader)))

    async def go_on(self) -> None:
        """The agents are there again: take up the deployments in which two revisions lived; returns when they do
        again, or when it is said why not."""
        waiting: list[asyncio.Event] = []
        for row, so_far in self._waiting:
            waiting.append(asyncio.Event())
            self._agents.spawn(self._go_on(row, so_far, waiting[-1]))
        self._waiting.clear()
        for live in waiting:
            await live.wait()

    async def _go_on(self, row: DeploymentRow, so_far: Resumed, live: asyncio.Event) -> None:
        """One deployment that the end of the daemon interrupted; `live` is set when both revisions do, or it ends."""
        try:
            await self._take_up(row, so_far, live)
        finally:
            live.set()

    async def _take_up(self, row: DeploymentRow, so_far: Resumed, live: asyncio.Event) -> None:
        found = find(row, self._registry)
        if isinstance(found, str):
            ended = self._journeys.close(row, f"{DAEMON_STOPPED}, and it could not go on: {found}")
            log.warning("a deployment cannot go on", id=row.id, reason=ended.reason)
            return
        under, record, revision = found
        record.busy = True
        try:
            journey = self._journeys.again(row, record, revision)
            target = Target(revision, under.config, under.fresh_state)
            log.info("a deployment goes on", id=row.id, agent=record.name, strategy=row.strategy)
            way = Way(record, target, journey, under.terms, "", resumed=so_far)
            await self._travel(way, lambda view: live.set(), again=True)
        finally:
            record.busy = False


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
