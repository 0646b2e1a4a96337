"""Agent identifiers in full (FIPA00023, 2.1): a name, the addresses it is reached at, who resolves it.

In: a name, or `{"name", "addresses", "resolvers", "x_…"}`. Out: an `AgentId`. The bus routes by name alone, so a
message on the bus names its agents by name and carries what else is known of them in `x_agents`, a list of such
objects; `gathered` takes it apart, `spread` puts it together again.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from caxton.acl.identifier import is_name
from caxton.acl.json_value import as_text, is_list, is_object, kind, refuse, with_spelled_numbers

AGENTS: Final = "x_agents"
RESOLVERS_DEPTH: Final = 8
X_KEY = re.compile(r"x_[A-Za-z0-9_.-]{1,64}")
X_RULE: Final = "x_ and 1 to 64 of A-Z a-z 0-9 _ . -"
_KEYS = ("name", "addresses", "resolvers")


@dataclass(frozen=True, slots=True)
class AgentId:
    """One agent identifier. Two with the same name are the same agent; `==` compares everything."""

    name: str
    addresses: tuple[str, ...] = ()
    """URLs, the preferred one first."""
    resolvers: tuple[AgentId, ...] = ()
    extensions: dict[str, str] = field(default_factory=dict[str, str])
    """Slots whose names begin with `x_`; values are compact JSON text."""

    def value(self) -> Any:
        """As JSON: the bare name where there is nothing else to say."""
        if not (self.addresses or self.resolvers or self.extensions):
            return self.name
        found: dict[str, Any] = {"name": self.name}
        if self.addresses:
            found["addresses"] = list(self.addresses)
        if self.resolvers:
            found["resolvers"] = [resolver.value() for resolver in self.resolvers]
        found.update({key: with_spelled_numbers(text) for key, text in self.extensions.items()})
        return found


def agent_id(value: Any, where: str, depth: int = RESOLVERS_DEPTH) -> AgentId:
    """Read a name or an object; `where` names the parameter.

    Raises InvalidMessage.
    """
    if isinstance(value, str):
        return AgentId(_name(value, where))
    if not is_object(value):
        refuse(f"{where} must be a name or an object with a name, this is {kind(value)}", None, field=where)
    extensions: dict[str, str] = {}
    for key, item in value.items():
        if key in _KEYS:
            continue
        if X_KEY.fullmatch(key) is None:
            near = difflib.get_close_matches(key, _KEYS, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(_KEYS)}, and {X_RULE}"
            refuse(f"{where}: an agent identifier has no field {key[:80]!r}", hint, field=where)
        extensions[key] = as_text(item)
    name = value.get("name")
    if not isinstance(name, str):
        refuse(f"{where}: an agent identifier has a name", '{"name": "bob@there", …}', field=where)
    addresses = _items(value.get("addresses"), f"{where}: addresses", where)
    for address in addresses:
        if not isinstance(address, str) or not is_name(address):
            refuse(f"{where}: {str(address)[:80]!r} is not an address", "a URL without spaces", field=where)
    resolvers = _items(value.get("resolvers"), f"{where}: resolvers", where)
    if resolvers and depth == 0:
        refuse(f"{where}: resolvers are nested deeper than {RESOLVERS_DEPTH}", None, field=where)
    return AgentId(
        _name(name, where),
        tuple(map(str, addresses)),
        tuple(agent_id(item, where, depth - 1) for item in resolvers),
        extensions,
    )


def gathered(agents: Iterable[AgentId]) -> list[Any]:
    """What is known of these agents beyond their names, as the value of `x_agents`; of each name once."""
    found: dict[str, Any] = {}
    for agent in agents:
        value = agent.value()
        if not isinstance(value, str):
            found.setdefault(agent.name, value)
    return list(found.values())


def spread(agents: Iterable[AgentId], known: Iterable[AgentId]) -> tuple[list[AgentId], list[AgentId]]:
    """The agents with what is known of them filled in where they have a name only, and what fitted nobody.

    A bare local name also fits the only agent of that local name, as the bus completes names.
    """
    found = list(agents)
    left: list[AgentId] = []
    for item in known:
        plain = [n for n, agent in enumerate(found) if isinstance(agent.value(), str)]
        fits = [n for n in plain if found[n].name == item.name]
        if not fits and "@" not in item.name:
            fits = [n for n in plain if found[n].name.partition("@")[0] == item.name]
            if len({found[n].name for n in fits}) > 1:
                fits = []
        if not fits or isinstance(item.value(), str):
            left.append(item)
        for n in fits:
            found[n] = replace(item, name=found[n].name)
    return found, left


def _name(text: str, where: str) -> str:
    if not is_name(text):
        refuse(f"{where} {text[:80]!r} is not an agent name", "1 to 1,024 characters, no spaces", field=where)
    return text


def _items(value: Any, what: str, where: str) -> list[Any]:
    if value is None:
        return []
    if not is_list(value):
        refuse(f"{what} must be a list, this is {kind(value)}", None, field=where)
    return value
