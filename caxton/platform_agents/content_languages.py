"""The two content languages in which `ams` and `df` are spoken to and answer: JSON, and FIPA SL0.

In: the content of a message. Out: a `ManagementRequest`; and the content of each answer to it, in the language of the
question. JSON:

    {"action": "search", "description": {"services": [{"type": "bookselling"}]}, "constraints": {"max-results": 5}}

SL0, as a string, with `language` fipa-sl0 or none:

    ((action (agent-identifier :name df@local)
       (search (df-agent-description :services (set (service-description :type bookselling)))
               (search-constraints :max-results 5))))
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol, cast

from caxton import exact_numbers
from caxton.acl import Message, Performative
from caxton.acl.date_time import date_time_of, reply_by_of
from caxton.acl.json_value import is_object, kind
from caxton.acl.sl0 import Expression, Moment, Term, Word, read_sl0, word_or_text, write_sl0
from caxton.errors import InvalidMessage
from caxton.platform_agents.vocabulary import (
    OBJECTS,
    Declined,
    Function,
    Json,
    ManagementRequest,
    Reading,
    Slot,
    not_understood,
    refused,
)

_JSON_NAMES: Final = frozenset({"json", "application/json"})
_SL_NAMES: Final = frozenset({"fipa-sl", "fipa-sl0", "fipa-sl1", "fipa-sl2"})
_EXAMPLE: Final = 'content {"action": "search", "description": {"name": "ann"}}'


class ContentLanguage(Protocol):
    """How a question is read and its answers are written."""

    def read(self, content: Any, functions: Mapping[str, Function], reading: Reading) -> ManagementRequest:
        """The wish in the content of a request or a subscribe; raises Declined."""
        ...

    def done(self, wish: ManagementRequest, description: Json | None) -> object:
        """It was done; `description` is what is on record now, where that may differ from what was asked."""
        ...

    def result(self, wish: ManagementRequest, of: str, found: list[Json]) -> object:
        """What was found; `of` names what kind of objects they are."""
        ...

    def notice(self, wish: ManagementRequest, of: str, found: list[Json], change: Json | None) -> object:
        """What a subscription's search finds now, and what changed that."""
        ...

    def declined(self, act: Performative, wish: ManagementRequest | None, declined: Declined) -> object:
        """Why not; `act` is what was said, `wish` is None where it could not be read."""
        ...


def content_language_of(message: Message, agent: str) -> ContentLanguage:
    """The form in which a message speaks to that agent; Declined for a language that neither is."""
    language = (message.language or "").lower()
    if language in _SL_NAMES:
        return Sl0Content(agent)
    if language and language not in _JSON_NAMES:
        raise not_understood(
            "unsupported-value",
            "language",
            f"{agent} does not speak {message.language!r}",
            "language json, or fipa-sl0 with the content as a string",
        )
    if not language and bytes(message.content).startswith((b'"(', b'" ')):
        return Sl0Content(agent)
    return JSON


class JsonContent:
    """Content as JSON objects with FIPA's vocabulary; keys in FIPA's spelling or with `_` for `-`."""

    def read(self, content: Any, functions: Mapping[str, Function], reading: Reading) -> ManagementRequest:
        """`{"action": …, "description": {…}, "constraints": {…}}`."""
        if not is_object(content):
            raise not_understood(
                "unrecognised-value", "content", f"the content is {kind(content)}, not a wish", _EXAMPLE
            )
        said = {key.lower().replace("_", "-"): value for key, value in content.items()}
        action = said.pop("action", None)
        if not isinstance(action, str):
            raise not_understood("unrecognised-value", "content", "the content has no action", _EXAMPLE)
        function = functions.get(action)
        if function is not None and function.flat and "description" not in said:
            said = {"description": said} if said else {}
        names = {"constraints": "search-constraints"}
        if function is not None and function.takes:
            names["description"] = function.takes
        arguments = [(names.get(key, key), value) for key, value in said.items() if value is not None]
        return reading.wish(functions, action, arguments)

    def done(self, wish: ManagementRequest, description: Json | None) -> object:
        """`{"action": …, "done": true}`."""
        found = {"action": wish.action, "done": True}
        return found if description is None else {**found, "description": description}

    def result(self, wish: ManagementRequest, of: str, found: list[Json]) -> object:
        """`{"action": …, "result": […]}`; a platform's description is one object."""
        return {"action": wish.action, "result": found[0] if of == "ap-description" else found}

    def notice(self, wish: ManagementRequest, of: str, found: list[Json], change: Json | None) -> object:
        """A result with `change`, which the first notice has not."""
        said = {"action": wish.action, "result": found}
        return said if change is None else {**said, "change": change}

    def declined(self, act: Performative, wish: ManagementRequest | None, declined: Declined) -> object:
        """FIPA's name for the exception as `error`, its arguments, and a sentence."""
        said: Json = {"error": declined.error, "arguments": list(declined.arguments)}
        said |= {"reason": declined.reason, "hint": declined.hint, "act": act}
        return said if wish is None else {"action": wish.action, **said}


class Sl0Content:
    """Content as a string in FIPA SL0; `agent` is who is spoken to."""

    def __init__(self, agent: str) -> None:
        self._actor = _agent(agent)

    def read(self, content: Any, functions: Mapping[str, Function], reading: Reading) -> ManagementRequest:
        """`((action …))`, or the `((iota ?x (result (action …) ?x)))` of a subscription."""
        if not isinstance(content, str):
            raise not_understood(
                "unrecognised-value", "content", f"SL0 is a string, the content is {kind(content)}"
            )
        try:
            expressions = read_sl0(content)
        except InvalidMessage as error:
            raise not_understood("unrecognised-value", "content", error.message, error.hint) from None
        found = expressions[0]
        if isinstance(found, Term) and found.named("iota") and len(found.arguments) == 2:
            found = found.arguments[1]
        if isinstance(found, Term) and found.named("result") and found.arguments:
            found = found.arguments[0]
        if len(expressions) != 1 or not (
            isinstance(found, Term) and found.named("action") and len(found.arguments) == 2
        ):
            raise not_understood(
                "unrecognised-value", "content", "expected one (action <agent> (<function> …))"
            )
        function = found.arguments[1]
        if isinstance(function, Word):
            function = Term(function.text)
        if not isinstance(function, Term) or function.parameters:
            raise not_understood("unrecognised-value", "content", "an action is (<function> <object> …)")
        arguments: list[tuple[str, Any]] = []
        for item in function.arguments:
            name = item.symbol.lower() if isinstance(item, Term) else "constant"
            arguments.append((name, _plain(item)))
        return reading.wish(functions, function.symbol.lower(), arguments)

    def done(self, wish: ManagementRequest, description: Json | None) -> object:
        """`((done (action …)))`."""
        return write_sl0([Term("done", (self._action(wish),))])

    def result(self, wish: ManagementRequest, of: str, found: list[Json]) -> object:
        """`((result (action …) (sequence …)))`."""
        return write_sl0([Term("result", (self._action(wish), _sequence(of, found)))])

    def notice(self, wish: ManagementRequest, of: str, found: list[Json], change: Json | None) -> object:
        """`((= (iota ?x (result (action …) ?x)) (sequence …)))`; a sequence says nothing of what changed."""
        one = Word("?x")
        asked = Term("iota", (one, Term("result", (self._action(wish), one))))
        return write_sl0([Term("=", (asked, _sequence(of, found)))])

    def declined(self, act: Performative, wish: ManagementRequest | None, declined: Declined) -> object:
        """`((action …) (<exception> …))`; the sentence stands in the message's `x_reason`."""
        why: Expression = Term(declined.error, tuple(word_or_text(one) for one in declined.arguments))
        if not declined.arguments:
            why = Word(declined.error)
        return write_sl0([why] if wish is None else [self._action(wish), why])

    def _action(self, wish: ManagementRequest) -> Term:
        arguments: list[Expression] = []
        if wish.description is not None:
            arguments.append(_object(wish.of, wish.description))
        if wish.constraints is not None:
            arguments.append(_object("search-constraints", wish.constraints))
        return Term("action", (self._actor, Term(wish.action, tuple(arguments))))


JSON: Final = JsonContent()


def _plain(expression: Expression) -> Any:
    """An SL0 value as JSON has it; Declined for a date-time that means nothing."""
    match expression:
        case Word():
            return expression.text
        case Moment():
            try:
                return reply_by_of(expression.token)
            except ValueError as error:
                raise refused(
                    "unrecognised-parameter-value", "lease-time", expression.token, reason=str(error)
                ) from None
        case Term():
            if expression.named("set") or expression.named("sequence"):
                return [_plain(one) for one in expression.arguments]
            if expression.named("property"):
                return {name: _property_value(value) for name, value in expression.parameters}
            if expression.arguments:
                # a function of something: it has no other form than its text
                return write_sl0([expression])[1:-1]
            return {name: _plain(value) for name, value in expression.parameters}
        case _:
            return expression


def _property_value(expression: Expression) -> Any:
    match expression:
        case Word("true") | Word("false"):
            return expression.text == "true"
        case _:
            return _plain(expression)


def _sequence(of: str, found: list[Json]) -> Term:
    return Term("sequence", tuple(_object(of, one) for one in found))


def _object(of: str, description: Json) -> Term:
    slots = OBJECTS.get(of, _PLATFORM.get(of, {}))
    pairs = ((key, _expression(slots[key], key, value)) for key, value in description.items())
    return Term(of, (), tuple(pairs))


def _expression(slot: Slot | str, key: str, value: Any) -> Expression:
    match slot:
        case Slot.AGENT:
            return _agent(value)
        case Slot.TEXTS:
            return Term("set", tuple(word_or_text(one) for one in value))
        case Slot.SERVICES:
            return Term("set", tuple(_object("service-description", one) for one in value))
        case Slot.PROPERTIES:
            return Term("set", tuple(_object("property", one) for one in value))
        case Slot.TIME:
            return Moment(date_time_of(value))
        case Slot.INTEGER:
            return cast("int", value)
        case Slot.VALUE:
            return _value(value)
        case Slot.TEXT:
            return word_or_text(value)
        case str():
            return Term("sequence", tuple(_object(slot, one) for one in value))


def _value(value: Any) -> Expression:
    """A property's value; what SL0 has no word for is its JSON text."""
    if isinstance(value, bool):
        return Word("true" if value else "false")
    if isinstance(value, str):
        return value if value in ("true", "false") else word_or_text(value)
    if isinstance(value, int | float):
        return value
    return exact_numbers.encode(value).decode()


def _agent(value: Any) -> Term:
    """An agent identifier with its addresses."""
    name = value if isinstance(value, str) else value["name"]
    parameters: list[tuple[str, Expression]] = [("name", word_or_text(name))]
    if not isinstance(value, str) and value.get("addresses"):
        addresses = tuple(word_or_text(one) for one in value["addresses"])
        parameters.append(("addresses", Term("sequence", addresses)))
    return Term("agent-identifier", (), tuple(parameters))


_PLATFORM: Final[Mapping[str, Mapping[str, Slot | str]]] = {
    "ap-description": {"name": Slot.TEXT, "ap-services": "ap-service"},
    "ap-service": {"name": Slot.TEXT, "type": Slot.TEXT, "addresses": Slot.TEXTS},
}
"""What `get-description` answers; nobody writes it to us. A name in place of a slot: a sequence of such objects."""
