"""The directory facilitator `df`: agents say there what they offer, others find them by it (FIPA00023, 4.1).

In: `request` to register, deregister, modify, search; `subscribe` to a search; `cancel`. Out: answers, and an
`inform` to every subscriber whose search finds something else than before. Registrations, leases and subscriptions
are rows in the batch of the message that made them, so they survive a restart, and a message that is delivered again
finds nothing of its first time. An entry is gone with its lease, and with its agent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec
import structlog

from caxton.acl import Draft, Message, Performative
from caxton.acl.json_value import is_object
from caxton.acl.reply_by import moment_us
from caxton.bus.bus import Bus
from caxton.bus.content_languages import JSON, ContentLanguage, Sl0Content
from caxton.bus.directory import NEVER_US, Directory, Entry
from caxton.bus.endpoint import Envelope
from caxton.bus.management_agent import ManagementAgent
from caxton.bus.subscriptions import OF, Change, Subscription, Watch, Watches
from caxton.bus.vocabulary import (
    Declined,
    Function,
    ManagementRequest,
    Reading,
    agent_name,
    failed,
    missing,
    refused,
    unauthorised,
)
from caxton.clock import Alarm, Clock
from caxton.journal import DirectoryRow, Reader

ENTRIES_MAX: Final = 100_000
ENTRY_BYTES_MAX: Final = 16 * 1024
"""The longest description, as JSON."""
_LONGEST_S: Final = 30 * 86_400.0
"""No alarm is set further away; a lease that is longer is looked at again then."""
_encode = msgspec.json.Encoder().encode

log = structlog.get_logger("caxton.bus")


class Df(ManagementAgent):
    """The yellow pages of this platform."""

    functions: ClassVar[Mapping[str, Function]] = {
        "register": Function(OF),
        "deregister": Function(OF),
        "modify": Function(OF),
        "search": Function(OF, needs=False, constraints=True),
    }

    def __init__(self, bus: Bus, clock: Clock, message_bytes: int) -> None:
        super().__init__("df", bus, clock, message_bytes)
        self.directory = Directory()
        self._watches = Watches()
        self._alarm: Alarm | None = None
        self._alarm_us = NEVER_US

    # ------------------------------------------------------------------ its life

    async def load(self, reader: Reader) -> None:
        """Read what was registered and subscribed."""
        for row in await reader.directory("df"):
            assert row.body is not None
            expires = NEVER_US if row.expires_us is None else row.expires_us
            self.directory.put(Entry(row.key, msgspec.json.decode(row.body), row.at_us, expires))
        for row in await reader.directory("subscription"):
            assert row.body is not None
            subscription = msgspec.json.decode(row.body, type=Subscription)
            form: ContentLanguage = JSON if subscription.form == "json" else Sl0Content(self.name)
            content = msgspec.json.decode(subscription.content)
            # durations count from when they were said
            reading = Reading(self._bus.platform, subscription.since_us)
            try:
                wish = form.read(content, self.functions, reading)
            except Declined as declined:
                # another version took it; it must not keep the daemon from starting
                self._write("subscription", row.key, row.at_us, None, None)
                log.warning("a subscription is not understood any more", key=row.key, reason=declined.reason)
                continue
            self._watches.put(subscription, form, wish)

    def begin(self) -> None:
        """Let time pass: leases end from now on, those that ended while nothing ran first."""
        self._arm()

    def close(self) -> None:
        """Let no time pass any more."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm, self._alarm_us = None, NEVER_US

    def removed(self, name: str) -> None:
        """An agent is gone for good: so is its entry, and so are its subscriptions."""
        for subscription in self._watches.of(name):
            self._unsubscribe(subscription)
        self._leave(name, "removed", None)

    # ------------------------------------------------------------------ what people see

    def entries(self) -> list[Entry]:
        """Every registration that has not expired, the oldest first."""
        now_us = self._clock.now_us()
        return [entry for entry in self.directory.entries.values() if entry.expires_us > now_us]

    def find(self, description: object, constraints: object) -> list[Entry]:
        """What a search finds, as a client asks for it; raises Declined."""
        arguments: list[tuple[str, Any]] = [(OF, {} if description is None else description)]
        if constraints is not None:
            arguments.append(("search-constraints", constraints))
        self._expire()
        return self._search(self.reading().wish(self.functions, "search", arguments))

    def subscriptions(self) -> list[Subscription]:
        """Every subscription, the oldest first."""
        return self._watches.all()

    # ------------------------------------------------------------------ messages

    def attend(self, envelope: Envelope, form: ContentLanguage) -> None:
        """Answer a request, begin or end a subscription."""
        self._expire()
        act = envelope.message.performative
        if act is Performative.CANCEL:
            self._cancel(envelope, form)
            return
        if act not in (Performative.REQUEST, Performative.SUBSCRIBE):
            raise self.unsupported(envelope, "request, subscribe and cancel")
        wish = self.wish(envelope, form)
        try:
            if act is Performative.SUBSCRIBE:
                self._subscribe(envelope, form, wish)
                return
            match wish.action:
                case "register":
                    self._register(envelope, form, wish)
                case "modify":
                    self._modify(envelope, form, wish)
                case "deregister":
                    self._deregister(envelope, form, wish)
                case _:
                    content = form.result(wish, OF, [one.description for one in self._search(wish)])
                    self.inform_all(envelope, content)
        except Declined as declined:
            self.decline(envelope, form, wish, declined)

    def _register(self, envelope: Envelope, form: ContentLanguage, wish: ManagementRequest) -> None:
        name = self._named(envelope, wish)
        if name in self.directory.entries:
            raise failed(
                "already-registered",
                reason=f"{name} is registered already",
                hint="change what it says there with modify",
            )
        if len(self.directory.entries) >= ENTRIES_MAX:
            raise failed("internal-error", "full", reason=f"{ENTRIES_MAX:,} agents are registered already")
        if not self._is_there(name):
            raise refused(
                "unrecognised-parameter-value", "name", name, reason=f"there is no agent {name} here"
            )
        self._put(envelope, form, wish, name, None)

    def _modify(self, envelope: Envelope, form: ContentLanguage, wish: ManagementRequest) -> None:
        name = self._named(envelope, wish)
        self._put(envelope, form, wish, name, self._registered(name))

    def _deregister(self, envelope: Envelope, form: ContentLanguage, wish: ManagementRequest) -> None:
        name = self._named(envelope, wish)
        self._registered(name)
        self.inform(envelope, form.done(wish, None))
        self._leave(name, "deregistered", envelope)

    def _put(
        self,
        envelope: Envelope,
        form: ContentLanguage,
        wish: ManagementRequest,
        name: str,
        before: Entry | None,
    ) -> None:
        """Write a description down, replacing the one before; say so to its agent, then to the subscribers."""
        description = wish.description or {}
        for service in description.get("services", ()):
            if not {"name", "type"} & service.keys():
                raise missing("service-description", "type", wish.action)
        now_us = self._clock.now_us()
        lease = description.get("lease-time")
        expires_us = NEVER_US if lease is None else moment_us(lease)
        if expires_us <= now_us:
            raise refused(
                "unrecognised-parameter-value", "lease-time", str(lease), reason="the lease is over already"
            )
        body = _encode(description)
        if len(body) > ENTRY_BYTES_MAX:
            raise failed(
                "internal-error",
                "too long",
                reason=f"the description has {len(body):,} bytes as JSON, at most {ENTRY_BYTES_MAX:,} are kept",
            )
        entry = Entry(name, description, before.registered_us if before else now_us, expires_us)
        self.directory.put(entry)
        self._write("df", name, entry.registered_us, None if lease is None else expires_us, body)
        self._arm()
        self.inform(envelope, form.done(wish, description))
        self._tell(Change("modified" if before else "registered", name, before, entry), envelope)

    def _search(self, wish: ManagementRequest) -> list[Entry]:
        most = (wish.constraints or {}).get("max-results", -1)
        return self.directory.search(wish.description or {}, None if most < 0 else most)

    # ------------------------------------------------------------------ subscriptions

    def _subscribe(self, envelope: Envelope, form: ContentLanguage, wish: ManagementRequest) -> None:
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
        self._watches.check(subscription)
        content = form.notice(wish, OF, [one.description for one in self._search(wish)], None)
        self.check_length(content, subscription.receivers)
        self._watches.put(subscription, form, wish)
        self._write("subscription", subscription.key, subscription.since_us, None, _encode(subscription))
        self.inform(envelope, content)

    def _cancel(self, envelope: Envelope, form: ContentLanguage) -> None:
        message = envelope.message
        subscriber = message.sender
        if subscriber in self._bus.platform_agents:
            # the ams cancels for an agent that is stopped, failed or removed; nobody waits for the answer
            self._cancel_for(message)
            self.finish(envelope)
            return
        watch = self._watches.find(subscriber, message.conversation_id)
        if watch is None:
            nothing = "nothing to cancel"
            declined = failed(
                "internal-error", nothing, reason=f"{nothing}: no subscription is open in this conversation"
            )
            self.decline(envelope, form, None, declined)
            return
        self._unsubscribe(watch.subscription)
        self.inform(envelope, watch.form.done(ManagementRequest("cancel"), None))

    def _cancel_for(self, message: Message) -> None:
        content: object = msgspec.json.decode(message.content)
        agent = content.get("agent") if is_object(content) else None
        watch = self._watches.find(str(agent), message.conversation_id)
        if watch is not None:
            self._unsubscribe(watch.subscription)

    def _unsubscribe(self, subscription: Subscription) -> None:
        self._watches.drop(subscription)
        self._write("subscription", subscription.key, subscription.since_us, None, None)

    def _tell(self, change: Change, cause: Envelope | None) -> None:
        """Inform everybody whose search finds something else now."""
        for watch in self._watches.concerned(change):
            found = [one.description for one in self._search(watch.wish)]
            said = {"what": change.what, "name": change.name}
            self._notify(watch, watch.form.notice(watch.wish, OF, found, said), cause)

    def _notify(self, watch: Watch, content: object, cause: Envelope | None) -> None:
        subscription = watch.subscription
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

    # ------------------------------------------------------------------ time, rows, rules

    def _expire(self) -> None:
        """Take out what has expired, and tell who wanted to know."""
        for entry in self.directory.expire(self._clock.now_us()):
            self._write("df", entry.name, entry.registered_us, None, None)
            self._tell(Change("expired", entry.name, entry, None), None)
        self._arm()

    def _ring(self) -> None:
        self._alarm, self._alarm_us = None, NEVER_US
        self._expire()
        self._bus.settle()

    def _arm(self) -> None:
        """Wake when the next lease ends."""
        due_us = self.directory.next_expiry_us()
        if due_us == self._alarm_us:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm, self._alarm_us = None, due_us
        if due_us < NEVER_US:
            delay_s = min(max(0.0, (due_us - self._clock.now_us()) / 1e6), _LONGEST_S)
            self._alarm = self._clock.later(delay_s, self._ring)

    def _leave(self, name: str, what: str, cause: Envelope | None) -> None:
        entry = self.directory.drop(name)
        if entry is not None:
            self._write("df", name, entry.registered_us, None, None)
            self._tell(Change(what, name, entry, None), cause)

    def _named(self, envelope: Envelope, wish: ManagementRequest) -> str:
        """The agent that a wish is about, where its sender may speak for it."""
        said = (wish.description or {}).get("name")
        if said is None:
            raise missing(OF, "name", wish.action)
        name = agent_name(said)
        if not self.may(envelope, name):
            raise unauthorised(
                f"{envelope.message.sender} may not {wish.action} {name}",
                "an agent registers itself; a client may register any",
            )
        return name

    def _registered(self, name: str) -> Entry:
        entry = self.directory.entries.get(name)
        if entry is None:
            raise failed("not-registered", reason=f"{name} is not registered", hint="register it first")
        return entry

    def _is_there(self, name: str) -> bool:
        """Whether an agent of that name may be in the directory: ours, or on another platform."""
        bus = self._bus
        return (
            name in bus.endpoints
            or name in bus.platform_agents
            or bus.clients.is_client(name)
            or not name.endswith(f"@{bus.platform}")
        )

    def _write(self, kind: str, key: str, at_us: int, expires_us: int | None, body: bytes | None) -> None:
        text = None if body is None else body.decode()
        self._bus.journal.batch.records.append(DirectoryRow(kind, key, at_us, expires_us, text))
