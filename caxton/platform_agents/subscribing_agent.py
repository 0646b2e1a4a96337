"""Platform agents that tell others of changes, by FIPA's subscribe protocol.

In: `subscribe` to a search, `cancel`; and changes, from the subclass. Out: an `inform` with what is so now, one for
each change, and the end by `cancel`, by the subscriber's own end, or by a `failure`. Subscriptions are rows in the
batch of the message that made them, so they survive a restart.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import msgspec
import structlog

from caxton import exact_numbers
from caxton.acl import Draft, Message, Performative
from caxton.acl.json_value import is_object
from caxton.bus.bus import Bus
from caxton.bus.envelope import Envelope
from caxton.clock import Clock
from caxton.journal import DirectoryRow, Reader
from caxton.platform_agents.content_languages import JSON, ContentLanguage, Sl0Content
from caxton.platform_agents.management_agent import ManagementAgent
from caxton.platform_agents.subscriptions import Subscription, Watch, Watches
from caxton.platform_agents.vocabulary import Declined, Json, ManagementRequest, Reading, failed, refused

_encode = exact_numbers.encode

log = structlog.get_logger("caxton.bus")


class SubscribingAgent(ManagementAgent):
    """One of them. A subclass says what a search finds, and when something has changed."""

    rows: ClassVar[str]
    """The kind of its subscriptions' rows in the journal."""

    def __init__(self, local_name: str, bus: Bus, clock: Clock, message_bytes: int) -> None:
        super().__init__(local_name, bus, clock, message_bytes)
        self.watches = Watches()

    @abstractmethod
    def found(self, wish: ManagementRequest) -> list[Json]:
        """What a search finds now."""

    def search_in(self, form: ContentLanguage, content: Any, reading: Reading) -> ManagementRequest:
        """What a subscription is to, from its content; raises Declined."""
        return form.read(content, self.functions, reading)

    def subscriptions(self) -> list[Subscription]:
        """Every subscription, the oldest first."""
        return self.watches.all()

    async def load_subscriptions(self, reader: Reader) -> None:
        """Read what was subscribed."""
        for row in await reader.directory(self.rows):
            assert row.body is not None
            subscription = msgspec.json.decode(row.body, type=Subscription)
            form: ContentLanguage = JSON if subscription.form == "json" else Sl0Content(self.name)
            content = exact_numbers.decode(subscription.content)
            # durations count from when they were said
            reading = Reading(self._bus.platform, subscription.since_us)
            try:
                wish = self.search_in(form, content, reading)
            except Declined as declined:
                # another version took it; it must not keep the daemon from starting
                self._record(subscription, None)
                log.warning("a subscription is not understood any more", key=row.key, reason=declined.reason)
                continue
            self.watches.put(subscription, form, wish)

    def subscribe(self, envelope: Envelope, form: ContentLanguage, wish: ManagementRequest) -> None:
        """Begin a subscription, and say what is so now; raises Declined."""
        message = envelope.message
        if wish.action != "search":
            raise refused(
                "unsupported-function",
                wish.action,
                reason="only a search can be subscribed to",
                hint="search",
            )
        subscription = Subscription(
            message.sender,
            message.conversation_id,
            message.reply_to or [message.sender],
            message.content,
            message.trace_id,
            self._clock.now_us(),
            "json" if form is JSON else "sl0",
            message.reply_with,
            message.protocol,
            message.language,
            message.ontology,
        )
        self.watches.check(subscription)
        content = form.notice(wish, wish.of, self.found(wish), None)
        self.check_length(content, subscription.receivers)
        self.watches.put(subscription, form, wish)
        self._record(subscription, _encode(subscription).decode())
        self.inform(envelope, content)

    def cancel(self, envelope: Envelope, form: ContentLanguage) -> None:
        """End the subscription of a conversation."""
        message = envelope.message
        if message.sender in self._bus.platform_agents:
            # the ams cancels for an agent that is stopped, failed or removed; nobody waits for the answer
            self._cancel_for(message)
            self.finish(envelope)
            return
        watch = self.watches.find(message.sender, message.conversation_id)
        if watch is None:
            nothing = "nothing to cancel"
            declined = failed(
                "internal-error", nothing, reason=f"{nothing}: no subscription is open in this conversation"
            )
            self.decline(envelope, form, None, declined)
            return
        self._unsubscribe(watch.subscription)
        self.inform(envelope, watch.form.done(ManagementRequest("cancel"), None))

    def unsubscribe_all(self, subscriber: str) -> None:
        """That agent is told nothing more."""
        for subscription in self.watches.of(subscriber):
            self._unsubscribe(subscription)

    def notify(self, watch: Watch, found: list[Json], change: Json, cause: Envelope | None) -> None:
        """Tell a subscriber what its search finds now, and what has changed that."""
        subscription = watch.subscription
        content = watch.form.notice(watch.wish, watch.wish.of, found, change)
        act, reason = Performative.INFORM, None
        try:
            self.check_length(content, subscription.receivers)
        except Declined as declined:
            # a failure ends a subscription; so it is never silently incomplete
            act = Performative.FAILURE
            content = watch.form.declined(Performative.SUBSCRIBE, watch.wish, declined)
            reason = None if watch.form is JSON else declined.reason
            self._unsubscribe(subscription)
        draft = Draft(
            act,
            subscription.receivers,
            msgspec.Raw(_encode(content)),
            conversation_id=subscription.conversation_id,
            protocol=subscription.protocol,
            in_reply_to=subscription.reply_with,
            language=subscription.language,
            ontology=subscription.ontology,
        )
        if reason is not None:
            draft.carry("x_reason", msgspec.Raw(_encode(reason)))
        if cause is None:
            self._bus.admit(draft, self.name, trace_id=subscription.trace_id, cause=0, hops=0)
        else:
            # so that agents that answer notices by registering anew come to an end as any other endless chain does
            message = cause.message
            self._bus.admit(
                draft,
                self.name,
                trace_id=message.trace_id,
                cause=cause.seq,
                hops=cause.hops + 1,
                tree=cause.tree,
            )

    def _cancel_for(self, message: Message) -> None:
        content: object = msgspec.json.decode(message.content)
        agent = content.get("agent") if is_object(content) else None
        watch = self.watches.find(str(agent), message.conversation_id)
        if watch is not None:
            self._unsubscribe(watch.subscription)

    def _unsubscribe(self, subscription: Subscription) -> None:
        self.watches.drop(subscription)
        self._record(subscription, None)

    def _record(self, subscription: Subscription, body: str | None) -> None:
        row = DirectoryRow(self.rows, subscription.key, subscription.since_us, None, body)
        self._bus.journal.batch.records.append(row)
