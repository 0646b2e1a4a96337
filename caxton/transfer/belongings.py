"""What platform agents keep for an agent: timers, its entry in the df, its owner, what it has subscribed to.

In: an agent's name, or what another one had elsewhere. Out: what goes into a bundle; the reasons why some of it cannot
be had here; and the same for the agent here, as rows of the batch in which it comes.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from caxton import exact_numbers
from caxton.acl import Draft, Performative, read_draft
from caxton.bus import Bus
from caxton.errors import InvalidMessage
from caxton.platform_agents.ams import Ams
from caxton.platform_agents.df import Df
from caxton.platform_agents.directory import Entry
from caxton.platform_agents.subscriptions import Subscription
from caxton.platform_agents.timer import Timer
from caxton.platform_agents.timer_rows import TimerRow
from caxton.platform_agents.topics import Topics
from caxton.platform_agents.vocabulary import Declined
from caxton.transfer.bundle import CarriedSubscription, Manifest

_encode = exact_numbers.encode


class Belongings(msgspec.Struct, frozen=True):
    """All that one agent has."""

    ownership: str | None
    services: msgspec.Raw
    timers: list[TimerRow]
    subscriptions: list[CarriedSubscription]


class Arriving(msgspec.Struct, frozen=True):
    """What of it an agent gets here, and what it does not, in words."""

    owner: str | None
    entry: Entry | None
    timers: list[TimerRow]
    subscriptions: list[Draft]
    lost: list[str]


class Registrations:
    """The platform agents, as far as they keep something for others."""

    def __init__(self, bus: Bus, ams: Ams, df: Df, timer: Timer, topics: Topics | None) -> None:
        self._bus = bus
        self._ams = ams
        self._df = df
        self._timer = timer
        self._topics = topics

    def of(self, name: str) -> Belongings:
        """What an agent has, by its full name."""
        entry = self._df.directory.entries.get(name)
        watches = [_carried("ams", one) for one in self._ams.watches.of(name)]
        watches += [_carried("df", one) for one in self._df.watches.of(name)]
        for one in () if self._topics is None else self._topics.subscriptions_of(name):
            watches.append(
                CarriedSubscription(
                    to="topics",
                    # it has had what was retained
                    content=msgspec.Raw(_encode({"topic": one.topics, "retained": False})),
                    conversation_id=one.conversation_id,
                    reply_to=[name],
                    reply_with=one.reply_with,
                    protocol=one.protocol,
                    language=None,
                    ontology=None,
                )
            )
        return Belongings(
            self._ams.owner(name),
            msgspec.Raw(_encode(None if entry is None else entry.description)),
            self._timer.rows(name),
            watches,
        )

    def give_up(self, name: str) -> None:
        """An agent has left: nobody keeps anything for it any more."""
        self._timer.removed(name)
        self._df.removed(name)
        self._ams.unsubscribe_all(name)
        if self._topics is not None:
            self._topics.unsubscribe_all(name)

    def judged(self, manifest: Manifest, local_name: str) -> Arriving:
        """What an agent that comes can have here."""
        name, there = self._bus.full_name(local_name), f"{manifest.name}@{manifest.platform}"
        lost: list[str] = []
        entry = None
        services: object = exact_numbers.decode(manifest.services)
        if services is not None:
            try:
                entry = self._df.judged(name, services)
            except Declined as declined:
                lost.append(f"its entry in the df: {declined.reason}")
        timers: list[TimerRow] = []
        rows = [_readdressed(row, there, name) for row in manifest.timers]
        for row, why in self._timer.judged(name, rows):
            if why is None:
                timers.append(row)
            else:
                lost.append(f"its timer {bytes(row.tag).decode()[:80]}: {why}")
        subscriptions: list[Draft] = []
        for one in manifest.subscriptions:
            try:
                subscriptions.append(self._draft(one, there, name))
            except InvalidMessage as error:
                lost.append(f"its subscription to {one.to} in {one.conversation_id[:80]!r}: {error.message}")
        return Arriving(manifest.ownership, entry, timers, subscriptions, lost)

    def take_up(self, name: str, arriving: Arriving) -> None:
        """An agent is there: it has all that here from now on."""
        if arriving.owner is not None:
            self._ams.take_up(name, arriving.owner)
        if arriving.entry is not None and name not in self._df.directory.entries:
            self._df.take_up(arriving.entry)
        self._timer.take_up(name, arriving.timers)
        for draft in arriving.subscriptions:
            # said once more, so that the referee knows the conversation, and the agent what is so here
            self._bus.admit(draft, name, trace_id=self._bus.ids.trace(), cause=0, hops=0)

    def _draft(self, one: CarriedSubscription, there: str, name: str) -> Draft:
        """The message that subscribes; raises InvalidMessage."""
        if one.to == "topics" and self._topics is None:
            raise InvalidMessage("an agent has that name here")
        if one.conversation_id in self._bus.referee_service.known:
            raise InvalidMessage("a conversation of that name was held here")
        receivers = _names(one.reply_to, there, name)
        message = {
            "performative": Performative.SUBSCRIBE,
            "receiver": [self._bus.full_name(one.to)],
            "content": one.content,
            "conversation_id": one.conversation_id,
            "protocol": one.protocol,
            "reply_with": one.reply_with,
            "reply_to": None if receivers == [name] else receivers,
            "language": one.language,
            "ontology": one.ontology,
        }
        draft = read_draft(_encode({key: value for key, value in message.items() if value is not None}))
        self._bus.addressing.answers(draft)
        return draft


def _carried(to: str, one: Subscription) -> CarriedSubscription:
    return CarriedSubscription(
        to="df" if to == "df" else "ams",
        content=one.content,
        conversation_id=one.conversation_id,
        reply_to=one.receivers,
        reply_with=one.reply_with,
        protocol=one.protocol,
        language=one.language,
        ontology=one.ontology,
    )


def _readdressed(row: TimerRow, there: str, name: str) -> TimerRow:
    return msgspec.structs.replace(row, receivers=_names(row.receivers, there, name))


def _names(names: Sequence[str], there: str, name: str) -> list[str]:
    """Its own name is what it is here."""
    return [name if one == there else one for one in names]
