"""What happens to agents, written down and told to the viewers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog

from caxton.agents.life import state_name
from caxton.agents.record import AgentRecord
from caxton.agents.registry import Registry
from caxton.bus import Bus
from caxton.clock import Clock

Watcher = Callable[[str, str, Mapping[str, object]], None]
"""Full name, what happened, and what else is known of it."""

log = structlog.get_logger("caxton.agents")


class AgentEvents:
    """Where the supervisor and the change engine say what they did."""

    def __init__(self, bus: Bus, registry: Registry, clock: Clock) -> None:
        self._bus = bus
        self._registry = registry
        self._clock = clock
        self._watchers: list[Watcher] = []

    def watch(self, watcher: Watcher) -> None:
        """Tell it of every change that is written down, in the same batch."""
        self._watchers.append(watcher)

    def changed(self, record: AgentRecord, what: str, **more: object) -> None:
        """Write an agent down and tell the viewers."""
        self.note(record, what, **more)
        self._bus.settle()

    def note(self, record: AgentRecord, what: str, **more: object) -> None:
        """The same in the middle of something: it goes to the disk with what is still written."""
        self._registry.save(record, self._clock.now_us())
        revision = record.revision.sha256 if record.revision else None
        for watcher in self._watchers:
            watcher(record.endpoint.name, what, {**more, "revision": revision})
        self._event(record, what, more)

    def tell(self, record: AgentRecord, what: str, **more: object) -> None:
        """Tell the viewers what happened to an agent."""
        self._event(record, what, more)
        self._bus.settle()

    def _event(self, record: AgentRecord, what: str, more: Mapping[str, object]) -> None:
        state = state_name(record.life)
        log.info(what, agent=record.name, state=state, **more)
        self._bus.event(
            "agent",
            agent=record.endpoint.name,
            body={
                "agent": record.endpoint.name,
                "what": what,
                "state": state,
                "revision": record.revision.sha256 if record.revision else None,
                **more,
            },
        )
