"""What a token that holds for some agents only is shown of an answer, and which agents a body names.

In: plain JSON. Out: the same without the objects that name no agent within reach; what names none is left out, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from caxton.access.principal import Principal

_LISTS = ("items", "replies", "held", "branches")
"""Fields of an answer whose objects are judged one by one."""
_OTHERWISE = {"held": ("message.sender", "message.receiver"), "branches": ("participant",)}
"""Where the objects of a list have their names, if not where the route's permission says."""


def named(value: object, names: Sequence[str]) -> Iterator[str]:
    """The agents that stand in those fields; an agent is a name, an object with a `name`, or a list of them."""
    for path in names:
        found: Any = value
        for part in path.split("."):
            found = cast("dict[str, Any]", found).get(part) if isinstance(found, dict) else None
        yield from _agents(found)


def narrowed(body: object, names: Sequence[str], principal: Principal) -> object | None:
    """The answer as that principal may see it; None where nothing of it is within reach."""
    if not isinstance(body, dict):
        return None
    answer = cast("dict[str, Any]", body)
    lists = {key: answer[key] for key in _LISTS if isinstance(answer.get(key), list)}
    if not lists:
        return answer if principal.reaches_any(named(answer, names)) else None
    kept = {
        key: [one for one in many if principal.reaches_any(named(one, _OTHERWISE.get(key, names)))]
        for key, many in lists.items()
    }
    members = named(answer, ("initiator", "participants"))
    if "participants" in answer and not any(kept.values()) and not principal.reaches_any(members):
        return None
    return {**answer, **kept}


def _agents(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case {"name": str(name)}:
            yield name
        case list():
            for one in value:  # pyright: ignore[reportUnknownVariableType]
                yield from _agents(one)
        case _:
            pass
