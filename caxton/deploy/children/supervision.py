"""What becomes of agents that agents made, when they or their makers fail.

In: breakdowns, ends, a start. Out: agents that are suspended or end with their makers, and makers who are told.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import structlog

from caxton.acl import Draft, Performative
from caxton.agents import AgentRecord, Failed, Running, Supervisor
from caxton.agents.record import STOPPED, Made
from caxton.bus import Bus
from caxton.clock import Clock
from caxton.deploy.children.lineage import Lineage
from caxton.errors import CaxtonError
from caxton.journal import DirectoryRow
from caxton.platform_agents.new_agent import OnFailure

ONTOLOGY: Final = "caxton-children"
"""Of what a maker is told of a child that broke down."""

_ENDS: Final = "end"
"""The kind of the rows that say which agents are to be ended."""

log = structlog.get_logger("caxton.agents")


class ChildSupervision:
    """Watches over agents that were made, as each was asked for (`on_failure`)."""

    def __init__(self, *, bus: Bus, agents: Supervisor, lineage: Lineage, clock: Clock) -> None:
        self._bus = bus
        self._agents = agents
        self._registry = agents.registry
        self._lineage = lineage
        self._clock = clock
        self._ending: set[str] = set()
        """Agents that are to be ended, by local name."""
        self._begun = asyncio.Event()
        self._fallen: dict[str, deque[float]] = {}
        """When a child broke down."""

    def broke_down(self, record: AgentRecord, reason: str) -> None:
        """A turn cost an agent its instance, or it does not come up."""
        made = record.config.made
        if made is None:
            return
        match made.on_failure:
            case OnFailure.RESTART:
                if self._too_often(record, made):
                    often = (
                        f"it broke down {made.restarts + 1} times within {made.within_s} s; last: {reason}"
                    )
                    self._give_up(record, made, often)
            case OnFailure.END_ALL:
                self._tell(record, made, reason, "ended-all")
                ended = [one for one in self._lineage.of(made.maker, linked=True) if one is not record]
                for one in (record, *ended):
                    self._is_to_end(one.name, is_so=True)
                    self._agents.spawn(self.end(one))
            case _:
                self._give_up(record, made, reason)

    def ended(self, name: str) -> None:
        """An agent was stopped or removed: those that are linked to it end with it."""
        self._is_to_end(self._lineage.local(name), is_so=False)
        for record in self._lineage.of(name, linked=True):
            self._agents.spawn(self.end(record))

    def changed(self, name: str, what: str, more: Mapping[str, object]) -> None:
        """An agent's life has changed."""
        if what == "stopped" and more.get("reason") != "restarted":
            self.ended(name)

    async def begin(self) -> None:
        """After a start: end what was to end, by itself or with a maker that is gone."""
        for row in await self._bus.journal.reader.directory(_ENDS):
            self._ending.add(row.key)
        for record in list(self._registry.agents.values()):
            made = record.config.made
            if record.name in self._ending:
                await self.end(record)
                continue
            if made is None or not made.linked or self._lineage.by_client(made.maker):
                continue
            maker = self._registry.agents.get(self._lineage.local(made.maker))
            if maker is None or maker.config.desired == STOPPED:
                await self.end(record)
        self._begun.set()

    async def begun(self) -> None:
        """Wait until that is over."""
        await self._begun.wait()

    def _is_to_end(self, name: str, *, is_so: bool) -> None:
        """Write down that an agent is to be ended, so that it is over a crash; or that it was."""
        if is_so is (name in self._ending):
            return
        self._ending ^= {name}
        now_us, body = self._clock.now_us(), "{}" if is_so else None
        self._bus.journal.batch.records.append(DirectoryRow(_ENDS, name, now_us, None, body))

    def _too_often(self, record: AgentRecord, made: Made) -> bool:
        now = self._clock.monotonic()
        fallen = self._fallen.setdefault(record.name, deque(maxlen=made.restarts + 1))
        fallen.append(now)
        return len(fallen) > made.restarts and now - fallen[0] <= made.within_s

    def _give_up(self, record: AgentRecord, made: Made, reason: str) -> None:
        """A child waits for what its maker decides: to resume it, or to destroy it."""
        self._fallen.pop(record.name, None)
        if isinstance(record.life, Running) and not record.busy:
            # at once, so that it is in the batch of the turn that broke it
            record.endpoint.suspend()
            record.suspend()
            self._agents.events.note(record, "suspended", reason=reason)
            self._tell(record, made, reason, "suspended")
        elif isinstance(record.life, Failed):
            self._agents.repair.forget(record)
            self._tell(record, made, reason, "failed")
        else:
            self._agents.spawn(self._suspend(record, made, reason))

    def _tell(self, record: AgentRecord, made: Made, reason: str, done: str) -> None:
        """Tell its maker, in a causal tree of its own."""
        if self._lineage.by_client(made.maker) or made.maker not in self._bus.endpoints:
            return
        content: dict[str, Any] = {
            "what": "failed",
            "name": record.endpoint.name,
            "reason": reason,
            "done": done,
        }
        draft = Draft(
            Performative.INFORM,
            [made.maker],
            msgspec.Raw(msgspec.json.encode(content)),
            ontology=ONTOLOGY,
        )
        ams = self._bus.full_name("ams")
        self._bus.admit(draft, ams, trace_id=self._bus.ids.trace(), cause=0, hops=0)

    async def _suspend(self, record: AgentRecord, made: Made, reason: str) -> None:
        try:
            await self._agents.suspend(record.name, reason)
            self._tell(record, made, reason, "suspended")
        except CaxtonError as error:
            log.warning("a child could not be suspended", agent=record.name, reason=error.message)

    async def end(self, record: AgentRecord) -> None:
        """Take it away, where it is still there."""
        if self._registry.agents.get(record.name) is not record:
            return
        try:
            await self._agents.remove(record.name)
        except CaxtonError as error:
            log.warning("a child could not be ended", agent=record.name, reason=error.message)
