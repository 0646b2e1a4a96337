"""What a failure of the ams says: about whom, and whether a conversation has expired.

In: its content, ours or another platform's. Out: names as they are there; nothing where it cannot be read.
"""

from __future__ import annotations

import re
from typing import Any, cast

import msgspec

_AGENT_NAME = re.compile(r":name\s+\"?([^\s\"()]+)")


def named_agents(content: msgspec.Raw) -> list[str]:
    """The agents that a failure of the ams names: ours as a field, JADE's inside an MTS-error."""
    try:
        value: Any = msgspec.json.decode(content)
    except msgspec.DecodeError:
        return []
    if isinstance(value, str):
        _, found, rest = value.partition("MTS-error")
        return _AGENT_NAME.findall(rest) if found else []
    if not isinstance(value, dict):
        return []
    body = cast("dict[str, Any]", value)
    names: list[str] = []
    for key in ("receiver", "agent", "participant"):
        item = body.get(key)
        names += (
            [item] if isinstance(item, str) else cast("list[str]", item) if isinstance(item, list) else []
        )
    return [name for name in names if isinstance(name, str)]  # pyright: ignore[reportUnnecessaryIsInstance]


def has_expired(content: msgspec.Raw) -> bool:
    """Whether it says that the conversation has expired."""
    try:
        value: Any = msgspec.json.decode(content)
    except msgspec.DecodeError:
        return False
    return isinstance(value, dict) and cast("dict[str, Any]", value).get("error") == "expired"
