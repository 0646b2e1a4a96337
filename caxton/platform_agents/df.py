"""The directory facilitator `df`: agents say there what they offer, others find them by it (FIPA00023, 4.1).

In: `request` to register, deregister, modify, search; `subscribe` to a search; `cancel`. Out: answers, and an
`inform` to every subscriber whose search finds something else than before. Registrations, leases and subscriptions
are rows in the batch of the message that made them, so they survive a restart, and a message that is delivered again
finds nothing of its first time. An entry is gone with its lease, and with its agent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import structlog

from caxton import exact_numbers
from caxton.acl import Performative
from caxton.acl.json_value import is_object
from caxton.acl.reply_by import moment_us
from caxton.bus.bus import Bus
from caxton.bus.envelope import Envelope
from caxton.clock import Alarm, Clock, SteadyTime
from caxton.journal import DirectoryRow, Reader
from caxton.platform_agents.content_languages import ContentLanguage
from caxton.platform_agents.directory import NEVER_US, Directory, Entry
from caxton.platform_agents.subscribing_agent import SubscribingAgent
from caxton.platform_agents.subscriptions import OF, Change
from caxton.platform_agents.vocabulary import (
    Declined,
    Function,
    Json,
    ManagementRequest,
    agent_name,
    failed,
    missing,
    refused,
    unauthorised,
)

OTHERS_MAX: Final = 10_000
"""Registrations of clients and of agents elsewhere. Each agent here has one of its own besides, whatever they have."""
ENTRY_BYTES_MAX: Final = 16 * 1024
"""The longest description, as JSON."""
_LONGEST_S: Final = 30 * 86_400.0
"""No alarm is set further away; a lease that is longer is looked at again then."""
_ACTIVE: Final = "active"
_encode = exact_numbers.encode

log = structlog.get_logger("caxton.bus")


class Df(SubscribingAgent):
    """The yellow pages of this platform."""

    rows = "subscription"
    functions: ClassVar[Mapping[str, Function]] = {
        "register": Function(OF),
        "deregister": Function(OF),
        "modify": Function(OF),
        "search": Function(OF, needs=False, constraints=True),
    }

    def __init__(self, bus: Bus, clock: Clock, message_bytes: int) -> None:
        super().__init__("df", bus, clock, message_bytes)
        self.directory = Directory()
        self._time = SteadyTime(clock)
        """Leases end by it: whoever sets the clock ends none."""
        self._alarm: Alarm | None = None
        self._alarm_us = NEVER_US

    # ------------------------------------------------------------------ its life

    async def load(self, reader: Reader) -> None:
        """Read what was registered and subscribed."""
        for row in await reader.directory("df"):
            assert row.body is not None
            expires = NEVER_US if row.expires_us is None else row.expires_us
            if row.expires_us is not None:
                # a clock that was set back while nothing ran makes no lease longer than it was
                expires = min(expires, self._time.now_us() + expires - row.at_us)
            self.directory.put(Entry(row.key, exact_numbers.decode(row.body), row.at_us, expires))
        await self.load_subscriptions(reader)

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
        self.unsubscribe_all(name)
        self._leave(name, "removed", None)

    def judged(self, name: str, description: object) -> Entry:
        """What an agent that comes from elsewhere would have here; raises Declined."""
        self._expire()
        self._check_free(name)
        arguments: list[tuple[str, Any]] = [
            (OF, {**description, "name": name} if is_object(description) else None)
        ]
        return self._entry(self.reading().wish(self.functions, "register", arguments), name, None)

    def take_up(self, entry: Entry) -> None:
        """An agent comes with an entry that `judged` has passed; who wants to know is told."""
        self._enter(entry)
        self._tell(Change("registered", entry.name, None, entry), None)

    def offer(self, name: str, description: Json) -> None:
        """What an agent of the platform offers as long as the daemon runs; who wants to know is told."""
        before = self.directory.entries.get(name)
        entry = Entry(name, description, before.registered_us if before else self._clock.now_us())
        self.directory.put(entry)
        self._tell(Change("modified" if before else "registered", name, before, entry), None)
        self._bus.settle()

    # ------------------------------------------------------------------ what people see

    def entries(self) -> list[Entry]:
        """Every registration that has not expired, the oldest first."""
        now_us = self._time.now_us()
        return [entry for entry in self.directory.entries.values() if entry.expires_us > now_us]

    def find(self, description: object, constraints: object) -> list[Entry]:
        """What a search finds, as a client asks for it; raises Declined."""
        arguments: list[tuple[str, Any]] = [(OF, {} if description is None else description)]
        if constraints is not None:
            arguments.append(("search-constraints", constraints))
        self._expire()
        return self._search(self.reading().wish(self.functions, "search", arguments))

    # ------------------------------------------------------------------ messages

    def attend(self, envelope: Envelope, form: ContentLanguage) -> None:
        """Answer a request, begin or end a subscription."""
        self._expire()
        act = envelope.message.performative
        if act is Performative.CANCEL:
            self.cancel(envelope, form)
            return
        if act not in (Performative.REQUEST, Performative.SUBSCRIBE):
            raise self.unsupported(envelope, "request, subscribe and cancel")
        wish = self.wish(envelope, form)
        try:
            if act is Performative.SUBSCRIBE:
                self.subscribe(envelope, form, wish)
                return
            match wish.action:
                case "register":
                    self._register(envelope, form, wish)
                case "modify":
                    self._modify(envelope, form, wish)
                case "deregister":
                    self._deregister(envelope, form, wish)
                case _:
                    self.inform_all(envelope, form.result(wish, OF, self.found(wish)))
        except Declined as declined:
            self.decline(envelope, form, wish, declined)

    def _register(self, envelope: Envelope, form: ContentLanguage, wish: ManagementRequest) -> None:
        name = self._named(envelope, wish)
        self._check_free(name)
        here = self._bus.endpoints
        if name not in here and sum(one not in here for one in self.directory.entries) >= OTHERS_MAX:
            raise failed(
                "internal-error",
                "full",
                reason=f"{OTHERS_MAX:,} clients and agents elsewhere are registered already",
            )
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
        entry = self._entry(wish, name, before)
        self._enter(entry)
        self.inform(envelope, form.done(wish, entry.description))
        self._tell(Change("modified" if before else "registered", name, before, entry), envelope)

    def _entry(self, wish: ManagementRequest, name: str, before: Entry | None) -> Entry:
        """What is to stand there; raises Declined."""
        description = {key: value for key, value in (wish.description or {}).items() if key != "state"}
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
        length = len(_encode(description))
        if length > ENTRY_BYTES_MAX:
            raise failed(
                "internal-error",
                "too long",
                reason=f"the description has {length:,} bytes as JSON, at most {ENTRY_BYTES_MAX:,} are kept",
            )
        ends_us = NEVER_US if lease is None else self._time.of(expires_us)
        return Entry(name, description, before.registered_us if before else now_us, ends_us)

    def _enter(self, entry: Entry) -> None:
        self.directory.put(entry)
        lease = entry.description.get("lease-time")
        expires_us = None if lease is None else moment_us(lease)
        self._write("df", entry.name, entry.registered_us, expires_us, _encode(entry.description))
        self._arm()

    def _search(self, wish: ManagementRequest) -> list[Entry]:
        most = (wish.constraints or {}).get("max-results", -1)
        template = dict(wish.description or {})
        state = template.pop("state", None)
        if state is None:
            return self.directory.search(template, None if most < 0 else most)
        found = [one for one in self.directory.search(template) if self._state(one.name) == state]
        return found if most < 0 else found[:most]

    def _state(self, name: str) -> str:
        """Whether a registered agent takes messages and turns: active, stopped, failed or suspended."""
        endpoint = self._bus.endpoints.get(name)
        if endpoint is None:
            return _ACTIVE
        if endpoint.refusal is not None:
            return endpoint.refusal[0].removeprefix("agent_")
        return "suspended" if endpoint.suspended else _ACTIVE

    # ------------------------------------------------------------------ subscriptions

    def found(self, wish: ManagementRequest) -> list[Json]:
        """What a search finds, marked where an agent does not run."""
        found: list[Json] = []
        for one in self._search(wish):
            state = self._state(one.name)
            found.append(one.description if state == _ACTIVE else {**one.description, "state": state})
        return found

    def _tell(self, change: Change, cause: Envelope | None) -> None:
        """Inform everybody whose search finds something else now."""
        for watch in self.watches.concerned(change):
            said = {"what": change.what, "name": change.name}
            self.notify(watch, self.found(watch.wish), said, cause)

    # ------------------------------------------------------------------ time, rows, rules

    def _expire(self) -> None:
        """Take out what has expired, and tell who wanted to know."""
        for entry in self.directory.expire(self._time.now_us()):
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
            delay_s = min(max(0.0, (due_us - self._time.now_us()) / 1e6), _LONGEST_S)
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

    def _check_free(self, name: str) -> None:
        """Whether nobody of that name is registered; raises Declined."""
        if name in self.directory.entries:
            raise failed(
                "already-registered",
                reason=f"{name} is registered already",
                hint="change what it says there with modify",
            )

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
