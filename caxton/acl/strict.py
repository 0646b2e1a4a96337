"""The strict reader: every rule of a message as JSON, checked one by one, with words for each.

In: bytes. Out: the known fields of a draft, or `InvalidMessage`. It is slow (tens of microseconds) and only sees
what the quick reader could not vouch for. Agents may be given as objects with addresses and resolvers here; a draft
names them by name and carries the rest in `x_agents`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any, Final

import msgspec

from caxton.acl.agent_id import AGENTS, X_KEY, X_RULE, agent_id, gathered
from caxton.acl.identifier import RULE, is_agent_name
from caxton.acl.json_value import (
    DEPTH,
    as_text,
    is_list,
    is_object,
    kind,
    read_value,
    refuse,
    with_spelled_numbers,
)
from caxton.acl.performative import Performative

__all__ = ["DEPTH", "TEXTS", "TEXT_MAX", "check_text", "performative_of", "read_fields", "read_object"]

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


def read_fields(line: bytes) -> dict[str, Any]:
    """The fields of one message as a draft has them; `content` and the `x_…` parameters stay raw JSON.

    Raises InvalidMessage naming the field, the rule and the remedy.
    """
    value, raw = read_object(line, is_agent_name)
    fields: dict[str, Any] = {
        key: item for key, item in value.items() if key in TEXTS or key in NAMES or key == "performative"
    }
    extensions = {key: raw[key] for key in value if key.startswith("x_")}
    if _has_objects(value):
        known = {
            key: with_spelled_numbers(bytes(raw[key])) for key in ("sender", *sorted(NAMES)) if key in raw
        }
        agents = {
            key: [agent_id(one, key) for one in (item if is_list(item) else [item])]
            for key, item in known.items()
            if item is not None
        }
        for key, found in agents.items():
            fields[key] = found[0].name if key == "sender" else [one.name for one in found]
        details = gathered(one for found in agents.values() for one in found)
        before = with_spelled_numbers(bytes(extensions.get(AGENTS, b"[]")))
        if details:
            more = before if is_list(before) else []
            extensions[AGENTS] = msgspec.Raw(as_text(details + more).encode())
    if "content" in raw:
        fields["content"] = raw["content"]
    if extensions:
        fields["x_"] = extensions
    return fields


def read_object(line: bytes, is_name: Callable[[str], bool]) -> tuple[dict[str, Any], dict[str, msgspec.Raw]]:
    """A message whose every field keeps the rules, as it was written: its values, and their raw JSON.

    `is_name` says which names may stand for agents. Raises InvalidMessage.
    """
    value = read_value(line)
    if not is_object(value):
        refuse(f"a message is a JSON object, this is {kind(value)}", 'e.g. {"performative": "request", …}')
    _check(value, is_name)
    return value, msgspec.json.decode(line, type=dict[str, msgspec.Raw])


def performative_of(name: object) -> Performative:
    """The act of that name, in lower case as FIPA writes it; InvalidMessage for what is none."""
    if not isinstance(name, str) or name not in ACTS:
        acts = sorted(ACTS)
        near = difflib.get_close_matches(str(name), acts, 1)
        hint = f"did you mean {near[0]!r}?" if near else "one of " + ", ".join(acts)
        refuse(f"{str(name)[:80]!r} is not a FIPA performative", hint, field="performative")
    return Performative(name)


def check_text(key: str, item: str) -> None:
    """Whether a parameter may have that text; InvalidMessage where not."""
    if "\0" in item:
        refuse(f"{key} has a NUL character", "leave it out: databases end a text there", field=key)
    if len(item) > TEXT_MAX:
        refuse(f"{key} is longer than {TEXT_MAX} characters", "put long text into content", field=key)


def _check(value: dict[str, Any], is_name: Callable[[str], bool]) -> None:
    for key in value:
        if key in KNOWN:
            continue
        if key.startswith("x_"):
            if X_KEY.fullmatch(key) is None:
                refuse(f"{key[:80]!r} is not a parameter name", X_RULE, field=key[:80])
            continue
        near = difflib.get_close_matches(key.replace("-", "_"), KNOWN, 1)
        hint = f"did you mean {near[0]!r}?" if near else "a parameter of your own begins with x_"
        refuse(f"a message has no field {key[:80]!r}", hint, field=key[:80])
    performative = value.get("performative")
    if performative is None:
        refuse("the message has no performative", 'add e.g. "performative": "request"', field="performative")
    performative_of(performative)
    for key in TEXTS:
        item = value.get(key)
        if item is None:
            continue
        if not isinstance(item, str):
            if key == "sender" and is_object(item):
                continue
            refuse(f"{key} must be a string, this is {kind(item)}", None, field=key)
        check_text(key, item)
    _check_agent("sender", value.get("sender"), is_name)
    for key in NAMES:
        _check_names(key, value.get(key), is_name)


def _check_names(key: str, item: Any, is_name: Callable[[str], bool]) -> None:
    if item is None:
        return
    if not (isinstance(item, str) or is_list(item) or is_object(item)):
        refuse(f"{key} must be a name or a list of names, this is {kind(item)}", None, field=key)
    agents = item if is_list(item) else [item]
    if not agents:
        refuse(f"{key} is an empty list", "name at least one agent, or leave it out", field=key)
    for agent in agents:
        _check_agent(key, agent, is_name)


def _check_agent(key: str, item: Any, is_name: Callable[[str], bool]) -> None:
    if item is None and key == "sender":
        return
    name = agent_id(item, key).name if is_object(item) else item
    if not isinstance(name, str) or not is_name(name):
        refuse(f"{key} {str(name)[:80]!r} is not an agent name", RULE, field=key)


def _has_objects(value: dict[str, Any]) -> bool:
    for key in ("sender", *NAMES):
        item = value.get(key)
        items = item if is_list(item) else [item]
        if any(is_object(one) for one in items):
            return True
    return False
