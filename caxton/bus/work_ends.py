"""How work ends: all of it is done, or one of its causal trees has come to its limit.

In: pieces of work and trees (`causes`). Out: what clients are told whose answer was lost with a part of the work; dead
letters of what waits of a tree that is ended.
"""

from __future__ import annotations

from typing import Protocol

from caxton.bus.causes import TREE_KEY, Asker, Tree, Work, Works, tree_full
from caxton.bus.endpoint import Endpoint
from caxton.bus.platform_messages import PlatformMessages
from caxton.bus.referee_service import RefereeService


class WorkSink(Protocol):
    """The bus, as far as the end of work concerns it."""

    works: Works
    endpoints: dict[str, Endpoint]
    referee_service: RefereeService

    def event(
        self, kind: str, *, body: object, agent: str | None = None, conversation: str | None = None
    ) -> None:
        """Write down something that happened."""
        ...


class WorkEnds:
    """Sees to what follows from the end of work."""

    __slots__ = ("_bus", "_platform_messages")

    def __init__(self, bus: WorkSink, platform_messages: PlatformMessages) -> None:
        self._bus = bus
        self._platform_messages = platform_messages

    def over(self, work: Work) -> None:
        """Nothing of a piece of work is left to be done: tell clients whose answer was lost with a part of it."""
        for asker in self._bus.works.unanswered(work):
            if work.loss is not None and self._waits(asker):
                self._platform_messages.tell(asker, work.loss, work.trace_id)

    def end_tree(self, tree: Tree, endpoint: Endpoint) -> None:
        """A causal tree has come to its limit by a turn of that agent: what of it waits becomes dead letters."""
        tree.end()
        dropped = 0
        for one in self._bus.endpoints.values():
            for envelope in (
                one.take_out(lambda waits: waits.tree is tree) if one.waiting or one.aside else ()
            ):
                dropped += 1
                self._platform_messages.bury(one.name, envelope, *tree_full(tree))
        body = {"agent": endpoint.name, "limit": TREE_KEY, "dropped": dropped}
        self._bus.event("storm", agent=endpoint.name, body=body)

    def _waits(self, asker: Asker) -> bool:
        """Whether a client still waits for something, as far as is known."""
        conversation = self._bus.referee_service.known.get(asker.conversation_id)
        return not asker.answered or (conversation is not None and conversation.open > 0)
