"""The strict reader: every rule of a message as JSON, checked one by one, with words for each.

In: bytes. Out: the known fields of a draft, or `InvalidMessage`. It is slow (tens of microseconds) and only sees
what the quick reader could not vouch for.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from typing import Any, Final, NoReturn, TypeGuard, cast

import msgspec

from caxton.acl.identifier import RULE, is_agent_name
from caxton.acl.performative import Performative
from caxton.errors import InvalidMessage

DEPTH: Final = 64
NAMES: Final = frozenset({"receiver", "reply_to"})
TEXTS: Final = frozenset(
    {
        "sender",
        "conversation_id",
        "protocol",
        "reply_with",
        "in_reply_to",
        "reply_by",
        "language",
        "encoding",
        "ontology",
    }
)
HOSTS_OWN: Final = frozenset({"id", "timestamp", "trace_id", "span_id", "redelivered"})
"""Set by the host; from anybody else they are ignored, so that a message can be sent again as it was shown."""
KNOWN: Final = NAMES | TEXTS | HOSTS_OWN | {"performative", "content"}
ACTS: Final = frozenset(act.value for act in Performative)
TEXT_MAX: Final = 1024
_X_KEY = re.compile(r"x_[A-Za-z0-9_.-]{1,64}")
_STRUCTURE = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)


def read_fields(line: bytes) -> dict[str, Any]:
    """The fields of one message; `content` and the `x_…` parameters stay raw JSON.

    Raises InvalidMessage naming the field, the rule and the remedy.
    """
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse(
            f"the message is not valid UTF-8: byte {error.start} is {line[error.start]:#04x}", "send UTF-8"
        )
    _check_depth(line)
    try:
        value = json.loads(
            text, object_pairs_hook=_no_doubles, parse_constant=_no_constant, parse_float=_finite
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        _refuse(
            f"the message is not JSON: {error.msg} at {where}", "a message is one JSON object", at=error.pos
        )
    except ValueError as error:
        if isinstance(error, InvalidMessage):
            raise
        _refuse("a number in the message has too many digits", "use fewer than 4,300 digits, or a string")
    if not _is_object(value):
        _refuse(f"a message is a JSON object, this is {_kind(value)}", 'e.g. {"performative": "request", …}')
    _no_surrogates(text)
    _check(value)
    raw = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    fields: dict[str, Any] = {
        key: item for key, item in value.items() if key in TEXTS or key in NAMES or key == "performative"
    }
    if "content" in raw:
        fields["content"] = raw["content"]
    extensions = {key: raw[key] for key in value if key.startswith("x_")}
    if extensions:
        fields["x_"] = extensions
    return fields


def _check(value: dict[str, Any]) -> None:
    for key in value:
        if key in KNOWN:
            continue
        if key.startswith("x_"):
            if _X_KEY.fullmatch(key) is None:
                _refuse(
                    f"{key[:80]!r} is not a parameter name",
                    "x_ and 1 to 64 of A-Z a-z 0-9 _ . -",
                    field=key[:80],
                )
            continue
        near = difflib.get_close_matches(key.replace("-", "_"), KNOWN, 1)
        hint = f"did you mean {near[0]!r}?" if near else "a parameter of your own begins with x_"
        _refuse(f"a message has no field {key[:80]!r}", hint, field=key[:80])
    performative = value.get("performative")
    if performative is None:
        _refuse("the message has no performative", 'add e.g. "performative": "request"', field="performative")
    if not isinstance(performative, str) or performative not in ACTS:
        acts = sorted(ACTS)
        near = difflib.get_close_matches(str(performative), acts, 1)
        hint = f"did you mean {near[0]!r}?" if near else "one of " + ", ".join(acts)
        _refuse(f"{str(performative)[:80]!r} is not a FIPA performative", hint, field="performative")
    for key in TEXTS:
        item = value.get(key)
        if item is None:
            continue
        if not isinstance(item, str):
            _refuse(f"{key} must be a string, this is {_kind(item)}", None, field=key)
        if "\0" in item:
            _refuse(f"{key} has a NUL character", "leave it out: databases end a text there", field=key)
        if len(item) > TEXT_MAX:
            _refuse(f"{key} is longer than {TEXT_MAX} characters", "put long text into content", field=key)
    sender = value.get("sender")
    if sender is not None and not is_agent_name(sender):
        _refuse(f"sender {sender[:80]!r} is not an agent name", RULE, field="sender")
    for key in NAMES:
        _check_names(key, value.get(key))


def _check_names(key: str, item: Any) -> None:
    if item is None:
        return
    if not isinstance(item, str | list):
        _refuse(f"{key} must be a name or a list of names, this is {_kind(item)}", None, field=key)
    names = [item] if isinstance(item, str) else cast("list[Any]", item)
    if not names:
        _refuse(f"{key} is an empty list", "name at least one agent, or leave it out", field=key)
    for name in names:
        if not isinstance(name, str) or not is_agent_name(name):
            _refuse(f"{key} {str(name)[:80]!r} is not an agent name", RULE, field=key)


def _check_depth(line: bytes) -> None:
    depth = 0
    for found in _STRUCTURE.finditer(line):
        first = line[found.start()]
        if first in b"[{":
            depth += 1
            if depth > DEPTH:
                _refuse(f"the message is nested deeper than {DEPTH}", "flatten the content", at=found.start())
        elif first in b"]}":
            depth -= 1


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                _refuse(
                    f"the key {key[:80]!r} stands twice in one object", "keep one of them", field=key[:80]
                )
            seen.add(key)
    return found


def _no_constant(name: str) -> NoReturn:
    _refuse(f"{name} is not JSON", "use null or a string")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        _refuse(f"the number {digits[:40]} is too large", "use a string")
    return number


def _no_surrogates(text: str) -> None:
    if "\\u" not in text and "\\U" not in text:
        return
    try:
        json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        _refuse(
            "the message has half of a surrogate pair (\\ud800 to \\udfff alone)", "send whole characters"
        )


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "an object"


def _refuse(message: str, hint: str | None, **details: Any) -> NoReturn:
    raise InvalidMessage(message, hint=hint, **details)
