"""Subscriptions to the `df`: who wants to be told what a search finds, and whom a change concerns.

In: a search with everything that a notice needs, and changes of the directory. Out: those whose search finds something
else than before. A search that names types of services is looked at only for changes of such.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from caxton.platform_agents.content_languages import ContentLanguage
from caxton.platform_agents.directory import Entry, matches, types_of
from caxton.platform_agents.quotas import Quota
from caxton.platform_agents.vocabulary import Json, ManagementRequest, failed, refused

OF: Final = "df-agent-description"
SUBSCRIPTIONS_MAX: Final = 10_000
SUBSCRIPTIONS_OF_ONE_MAX: Final = 100


class Subscription(msgspec.Struct, frozen=True):
    """Who wants to be told what a search finds; everything that a notice needs, also after a restart."""

    subscriber: str
    conversation_id: str
    receivers: list[str]
    content: msgspec.Raw
    trace_id: str
    since_us: int
    form: str
    reply_with: str | None = None
    protocol: str | None = None
    language: str | None = None
    ontology: str | None = None

    @property
    def key(self) -> str:
        """Its key in the journal."""
        return _key(self.subscriber, self.conversation_id)


class Watch(NamedTuple):
    """A subscription with its search, read, and the types of services that it names."""

    subscription: Subscription
    form: ContentLanguage
    wish: ManagementRequest
    types: frozenset[str]


class Change(NamedTuple):
    """One entry that came, changed or went."""

    what: str
    name: str
    before: Entry | None
    after: Entry | None

    def types(self) -> frozenset[str]:
        """The types of services that it had or has."""
        both = (self.before, self.after)
        return frozenset[str]().union(*(types_of(one.description) for one in both if one is not None))


class Watches:
    """Every subscription, the oldest first."""

    def __init__(self) -> None:
        self._by_key: dict[str, Watch] = {}
        self._quota: Quota[str] = Quota("subscriptions", SUBSCRIPTIONS_MAX, SUBSCRIPTIONS_OF_ONE_MAX)

    def every(self) -> list[Watch]:
        """Every subscription with its search."""
        return list(self._by_key.values())

    def all(self) -> list[Subscription]:
        """Every subscription."""
        return [watch.subscription for watch in self._by_key.values()]

    def of(self, subscriber: str) -> list[Subscription]:
        """Those of one agent."""
        return [self._by_key[key].subscription for key in self._quota.of(subscriber)]

    def find(self, subscriber: str, conversation_id: str) -> Watch | None:
        """The one of that agent in that conversation."""
        return self._by_key.get(_key(subscriber, conversation_id))

    def check(self, subscription: Subscription) -> None:
        """Whether there may be one more; raises Declined."""
        if subscription.key in self._by_key:
            raise refused(
                "unsupported-function",
                "subscribe",
                reason="this conversation is a subscription already",
                hint="subscribe in a conversation of its own",
            )
        why = self._quota.why_not(subscription.subscriber)
        if why is not None:
            raise failed("internal-error", "full", reason=why, hint="cancel one that is not needed")

    def put(self, subscription: Subscription, form: ContentLanguage, wish: ManagementRequest) -> None:
        """Remember one."""
        types = types_of(wish.description or {})
        self._by_key[subscription.key] = Watch(subscription, form, wish, types)
        self._quota.take(subscription.subscriber, subscription.key)

    def drop(self, subscription: Subscription) -> None:
        """Forget one."""
        del self._by_key[subscription.key]
        self._quota.give_back(subscription.subscriber, subscription.key)

    def concerned(self, change: Change) -> list[Watch]:
        """Whose search finds something else by that change."""
        types = change.types()
        return [
            watch
            for watch in self._by_key.values()
            if watch.types <= types and _concerns(watch.wish.description or {}, change)
        ]


def _key(subscriber: str, conversation_id: str) -> str:
    return f"{subscriber} {conversation_id}"


def _concerns(template: Json, change: Change) -> bool:
    template = {key: value for key, value in template.items() if key != "state"}
    before, after = change.before, change.after
    was = before is not None and matches(OF, template, before.description)
    now = after is not None and matches(OF, template, after.description)
    if was and now:
        assert before is not None
        assert after is not None
        return before.description != after.description
    return was or now
