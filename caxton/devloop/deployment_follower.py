"""Follows decisions about deployments that no save makes: on builds that await one, and on deployments by others.

In: the daemon's events, and keys. Out: an event of the loop for each of them. A build that waited when the daemon ended
is offered again when a daemon is there again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import aclosing
from typing import Final

import msgspec

from caxton.client import AsyncClient
from caxton.devloop.deployer import decide, outcome_event
from caxton.devloop.events import AwaitingDecision, DeployedElsewhere, DeployFailed, Event
from caxton.errors import CaxtonError, DeploymentNotFound, InvalidState, Unreachable
from caxton.schemas.deployments import ASK_LIVE, DAEMON_STOPPED, DeploymentBody
from caxton.schemas.events import DeploymentChange
from caxton.schemas.shape import shaped

KINDS: Final = ("deployment", "daemon")
OVER: Final = ("running", "failed", "rolled_back")
PATIENT: Final = float("inf")
"""A daemon that is gone may be started again at any time, by anybody."""


class DeploymentFollower:
    """What is decided about the deployments of the loop's agents, while the loop runs."""

    def __init__(
        self,
        client: Callable[[], AsyncClient],
        say: Callable[[Event], None],
        agents: Callable[[], Collection[str]],
        offer_again: Callable[[str], None],
    ) -> None:
        """`agents`: those that the loop looks after; `offer_again`: bring an agent its build once more."""
        self.held: dict[str, AwaitingDecision] = {}
        """Builds that wait until somebody decides, by agent; the newest last."""
        self._client = client
        self._say = say
        self._agents = agents
        self._offer_again = offer_again
        self._lost: set[str] = set()
        """Agents whose build waited when the daemon ended."""

    def waits(self, held: AwaitingDecision) -> None:
        """The gate stopped that build."""
        self.held[held.agent] = held

    def superseded(self, agent: str) -> AwaitingDecision | None:
        """Another build is brought to that agent: what waited, which waits no longer."""
        self._lost.discard(agent)
        return self.held.pop(agent, None)

    async def decide(self, agent: str, step: str) -> None:
        """Somebody accepts (`promote`) or drops (`abort`) the build of an agent that waits, or has it ask live
        (`ask-live`); nothing where none does."""
        held = self.held.get(agent)
        if held is None:
            return
        if step != ASK_LIVE:
            del self.held[agent]
        try:
            async with self._client() as caxton:
                event = await decide(caxton, held, step)
            if step != ASK_LIVE or self.held.get(agent) is held:
                # else it was decided while it asked
                self._say(event)
        except CaxtonError as error:
            if step == ASK_LIVE and self.held.get(agent) is not held:
                return
            self._say(
                DeployFailed(
                    agent=agent,
                    revision=held.revision,
                    code=error.code,
                    reason=error.message,
                    hint=error.hint,
                    keeps=held.keeps,
                )
            )
            if isinstance(error, Unreachable):
                self._lost.add(agent)

    async def drop(self, held: AwaitingDecision) -> None:
        """Drop a build that waits, and say nothing of it."""
        try:
            async with self._client() as caxton:
                await caxton.abort(held.deployment)
        except (DeploymentNotFound, InvalidState):
            return  # it was decided in this very moment

    async def follow(self) -> None:
        """Say what is decided elsewhere from now on, until it is cancelled; over the end of a daemon to the next one.

        Raises Unreachable where there is none at the beginning.
        """
        async with self._client() as caxton:
            after = (await caxton.status()).journal.committed_seq
            await self._back(caxton)
            stream = caxton.events(after=after, kinds=KINDS, patience_s=PATIENT)
            async with aclosing(stream) as changes:
                async for change in changes:
                    if change.kind == "daemon" and change.data["what"] == "started":
                        await self._back(caxton)
                    elif change.kind == "deployment" and change.data["agent"] in self._agents():
                        await self._heard(caxton, shaped(change.data, DeploymentChange))

    async def look(self) -> None:
        """See whether a build that waits was decided before anybody listened."""
        async with self._client() as caxton:
            for held in list(self.held.values()):
                await self._look_at(caxton, held)

    async def _heard(self, caxton: AsyncClient, change: DeploymentChange) -> None:
        if change.state not in OVER:
            return
        held = self.held.get(change.agent)
        if held is not None and held.deployment == change.id:
            await self._look_at(caxton, held)
        elif not change.configured and change.revision != change.previous and change.state != "failed":
            # one that failed never touched the agent; whoever asked for it was told
            self._say(
                DeployedElsewhere(
                    agent=change.agent,
                    deployment=change.id,
                    strategy=change.strategy,
                    state=change.state,
                    revision=change.revision,
                    previous=change.previous,
                    keeps=change.revision if change.state == "running" else change.previous,
                    undoes=change.takes_back,
                    reason=change.reason,
                )
            )

    async def _back(self, caxton: AsyncClient) -> None:
        """A daemon is there again: what waited in the one before is offered to the gate anew."""
        for held in list(self.held.values()):
            await self._look_at(caxton, held)
        while self._lost:
            self._offer_again(self._lost.pop())

    async def _look_at(self, caxton: AsyncClient, held: AwaitingDecision) -> None:
        try:
            done = await caxton.deployment(held.deployment)
        except CaxtonError:
            return  # no daemon: when one is there again it is looked at again
        if done.state in OVER and self.held.get(held.agent) is held:
            self._decided(held, done)

    def _decided(self, held: AwaitingDecision, done: DeploymentBody) -> None:
        """A build that waited waits no longer."""
        del self.held[held.agent]
        event = outcome_event(done, held.agent, held.revision, held.keeps, held.build_ms, settings_of=None)
        lost = isinstance(event, DeployFailed) and event.reason.startswith(DAEMON_STOPPED)
        if lost:
            event = msgspec.structs.replace(event, hint="it comes to the gate again with the next daemon")
        self._say(event)
        if lost:
            self._lost.add(held.agent)
