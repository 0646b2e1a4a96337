"""What an expectation has to say for what is so now.

In: an expectation that is not met, and the host. Out: by key the new value, None for a key that can say nothing any
more. What holds stays as it is written, and so does its form: bounds stay bounds, masks stay masks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from msgspec import UNSET

from caxton.scenario.bounds import Bounds
from caxton.scenario.contents import ANY, at_path, by_pattern, exactly, found_at, is_list, like
from caxton.scenario.expectation import chosen, latency_s
from caxton.scenario.format import Expect
from caxton.scenario.host import Host
from caxton.schemas.messages import MessageBody

ROOM: Final = 1.1
"""A bound that was passed is set so much beyond what was measured."""

Changes = dict[str, Any]


def revised(expect: Expect, host: Host) -> Changes:
    """By key what is to be said instead."""
    messages = host.messages()
    found = chosen(expect.filter, host, messages)
    changes: Changes = {}
    of_messages = {"content", "contents", "path", "pattern", "fuel", "latency"} & expect.model_fields_set
    if (
        not found
        and ("filter" in expect.model_fields_set)
        and not {"violations", "dead_letters"} & expect.model_fields_set
    ):
        # nobody says that any more
        return {"count": 0} | dict.fromkeys(of_messages)
    changes |= _counted(expect, found)
    changes |= _contents(expect, found)
    changes |= _costs(expect, found, messages)
    if expect.order:
        changes |= _ordered(expect, host, messages)
    broken = [one for one in found if one.verdict and one.verdict.legality == "violation"]
    dead = [one for one in found if one.dead_letters is not UNSET for _ in one.dead_letters]
    for key, bounds, count in (
        ("violations", expect.violations, len(broken)),
        ("dead_letters", expect.dead_letters, len(dead)),
    ):
        if bounds is not None and not bounds.holds(count):
            changes[key] = count
    return changes | _standing(expect, host)


def _counted(expect: Expect, found: Sequence[MessageBody]) -> Changes:
    if expect.count is not None and not expect.count.holds(len(found)):
        return {"count": len(found)}
    return {}


def _contents(expect: Expect, found: Sequence[MessageBody]) -> Changes:
    said = [one.message.content for one in found]
    changes: Changes = {}
    if expect.contents is not None and (
        len(said) != len(expect.contents) or any(map(like, expect.contents, said))
    ):
        masks: list[Any] = [*expect.contents, *[None] * len(said)]
        contents: list[Any] = [_masked(mask, one) for mask, one in zip(masks, said, strict=False)]
        return {"contents": contents}
    if "content" in expect.model_fields_set and any(exactly(expect.content, one) for one in said):
        if all(exactly(said[0], one) is None for one in said):
            changes["content"] = said[0]
        else:
            changes |= {"content": None, "count": None, "contents": said}
    if expect.pattern is not None and any(by_pattern(expect.pattern, one) for one in said):
        changes["pattern"] = None
    path = {name: _at(name, wanted, said) for name, wanted in expect.path.items()}
    if path != expect.path:
        changes["path"] = {name: value for name, value in path.items() if value is not None} or None
    return changes


def _at(path: str, wanted: Any, said: Sequence[Any]) -> Any:
    """What may be expected at a path; None for nothing."""
    if not any(at_path(path, wanted, one) for one in said):
        return wanted
    there = [value for one in said for value in found_at(path, one)]
    if not there or any(exactly(there[0], one) for one in there):
        return None
    now: Any = there[0]
    if isinstance(now, Mapping):
        return {"equals": cast("Mapping[str, Any]", now)}
    match wanted, now:
        case {"approx": _, "by": by}, int() | float():
            return {"approx": now, "by": by}
        case _:
            return now


def _masked(mask: Any, said: Any) -> Any:
    """What is said, with what was masked in its place masked still."""
    if mask == ANY:
        return ANY
    if isinstance(mask, Mapping) and isinstance(said, Mapping):
        before = cast("Mapping[str, Any]", mask)
        return {name: _masked(before.get(name), one) for name, one in cast("Mapping[str, Any]", said).items()}
    if is_list(mask) and is_list(said):
        return [_masked(*pair) for pair in zip(mask, said, strict=False)] + said[len(mask) :]
    return said


def _costs(expect: Expect, found: Sequence[MessageBody], messages: Sequence[MessageBody]) -> Changes:
    changes: Changes = {}
    if expect.fuel is not None:
        fuel = [turn.fuel for one in found for turn in one.turns or ()]
        changes["fuel"] = _bound(expect.fuel, fuel, _whole)
    if expect.latency is not None:
        took = [latency_s(one, messages) for one in found]
        changes["latency"] = _bound(expect.latency, took, _milliseconds)
    return {key: value for key, value in changes.items() if value is not None}


def _milliseconds(seconds: float) -> str:
    return f"{math.ceil(seconds * 1000)}ms"


def _whole(figure: float) -> str:
    return str(round(figure))


def _bound(bounds: Bounds, figures: Sequence[float], write: Callable[[float], str]) -> str | None:
    """Another bound on the same side; None where this one holds, or where another baseline is what it needs."""
    if bounds.relative or all(bounds.holds(one) for one in figures):
        return None
    if bounds.side.startswith("<"):
        return (
            f"{bounds.side}{write(math.ceil(max(figures) * ROOM) if write is str else max(figures) * ROOM)}"
        )
    if bounds.side.startswith(">"):
        return (
            f"{bounds.side}{write(math.floor(min(figures) / ROOM) if write is str else min(figures) / ROOM)}"
        )
    return f"={write(figures[0])}"


def _ordered(expect: Expect, host: Host, messages: Sequence[MessageBody]) -> Changes:
    """The same filters, in the order in which their first messages came; without those that mean none."""
    first: dict[str, int] = {}
    for text in expect.order:
        found = chosen(text, host, messages)
        if found:
            first.setdefault(text, found[0].seq)
    now = sorted(first, key=lambda text: first[text])
    place = 0
    for text in expect.order:
        after = [one.seq for one in chosen(text, host, messages) if one.seq > place]
        if not after:
            return {"order": now or None}
        place = after[0]
    return {}


def _standing(expect: Expect, host: Host) -> Changes:
    changes: Changes = {}
    if expect.conversation is not None:
        there = host.conversation(expect.conversation)
        for key, wanted in (("state", expect.state), ("outcome", expect.outcome)):
            has: str | None = getattr(there, key) if there is not None else None
            if wanted is not None and has is not None and has.casefold() != wanted.casefold():
                changes[key] = has
    if expect.memory is not None and expect.agent is not None:
        has_bytes = host.memory_bytes(expect.agent)
        if has_bytes is not None and not expect.memory.holds(has_bytes):
            changes["memory"] = _bound(expect.memory, [has_bytes], _whole)
    return changes
