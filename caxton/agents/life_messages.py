"""What an agent is told of its own life: an `inform` from `ams`, ontology `caxton-life`, to those that ask for it.

In: that an agent was born, started again, swapped, is about to end. Out: a message in its mailbox like any other, whose
turn may send, is journalled and is run again with the rest of its past. Each begins a causal tree of its own
(docs/decisions/0028-lives-are-messages.md).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

import msgspec

from caxton import exact_numbers
from caxton.acl import Draft, Performative
from caxton.acl.reply_by import reply_by_time
from caxton.agents.record import AgentRecord
from caxton.agents.recovery_plan import RecoveryPlan
from caxton.bus import Bus
from caxton.bus.life import LIFE_ONTOLOGY, is_life
from caxton.clock import Clock

ENDING_S: Final = 5
"""How long an agent has from `ending` to its end."""
HEAD_BYTES: Final = 2048
"""What of a message's limit is left for everything beside its content."""


class LifeEvent(StrEnum):
    """What has happened to an agent, as its life message says it."""

    BORN = "born"
    RESTARTED = "restarted"
    RECOVERED = "recovered"
    RESUMED = "resumed"
    SWAPPED = "swapped"
    ENDING = "ending"


class LifeMessages:
    """Tells agents of their lives."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._ams = bus.full_name("ams")

    def born(self, record: AgentRecord) -> None:
        """It is there for the first time."""
        made = record.config.made
        maker = {"maker": made.maker} if made is not None else {}
        self._tell(record, LifeEvent.BORN, {**maker, "settings": record.config.settings})

    def restarted(self, record: AgentRecord, memory: dict[str, str]) -> None:
        """It was stopped, or had failed, and runs again."""
        self._tell(record, LifeEvent.RESTARTED, memory)

    def recovered(self, way: RecoveryPlan, why: str) -> None:
        """It lost its instance and has another; `why`: `daemon`, `cell`, `turn`, `snapshot`.

        Not told where another life message waits, or where the last one cost it its instance: else it would come
        up for ever.
        """
        record = way.record
        if not record.life_failed and not self._is_told(record):
            self._tell(record, LifeEvent.RECOVERED, {"reason": why, **way.remembered})

    def resumed(self, record: AgentRecord) -> None:
        """It was suspended and may go on."""
        if not self._is_told(record):
            self._tell(record, LifeEvent.RESUMED, {})

    def swapped(self, record: AgentRecord, before: str, memory: str | None) -> None:
        """It is another revision; `before` is the one that it was."""
        assert record.revision is not None
        settings = record.config.settings
        told = {"from": before, "to": record.revision.sha256, "memory": memory, "settings": settings}
        self._tell(record, LifeEvent.SWAPPED, told)

    def ending(self, record: AgentRecord, why: str) -> bool:
        """It will be shut down after this; whether it asked to be told."""
        deadline = reply_by_time(f"{ENDING_S}s", self._clock.now_us())
        return self._tell(record, LifeEvent.ENDING, {"reason": why, "deadline": deadline}, deadline)

    def _tell(
        self, record: AgentRecord, what: LifeEvent, more: dict[str, Any], reply_by: str | None = None
    ) -> bool:
        if "life" not in record.hooks:
            return False
        content = exact_numbers.encode({"what": what, **more})
        if len(content) + HEAD_BYTES > record.endpoint.limits.message_bytes and "settings" in more:
            # it has them from caxton_init; what happened matters more
            content = exact_numbers.encode({"what": what, **more, "settings": None})
        draft = Draft(
            Performative.INFORM,
            [record.endpoint.name],
            msgspec.Raw(content),
            reply_by=reply_by,
            ontology=LIFE_ONTOLOGY,
        )
        told = self._bus.admit(draft, self._ams, trace_id=self._bus.ids.trace(), cause=0, hops=0)
        record.told_of_life(told.seq)
        return True

    def _is_told(self, record: AgentRecord) -> bool:
        """Whether a life message waits already; while two revisions of it live neither is told anything."""
        if record.deployment is not None:
            return True
        endpoint = record.endpoint
        queues = (endpoint.in_flight, endpoint.returned, endpoint.waiting)
        return any(is_life(one.message, self._ams) for queue in queues for one in queue)
