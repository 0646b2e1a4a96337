"""The words of agent management (FIPA00023, 6): descriptions, what they may say, and the exceptions with their names.

In: a description as somebody wrote it, in JSON or taken out of SL0. Out: the same with FIPA's spelling of every key,
full agent names, absolute times and lists; or `Declined` with the exception that FIPA has for it. Templates of a
search are descriptions in which everything may be missing.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

from caxton.acl import Performative
from caxton.acl.agent_id import AgentId, agent_id
from caxton.acl.json_value import is_list, is_object, kind
from caxton.acl.reply_by import reply_by_time
from caxton.errors import InvalidMessage

Json = dict[str, Any]
"""A description: a JSON object with FIPA's keys."""

ONTOLOGY: Final = "fipa-agent-management"
TEXT_MAX: Final = 1024
ITEMS_MAX: Final = 256
"""The most elements of one set."""


class Slot(Enum):
    """What a parameter of a description holds."""

    TEXT = auto()
    AGENT = auto()
    TEXTS = auto()
    SERVICES = auto()
    PROPERTIES = auto()
    TIME = auto()
    INTEGER = auto()
    VALUE = auto()


_SETS: Final = {"protocols": Slot.TEXTS, "ontologies": Slot.TEXTS, "languages": Slot.TEXTS}
OBJECTS: Final[Mapping[str, Mapping[str, Slot]]] = {
    "ams-agent-description": {
        "name": Slot.AGENT,
        "ownership": Slot.TEXT,
        "state": Slot.TEXT,
        "maker": Slot.AGENT,
    },
    "caxton-agent-description": {
        "name": Slot.AGENT,
        "prefix": Slot.TEXT,
        "like": Slot.TEXT,
        "settings": Slot.VALUE,
        "limits": Slot.VALUE,
        "linked": Slot.VALUE,
        "may": Slot.TEXTS,
        "on-failure": Slot.TEXT,
        "restarts": Slot.INTEGER,
        "within-s": Slot.INTEGER,
    },
    "df-agent-description": {
        "name": Slot.AGENT,
        "services": Slot.SERVICES,
        **_SETS,
        "lease-time": Slot.TIME,
        "scope": Slot.TEXTS,
        "state": Slot.TEXT,
    },
    "service-description": {
        "name": Slot.TEXT,
        "type": Slot.TEXT,
        **_SETS,
        "ownership": Slot.TEXT,
        "properties": Slot.PROPERTIES,
    },
    "property": {"name": Slot.TEXT, "value": Slot.VALUE},
    "search-constraints": {
        "max-depth": Slot.INTEGER,
        "max-results": Slot.INTEGER,
        "search-id": Slot.TEXT,
    },
}
"""FIPA's object descriptions and their parameters. Ours are the agent to be made, `state` of a df-agent-description and
`maker` of an ams-agent-description."""


@dataclass(frozen=True, slots=True)
class Function:
    """What a platform agent can be asked to do: the object that it takes, and whether it must be given."""

    takes: str | None = None
    needs: bool = True
    constraints: bool = False
    flat: bool = False
    """Whether JSON may have the description's parameters beside `action`."""


@dataclass(frozen=True, slots=True)
class ManagementRequest:
    """One function with its arguments, read and checked; `of` is FIPA's name for what `description` is."""

    action: str
    of: str = ""
    description: Json | None = None
    constraints: Json | None = None


class Declined(Exception):
    """A wish that is not granted: the act that says so, FIPA's name for the reason, its arguments, one sentence."""

    def __init__(
        self, act: Performative, error: str, *arguments: str, reason: str, hint: str | None = None
    ) -> None:
        super().__init__(reason)
        self.act = act
        self.error = error
        self.arguments = arguments
        self.reason = reason
        self.hint = hint


def not_understood(error: str, argument: str, reason: str, hint: str | None = None) -> Declined:
    """The message itself is not understood: `unsupported-act`, `unsupported-value`, `unrecognised-value`."""
    return Declined(Performative.NOT_UNDERSTOOD, error, argument, reason=reason, hint=hint)


def refused(error: str, *arguments: str, reason: str, hint: str | None = None) -> Declined:
    """What is asked for is not done, because of who asks, or because of what is missing or too much."""
    return Declined(Performative.REFUSE, error, *arguments, reason=reason, hint=hint)


def failed(error: str, *arguments: str, reason: str, hint: str | None = None) -> Declined:
    """It was tried: `already-registered`, `not-registered`, `internal-error`."""
    return Declined(Performative.FAILURE, error, *arguments, reason=reason, hint=hint)


def unauthorised(reason: str, hint: str | None = None) -> Declined:
    """Who asks may not do that."""
    return refused("unauthorised", reason=reason, hint=hint)


@dataclass(frozen=True, slots=True)
class Reading:
    """What it takes to complete a description: this platform's name, and the time from which durations count."""

    platform: str
    now_us: int

    def wish(
        self, functions: Mapping[str, Function], action: str, arguments: list[tuple[str, Any]]
    ) -> ManagementRequest:
        """A function with the objects that it was given, each with its FIPA name.

        Raises Declined.
        """
        function = functions.get(action)
        if function is None:
            raise refused(
                "unsupported-function",
                action,
                reason=f"there is no function {action[:80]!r} here",
                hint=f"there are: {', '.join(functions)}",
            )
        allowed = [function.takes] if function.takes else []
        if function.constraints:
            allowed.append("search-constraints")
        if len(arguments) > len(allowed):
            raise refused(
                "unexpected-argument-count",
                reason=f"{action} takes {len(allowed)} arguments, these are {len(arguments)}",
                hint=f"it takes: {', '.join(allowed)}" if allowed else None,
            )
        found: dict[str, Json] = {}
        for name, value in arguments:
            if name not in allowed or name in found:
                raise refused(
                    "unexpected-argument", name, reason=f"{action} takes no {name}", hint=", ".join(allowed)
                )
            found[name] = self.description(name, value)
        if function.takes and function.takes not in found:
            if function.needs:
                raise refused("missing-argument", reason=f"{action} needs a {function.takes}")
            found[function.takes] = {}
        of = function.takes or ""
        return ManagementRequest(action, of, found.get(of), found.get("search-constraints"))

    def description(self, of: str, value: Any) -> Json:
        """One object description, checked and completed; `of` is its FIPA name.

        Raises Declined.
        """
        if not is_object(value):
            raise refused(
                "unrecognised-parameter-value",
                of,
                _shown(value),
                reason=f"a {of} is an object, this is {kind(value)}",
            )
        slots, found = OBJECTS[of], Json()
        for written, item in value.items():
            key = written.lower().replace("_", "-")
            slot = slots.get(key)
            if slot is None:
                near = difflib.get_close_matches(key, slots, 1)
                raise refused(
                    "unexpected-parameter",
                    of,
                    written[:80],
                    reason=f"a {of} has no parameter {written[:80]!r}",
                    hint=f"did you mean {near[0]!r}?" if near else f"it has {', '.join(slots)}",
                )
            if key in found:
                raise refused("unexpected-parameter", of, key, reason=f"{key} stands twice in the {of}")
            if item is not None:
                found[key] = self._value(slot, key, item)
        return found

    def _value(self, slot: Slot, key: str, item: Any) -> Any:
        match slot:
            case Slot.TEXT:
                return _text(key, item)
            case Slot.AGENT:
                return self._agent(key, item)
            case Slot.TEXTS:
                items = item if is_list(item) else [item]
                return [_text(key, one) for one in _few(key, items)]
            case Slot.SERVICES:
                items = item if is_list(item) else [item]
                return [self.description("service-description", one) for one in _few(key, items)]
            case Slot.PROPERTIES:
                return [self._property(one) for one in _few(key, _pairs(item))]
            case Slot.TIME:
                return self._time(key, item)
            case Slot.INTEGER:
                if isinstance(item, int) and not isinstance(item, bool):
                    return item
                raise _unrecognised(key, item, "a whole number")
            case Slot.VALUE:
                return item

    def _property(self, item: Any) -> Json:
        found = self.description("property", item)
        if "name" not in found:
            raise refused("missing-parameter", "property", "name", reason="a property needs a name")
        return found

    def _agent(self, key: str, item: Any) -> Any:
        """The agent's name, in full; an object where more is known of it than that."""
        try:
            agent = agent_id(item, key)
        except InvalidMessage as error:
            raise _unrecognised(key, item, "an agent identifier", error.message) from None
        name = agent.name if "@" in agent.name else f"{agent.name}@{self.platform}"
        return AgentId(name, agent.addresses, agent.resolvers, agent.extensions).value()

    def _time(self, key: str, item: Any) -> str:
        if isinstance(item, str):
            try:
                return reply_by_time(item, self.now_us)
            except InvalidMessage:
                pass
        raise _unrecognised(key, item, "an RFC 3339 time with an offset, or a duration such as 5m")


def agent_name(value: Any) -> str:
    """The full name in what a description has as an agent."""
    name: str = value if isinstance(value, str) else value["name"]
    return name


def missing(of: str, key: str, action: str) -> Declined:
    """The exception for a parameter that a function needs."""
    return refused("missing-parameter", of, key, reason=f"{action} needs the {key} in its {of}")


def _text(key: str, item: Any) -> str:
    if isinstance(item, str) and 0 < len(item) <= TEXT_MAX:
        return item
    raise _unrecognised(key, item, f"a text of 1 to {TEXT_MAX:,} characters")


def _few(key: str, items: list[Any]) -> list[Any]:
    if len(items) > ITEMS_MAX:
        raise _unrecognised(key, f"{len(items)} elements", f"at most {ITEMS_MAX} elements")
    return items


def _pairs(item: Any) -> list[Any]:
    """Properties as FIPA has them, a list of name and value; a plain object is taken as well."""
    if is_list(item):
        return item
    if is_object(item) and (not item or not {"name", "value"} >= set(item)):
        return [{"name": name, "value": value} for name, value in item.items()]
    return [item]


def _unrecognised(key: str, item: Any, wanted: str, why: str | None = None) -> Declined:
    return refused(
        "unrecognised-parameter-value",
        key,
        _shown(item),
        reason=why or f"{key} must be {wanted}, this is {kind(item)}",
        hint=wanted if why else None,
    )


def _shown(value: Any) -> str:
    return value[:80] if isinstance(value, str) else kind(value)
