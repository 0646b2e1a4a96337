"""Where a message goes: into a guest's mailbox, to a platform agent, to a client that waits, or to nobody.

In: admitted messages and one receiver each. Out: work for a cell while there is room, or a mailbox that waits; what
cannot be delivered comes back as a failure with its reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from caxton.acl import Performative
from caxton.bus.clients import Clients
from caxton.bus.counts import BusCounts
from caxton.bus.endpoint import Endpoint
from caxton.bus.envelope import Envelope
from caxton.bus.life import LIFE_ONTOLOGY, is_life
from caxton.bus.platform_agent import PlatformAgent
from caxton.bus.priority import OPERATORS_URGENT
from caxton.bus.topic_names import is_topic
from caxton.errors import InvalidMessage
from caxton.journal import Journal
from caxton.turn_status import REDELIVERED, Status


class Failure(NamedTuple):
    """Why a message did not reach one of its receivers."""

    receiver: str
    code: str
    reason: str


class Delivery:
    """Delivers for one bus. `answer` is the platform's; `answered` learns of what is said to clients,
    `undelivered` of what does not reach somebody."""

    __slots__ = (
        "_ams",
        "_answer",
        "_answered",
        "_clients",
        "_counts",
        "_endpoints",
        "_journal",
        "_now_us",
        "_platform_agents",
        "_publish",
        "_suffix",
        "_undelivered",
    )

    def __init__(
        self,
        *,
        endpoints: dict[str, Endpoint],
        platform_agents: dict[str, PlatformAgent],
        clients: Clients,
        suffix: str,
        counts: BusCounts,
        journal: Journal,
        now_us: Callable[[], int],
        answered: Callable[[str], None],
        undelivered: Callable[[Envelope, list[Failure]], None],
        answer: Callable[[Envelope, str, Performative, object], None],
    ) -> None:
        self._endpoints = endpoints
        self._platform_agents = platform_agents
        self._clients = clients
        self._suffix = suffix
        self._ams = f"ams{suffix}"
        self._counts = counts
        self._journal = journal
        self._now_us = now_us
        self._answered = answered
        self._undelivered = undelivered
        self._publish: Callable[[Envelope, list[str]], None] | None = None
        self._answer = answer

    def publish_by(self, publish: Callable[[Envelope, list[str]], None]) -> None:
        """What is said to topics is brought to their subscribers by that."""
        self._publish = publish

    def bring(self, envelope: Envelope, names: list[str]) -> None:
        """Bring an admitted message to these, each whoever it is; those that it does not reach are one failure."""
        failures: list[Failure] = []
        topics: list[str] = []
        for name in names:
            endpoint = self._endpoints.get(name)
            if endpoint is None and self._publish is not None and is_topic(name):
                topics.append(name)
                continue
            if endpoint is None:
                failure = self._elsewhere(name, envelope)
            elif envelope.message.ontology == LIFE_ONTOLOGY and is_life(envelope.message, self._ams):
                failure = self._put_life(endpoint, envelope)
            else:
                failure = self._put(endpoint, envelope)
            if failure is not None:
                failures.append(failure)
        if topics and self._publish is not None:
            self._publish(envelope, topics)
        if failures:
            self._undelivered(envelope, failures)

    def offer(self, endpoint: Endpoint, envelope: Envelope) -> bool:
        """Put it into a guest's mailbox where that takes it; nobody hears of it where not."""
        limits = endpoint.limits
        if (
            endpoint.refusal is not None
            or endpoint.why_full is not None
            or len(envelope.body) > limits.message_bytes
            or envelope.hops > limits.hops
        ):
            return False
        self._put(endpoint, envelope)
        return True

    def deliver(self, endpoint: Endpoint, envelope: Envelope) -> None:
        """Put an admitted message into one guest's mailbox."""
        failure = self._put(endpoint, envelope)
        if failure is not None:
            self._undelivered(envelope, [failure])

    def keep(self, endpoint: Endpoint, envelope: Envelope) -> None:
        """Put a message into a mailbox that had it before, whatever its bounds."""
        envelope.tree.enter()
        endpoint.comes(len(envelope.body))
        if endpoint.enter_again(envelope):
            pass
        elif not envelope.urgent:
            endpoint.waiting.append(envelope)
        elif endpoint.enter(envelope, urgent_most=self._urgent_most(endpoint, envelope)):
            self._counts.overtaking()
        if endpoint.open and not endpoint.queued and endpoint.port is not None:
            endpoint.port.wait(endpoint)

    def keep_first(self, endpoint: Endpoint, envelope: Envelope) -> None:
        """The same for what an agent is told of its own life: it comes before all that waits."""
        envelope.tree.enter()
        endpoint.comes(len(envelope.body))
        endpoint.enter_first(envelope)
        if endpoint.open and not endpoint.queued and endpoint.port is not None:
            endpoint.port.wait(endpoint)

    def _urgent_most(self, endpoint: Endpoint, envelope: Envelope) -> int:
        """How many urgent messages may stand in front of a mailbox where that one comes: a client's always may."""
        allowed = endpoint.limits.urgent
        return max(allowed, OPERATORS_URGENT) if self._clients.is_client(envelope.message.sender) else allowed

    def _put(self, endpoint: Endpoint, envelope: Envelope) -> Failure | None:
        """Put an admitted message into a guest's mailbox, and into its cell while there is room; else why not."""
        limits = endpoint.limits
        if envelope.hops > limits.hops:
            return Failure(
                endpoint.name,
                "hop_limit",
                f"the chain of messages to {endpoint.name} is longer than its limits.hops, {limits.hops:,}",
            )
        size = len(envelope.body)
        if size > limits.message_bytes:
            return _too_long(endpoint, envelope)
        full = endpoint.why_full
        if full is not None:
            envelope.tree.lost()
            return Failure(endpoint.name, "mailbox_full", full)
        port = endpoint.port
        if endpoint.refusal is not None:
            return Failure(endpoint.name, *endpoint.refusal)
        self._counts.delivery()
        if (
            endpoint.open
            and not endpoint.waiting
            and port is not None
            and port.room > 0
            and len(endpoint.in_flight) < endpoint.window
            and not (envelope.recallable and endpoint.in_flight)
        ):
            envelope.tree.enter()
            endpoint.comes(size)
            port.push(endpoint, envelope)
        else:
            self.keep(endpoint, envelope)
        return None

    def _put_life(self, endpoint: Endpoint, envelope: Envelope) -> Failure | None:
        """What an agent is told of its own life has room, also where it takes nothing from others."""
        if len(envelope.body) > endpoint.limits.message_bytes:
            return _too_long(endpoint, envelope)
        self._counts.delivery()
        self.keep_first(endpoint, envelope)
        return None

    def _elsewhere(self, name: str, envelope: Envelope) -> Failure | None:
        """A receiver that is no guest: the platform's own, a client, another platform, or nobody."""
        agent = self._platform_agents.get(name)
        if agent is not None:
            self._to_platform(agent, envelope)
        elif self._clients.is_client(name):
            self._answered(envelope.message.conversation_id)
            self._clients.admit(envelope.seq, envelope.message.conversation_id, envelope.body)
        elif is_topic(name):
            return Failure(name, "unknown_agent", "topics are not offered here: an agent has the name topics")
        elif name.endswith(self._suffix):
            return Failure(name, "unknown_agent", f"there is no agent {name}")
        else:
            return Failure(name, "unknown_platform", f"no way leads to the platform of {name}")
        return None

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

    def platform_turn(self, agent: PlatformAgent, envelope: Envelope, began_us: int | None = None) -> None:
        """Write down that a platform agent is done with a message; `began_us`: since when it was at it."""
        now = self._now_us()
        status = Status.OK + (REDELIVERED if envelope.redelivered else 0)
        start = now if began_us is None else began_us
        queue_us = max(0, start - envelope.message.timestamp)
        turn = (envelope.seq, agent.number, 0, start, queue_us, max(0, now - start), 0, 1, status, 0)
        self._journal.batch.turns.append(turn)


def _too_long(endpoint: Endpoint, envelope: Envelope) -> Failure:
    most = endpoint.limits.message_bytes
    reason = (
        f"the message has {len(envelope.body):,} bytes, {endpoint.name} takes {most:,} (limits.message_bytes)"
    )
    return Failure(endpoint.name, "message_bytes", reason)
