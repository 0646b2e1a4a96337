"""A directory of agents: descriptions by name, found by template (FIPA00023, 6.2.4.1), gone when their lease is over.

In: descriptions as `vocabulary` completes them, and the time. Out: what matches, in the order of registration. It
does no I/O and reads no clock. A search that names a service's type looks only at agents that have one of it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any

import msgspec

from caxton.platform_agents.vocabulary import OBJECTS, Json, Slot, agent_name

NEVER_US = 1 << 62


class Entry(msgspec.Struct, frozen=True):
    """One registration. Times are microseconds since 1970; `expires_us` is NEVER_US without a lease."""

    name: str
    description: Json
    registered_us: int
    expires_us: int = NEVER_US


class Directory:
    """The registrations of one platform."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        """By full agent name, the oldest registration first."""
        self._places: dict[str, int] = {}
        """By name: which registration it was, counted from the first."""
        self._last_place = 0
        self._by_type: dict[str, set[str]] = {}
        self._leases: list[tuple[int, str]] = []
        """A heap; what it says is compared with the entry, which may have changed since."""

    def put(self, entry: Entry) -> Entry | None:
        """Register or replace; what was there before. A replaced entry keeps its place."""
        before = self.entries.get(entry.name)
        if before is not None:
            self._unlist(before)
        else:
            self._last_place += 1
            self._places[entry.name] = self._last_place
        self.entries[entry.name] = entry
        for kind in types_of(entry.description):
            self._by_type.setdefault(kind, set()).add(entry.name)
        if entry.expires_us < NEVER_US:
            heapq.heappush(self._leases, (entry.expires_us, entry.name))
        return before

    def drop(self, name: str) -> Entry | None:
        """Take an entry out; None where there is none."""
        entry = self.entries.pop(name, None)
        if entry is not None:
            del self._places[name]
            self._unlist(entry)
        return entry

    def search(self, template: Json, most: int | None = None) -> list[Entry]:
        """What matches, at most so many."""
        found: list[Entry] = []
        # what most entries fail at, and five times as quick to see
        needed = template.keys() - {"lease-time"}
        for entry in self._candidates(template):
            if most is not None and len(found) >= most:
                break
            if needed <= entry.description.keys() and matches(
                "df-agent-description", template, entry.description
            ):
                found.append(entry)
        return found

    def next_expiry_us(self) -> int:
        """When the next lease ends; NEVER_US where none does."""
        leases = self._leases
        while leases and not self._is_current(*leases[0]):
            heapq.heappop(leases)
        return leases[0][0] if leases else NEVER_US

    def expire(self, now_us: int) -> list[Entry]:
        """Drop every entry whose lease is over, and return them."""
        gone: list[Entry] = []
        while self.next_expiry_us() <= now_us:
            entry = self.drop(heapq.heappop(self._leases)[1])
            assert entry is not None
            gone.append(entry)
        return gone

    def _is_current(self, expires_us: int, name: str) -> bool:
        entry = self.entries.get(name)
        return entry is not None and entry.expires_us == expires_us

    def _candidates(self, template: Json) -> Iterator[Entry]:
        name = template.get("name")
        if name is not None:
            entry = self.entries.get(agent_name(name))
            return iter(() if entry is None else (entry,))
        kinds = [self._by_type.get(kind, set[str]()) for kind in types_of(template)]
        if not kinds:
            return iter(self.entries.values())
        fewest = min(kinds, key=len)
        return iter([self.entries[name] for name in sorted(fewest, key=self._places.__getitem__)])

    def _unlist(self, entry: Entry) -> None:
        for kind in types_of(entry.description):
            named = self._by_type[kind]
            named.discard(entry.name)
            if not named:
                del self._by_type[kind]


def matches(of: str, template: Json, found: Json) -> bool:
    """Whether a description has everything that the template has; what the template leaves out may be anything.

    Sets match when each element of the template's matches one of the description's. Protocols, ontologies and
    languages are compared without regard to case. A `lease-time` matches a lease that lasts at least as long.
    """
    slots = OBJECTS[of]
    for key, wanted in template.items():
        slot, has = slots[key], found.get(key)
        if has is None:
            if slot is Slot.TIME:
                continue
            return False
        if not _fits(slot, wanted, has):
            return False
    return True


def _fits(slot: Slot, wanted: Any, has: Any) -> bool:
    match slot:
        case Slot.AGENT:
            return agent_name(wanted) == agent_name(has)
        case Slot.TEXTS:
            return {one.casefold() for one in wanted} <= {one.casefold() for one in has}
        case Slot.SERVICES:
            return all(any(matches("service-description", one, other) for other in has) for one in wanted)
        case Slot.PROPERTIES:
            return all(any(_is_property(one, other) for other in has) for one in wanted)
        case Slot.TIME:
            return bool(has >= wanted)
        case Slot.TEXT | Slot.INTEGER | Slot.VALUE:
            return bool(wanted == has)


def _is_property(wanted: Json, has: Json) -> bool:
    if wanted["name"] != has["name"]:
        return False
    return "value" not in wanted or ("value" in has and _same(wanted["value"], has["value"]))


def _same(wanted: Any, has: Any) -> bool:
    """Equal as JSON: true is not 1."""
    return isinstance(wanted, bool) == isinstance(has, bool) and bool(wanted == has)


def types_of(description: Json) -> frozenset[str]:
    """The types of the services that a description or a template names."""
    return frozenset(one["type"] for one in description.get("services", ()) if "type" in one)
