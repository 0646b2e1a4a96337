"""Where a message goes: into a guest's mailbox, to a platform agent, to a client that waits, or to nobody.

In: admitted messages and one receiver each. Out: work for a cell while there is room, or a mailbox that waits; what
cannot be delivered is a dead letter with its reason.
"""

from __future__ import annotations

from collections.abc import Callable

from caxton.acl import Performative
from caxton.bus.clients import Clients
from caxton.bus.counts import BusCounts
from caxton.bus.endpoint import Endpoint, Envelope
from caxton.bus.platform_agents import PlatformAgent
from caxton.errors import InvalidMessage
from caxton.journal import Journal
from caxton.turn_status import REDELIVERED, Status


class Delivery:
    """Delivers for one bus. `dead_letter` and `answer` are the platform's words."""

    __slots__ = (
        "_answer",
        "_clients",
        "_counts",
        "_dead_letter",
        "_journal",
        "_now_us",
        "_platform_agents",
        "_suffix",
    )

    def __init__(
        self,
        *,
        platform_agents: dict[str, PlatformAgent],
        clients: Clients,
        suffix: str,
        counts: BusCounts,
        journal: Journal,
        now_us: Callable[[], int],
        dead_letter: Callable[[str, Envelope, str, str], None],
        answer: Callable[[Envelope, str, Performative, object], None],
    ) -> None:
        self._platform_agents = platform_agents
        self._clients = clients
        self._suffix = suffix
        self._counts = counts
        self._journal = journal
        self._now_us = now_us
        self._dead_letter = dead_letter
        self._answer = answer

    def deliver(self, endpoint: Endpoint, envelope: Envelope) -> None:
        """Put an admitted message into a guest's mailbox, and into its cell while there is room."""
        limits = endpoint.limits
        if envelope.hops > limits.hops:
            self._dead_letter(
                endpoint.name, envelope, "hop_limit", f"the chain of messages is longer than {limits.hops}"
            )
            return
        if len(envelope.body) > limits.message_bytes:
            reason = (
                f"the message has {len(envelope.body)} bytes, {endpoint.name} takes {limits.message_bytes}"
            )
            self._dead_letter(endpoint.name, envelope, "message_bytes", reason)
            return
        waiting = endpoint.waiting
        if len(waiting) + len(endpoint.in_flight) >= limits.mailbox:
            self._dead_letter(
                endpoint.name, envelope, "mailbox_full", f"the mailbox holds {limits.mailbox} messages"
            )
            return
        port = endpoint.port
        if endpoint.refusal is not None:
            self._dead_letter(endpoint.name, envelope, *endpoint.refusal)
            return
        self._counts.delivery()
        if endpoint.open and not waiting and port is not None and port.room > 0:
            port.push(endpoint, envelope)
            return
        waiting.append(envelope)
        if endpoint.open and not endpoint.queued and port is not None:
            port.wait(endpoint)

    def elsewhere(self, name: str, envelope: Envelope) -> None:
        """A receiver that is no guest: the platform's own, a client, another platform, or nobody."""
        agent = self._platform_agents.get(name)
        if agent is not None:
            self._to_platform(agent, envelope)
        elif self._clients.is_client(name):
            self._clients.admit(envelope.seq, envelope.message.conversation_id, envelope.body)
        elif name.endswith(self._suffix):
            self._dead_letter(name, envelope, "unknown_agent", f"there is no agent {name}")
        else:
            self._dead_letter(name, envelope, "unknown_platform", f"no way leads to the platform of {name}")

    def _to_platform(self, agent: PlatformAgent, envelope: Envelope) -> None:
        try:
            agent.take(envelope)
        except InvalidMessage as error:
            self.platform_turn(agent, envelope)
            self._answer(
                envelope,
                agent.name,
                Performative.NOT_UNDERSTOOD,
                {"reason": error.message, "hint": error.hint, "act": envelope.message.performative},
            )

    def platform_turn(self, agent: PlatformAgent, envelope: Envelope) -> None:
        """Write down that a platform agent is done with a message."""
        now = self._now_us()
        status = Status.OK + (REDELIVERED if envelope.redelivered else 0)
        queue_us = max(0, now - envelope.message.timestamp)
        self._journal.batch.turns.append((envelope.seq, agent.number, 0, now, queue_us, 0, 0, 1, status))
