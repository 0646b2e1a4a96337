"""The platform's agent `topics`: what is said to a topic is brought to everybody who has subscribed to it.

In: `subscribe` with names or patterns of topics, `cancel`; and publications, messages to `topic:NAME`. Out: one message
for all subscribers, with one row, in each of their mailboxes; who has no room for it loses it, and the publisher hears
nothing of that. Subscriptions and retained publications are rows, so they are there after a restart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from caxton.acl import Draft, Performative
from caxton.acl.identifier import TOPIC_PREFIX
from caxton.acl.json_value import is_object
from caxton.bus.bus import Bus
from caxton.bus.endpoint import Endpoint
from caxton.bus.envelope import Envelope
from caxton.bus.mailbox import NEVER
from caxton.bus.topic_names import fits, local_topic, read_topics
from caxton.errors import InvalidMessage
from caxton.journal import DirectoryRow, Publication, Reader
from caxton.platform_agents.quotas import Quota

SUBSCRIPTIONS_MAX: Final = 100_000
SUBSCRIPTIONS_OF_ONE_MAX: Final = 1_000
TOPICS_KNOWN: Final = 10_000
"""Topics whose subscribers are at hand and that are counted; more are looked up anew."""
RETAINED_BYTES_MAX: Final = 64 * 1024 * 1024
RETAINED_BYTES_OF_ONE_MAX: Final = 8 * 1024 * 1024
KIND: Final = "topic"
RETAINED: Final = "retained"
RETAIN: Final = "x_retain"
HINT: Final = 'content {"topic": "sensors/kitchen"}, or with a wildcard: {"topic": "sensors/*"}'
_encode = msgspec.json.Encoder().encode


class TopicSubscription(msgspec.Struct):
    """Who wants what is said to these topics."""

    subscriber: str
    conversation_id: str
    topics: list[str]
    """Names and patterns."""
    since_us: int
    lost: int = 0
    """Publications that found no room, since the start of the daemon."""
    protocol: str | None = None
    """Of its conversation; and how its answer was to be named."""
    reply_with: str | None = None

    @property
    def key(self) -> str:
        """Its key in the journal."""
        return f"{self.subscriber} {self.conversation_id}"


class Topic(msgspec.Struct):
    """A topic since the start of the daemon."""

    name: str
    publications: int = 0
    deliveries: int = 0
    lost: int = 0
    last_us: int | None = None


class RetainedMessage(msgspec.Struct):
    """A publication that new subscribers get."""

    sender: str
    performative: Performative
    content: msgspec.Raw
    language: str | None = None
    encoding: str | None = None
    ontology: str | None = None


class Topics:
    """Hosted as any platform agent; `offer` puts a message into a mailbox where there is room."""

    def __init__(self, bus: Bus, number: int, offer: Callable[[Endpoint, Envelope], bool]) -> None:
        self.name = bus.full_name("topics")
        self.number = number
        self._bus = bus
        self._offer = offer
        self._subscriptions: dict[str, TopicSubscription] = {}
        self._quota: Quota[str] = Quota("subscriptions", SUBSCRIPTIONS_MAX, SUBSCRIPTIONS_OF_ONE_MAX)
        self._subscribers: dict[str, list[TopicSubscription]] = {}
        """By topic, each agent once; empty after every change."""
        self._topics: dict[str, Topic] = {}
        self._retained: dict[str, RetainedMessage] = {}
        self._retained_bytes: Quota[str] = Quota(
            "bytes of retained publications", RETAINED_BYTES_MAX, RETAINED_BYTES_OF_ONE_MAX
        )
        self._only: TopicSubscription | None = None
        """Whom the publication at hand is for, where it is not for all."""

    # ------------------------------------------------------------------ its life

    async def load(self, reader: Reader) -> None:
        """Read who has subscribed, and what is retained."""
        for row in await reader.directory(KIND):
            assert row.body is not None
            self._keep(msgspec.json.decode(row.body, type=TopicSubscription))
        for row in await reader.directory(RETAINED):
            assert row.body is not None
            self._keep_retained(row.key, msgspec.json.decode(row.body, type=RetainedMessage), len(row.body))

    def removed(self, name: str) -> None:
        """An agent is gone for good: so are its subscriptions, and what is retained of it."""
        self.unsubscribe_all(name)
        for topic in self._retained_bytes.of(name):
            self._drop_retained(topic)

    def unsubscribe_all(self, name: str) -> None:
        """That agent gets no more publications."""
        for one in self.subscriptions_of(name):
            self._drop(one)

    def oldest(self) -> int:
        """No message waits here."""
        return NEVER

    # ------------------------------------------------------------------ what people see

    def subscriptions(self) -> list[TopicSubscription]:
        """Every subscription, the oldest first."""
        return list(self._subscriptions.values())

    def subscriptions_of(self, subscriber: str) -> list[TopicSubscription]:
        """Those of one agent, the oldest first."""
        return [self._subscriptions[key] for key in self._quota.of(subscriber)]

    def of(self, subscriber: str) -> list[str]:
        """What an agent has subscribed to: names and patterns, in order."""
        return sorted({name for one in self.subscriptions_of(subscriber) for name in one.topics})

    def topics(self) -> list[Topic]:
        """Topics that were published to, are retained or subscribed to by name, in the order of their names."""
        known = dict(self._topics)
        named = [name for one in self._subscriptions.values() for name in one.topics if "*" not in name]
        for name in (*self._retained, *named):
            known.setdefault(name, Topic(name))
        return [known[name] for name in sorted(known)]

    def subscribers(self, topic: str) -> int:
        """How many agents would get a publication."""
        return len(self._of(topic))

    def retains(self, topic: str) -> bool:
        """Whether new subscribers get its last publication."""
        return topic in self._retained

    # ------------------------------------------------------------------ messages

    def take(self, envelope: Envelope) -> None:
        """Begin or end a subscription."""
        match envelope.message.performative:
            case Performative.SUBSCRIBE:
                self._subscribe(envelope)
            case Performative.CANCEL:
                self._cancel(envelope)
            case (
                Performative.FAILURE | Performative.NOT_UNDERSTOOD | Performative.REFUSE | Performative.INFORM
            ):
                self._bus.platform_turn(self, envelope)
            case act:
                raise InvalidMessage(f"topics understands subscribe and cancel, not {act}", hint=HINT)

    def _subscribe(self, envelope: Envelope) -> None:
        message = envelope.message
        wish = read_topics(message.content, HINT)
        subscription = TopicSubscription(
            message.sender,
            message.conversation_id,
            wish.topics,
            message.timestamp,
            protocol=message.protocol,
            reply_with=message.reply_with,
        )
        why: str | None
        if message.sender not in self._bus.endpoints:
            why = "only agents can subscribe; a client follows a topic with: caxton msg tail -f to:topic:NAME"
        elif subscription.key in self._subscriptions:
            why = "this conversation is a subscription already; subscribe in a conversation of its own"
        else:
            why = self._quota.why_not(message.sender)
        self._bus.platform_turn(self, envelope)
        if why is not None:
            self._bus.answer(envelope, self.name, Performative.REFUSE, {"reason": why})
            return
        self._keep(subscription)
        self._write(KIND, subscription.key, _encode(subscription), subscription.since_us)
        self._bus.answer(envelope, self.name, Performative.AGREE, {"topic": wish.topics})
        if wish.retained:
            for name in [name for name in self._retained if any(fits(one, name) for one in wish.topics)]:
                self._say_again(name, subscription, envelope)

    def _cancel(self, envelope: Envelope) -> None:
        message = envelope.message
        content: object = msgspec.json.decode(message.content)
        self._bus.platform_turn(self, envelope)
        if message.sender in self._bus.platform_agents:
            # the ams cancels for an agent that is stopped, failed or removed; nobody waits for the answer
            agent = content.get("agent") if is_object(content) else None
            found = self._subscriptions.get(f"{agent} {message.conversation_id}")
            if found is not None:
                self._drop(found)
            return
        gone = self._subscriptions.get(f"{message.sender} {message.conversation_id}")
        if gone is None:
            reason = "nothing to cancel: no subscription of yours is open in this conversation"
            self._bus.answer(envelope, self.name, Performative.FAILURE, {"reason": reason})
            return
        self._drop(gone)
        self._bus.answer(envelope, self.name, Performative.INFORM, {"cancelled": gone.topics})

    # ------------------------------------------------------------------ publications

    def publish(self, envelope: Envelope, names: Sequence[str]) -> None:
        """Bring a message to the subscribers of these topics (full names), each once."""
        got: set[int] = set()
        for full in names:
            name = local_topic(full)
            topic = self._topics.get(name) or Topic(name)
            if len(self._topics) < TOPICS_KNOWN:
                self._topics[name] = topic
            topic.publications += 1
            topic.last_us = envelope.message.timestamp
            lost = self._bring(envelope, self._of(name) if self._only is None else [self._only], got)
            topic.deliveries += len(got)
            topic.lost += lost
            self._bus.counts.publication(lost)
            if self._only is None and RETAIN.encode() in envelope.body:
                self._retain(name, envelope)
        if got:
            self._bus.journal.batch.records.append(Publication(envelope.seq, _encode(sorted(got)).decode()))

    def _bring(self, envelope: Envelope, subscribers: Sequence[TopicSubscription], got: set[int]) -> int:
        """How many of them lose it."""
        endpoints, offer, lost = self._bus.endpoints, self._offer, 0
        # what follows from it is to have room in its tree, too
        room = envelope.tree.room // 2
        for one in subscribers:
            endpoint = endpoints.get(one.subscriber)
            if endpoint is None or endpoint.number in got:
                continue
            if len(got) < room and offer(endpoint, envelope):
                got.add(endpoint.number)
            else:
                one.lost += 1
                lost += 1
        return lost

    def _of(self, topic: str) -> list[TopicSubscription]:
        found = self._subscribers.get(topic)
        if found is None:
            each: dict[str, TopicSubscription] = {}
            for one in self._subscriptions.values():
                if one.subscriber not in each and any(fits(pattern, topic) for pattern in one.topics):
                    each[one.subscriber] = one
            if len(self._subscribers) >= TOPICS_KNOWN:
                self._subscribers.clear()
            found = self._subscribers[topic] = list(each.values())
        return found

    def _retain(self, topic: str, envelope: Envelope) -> None:
        message = envelope.message
        if not msgspec.json.decode(envelope.body, type=_Retain).x_retain:
            return
        self._drop_retained(topic)
        if msgspec.json.decode(message.content) is None:
            return
        retained = RetainedMessage(
            message.sender,
            message.performative,
            message.content,
            message.language,
            message.encoding,
            message.ontology,
        )
        body = _encode(retained)
        why = self._retained_bytes.why_not(message.sender, len(body))
        if why is None:
            self._keep_retained(topic, retained, len(body))
            self._write(RETAINED, topic, body)
        else:
            reason = f"the publication is delivered, and not retained: {why}"
            self._bus.answer(envelope, self.name, Performative.FAILURE, {"reason": reason})

    def _keep_retained(self, topic: str, retained: RetainedMessage, size: int) -> None:
        self._retained[topic] = retained
        self._retained_bytes.take(retained.sender, topic, size)

    def _drop_retained(self, topic: str) -> None:
        before = self._retained.pop(topic, None)
        if before is not None:
            self._retained_bytes.give_back(before.sender, topic)
            self._write(RETAINED, topic, None)

    def _say_again(self, topic: str, subscription: TopicSubscription, cause: Envelope) -> None:
        """A new subscriber gets what was retained: the publisher's words once more, for it alone."""
        retained = self._retained[topic]
        draft = Draft(
            retained.performative,
            [self._bus.full_name(TOPIC_PREFIX + topic)],
            retained.content,
            language=retained.language,
            encoding=retained.encoding,
            ontology=retained.ontology,
        )
        draft.carry("x_retained", msgspec.Raw(b"true"))
        self._only = subscription
        try:
            self._bus.admit(
                draft,
                retained.sender,
                trace_id=cause.message.trace_id,
                cause=cause.seq,
                hops=cause.hops + 1,
                tree=cause.tree,
            )
        finally:
            self._only = None

    # ------------------------------------------------------------------ what there is

    def _keep(self, subscription: TopicSubscription) -> None:
        self._subscriptions[subscription.key] = subscription
        self._quota.take(subscription.subscriber, subscription.key)
        self._subscribers.clear()

    def _drop(self, subscription: TopicSubscription) -> None:
        del self._subscriptions[subscription.key]
        self._quota.give_back(subscription.subscriber, subscription.key)
        self._subscribers.clear()
        self._write(KIND, subscription.key, None, subscription.since_us)

    def _write(self, kind: str, key: str, body: bytes | None, since_us: int | None = None) -> None:
        text = None if body is None else body.decode()
        at_us = self._bus.now_us() if since_us is None else since_us
        self._bus.journal.batch.records.append(DirectoryRow(kind, key, at_us, None, text))


class _Retain(msgspec.Struct):
    x_retain: bool = False
