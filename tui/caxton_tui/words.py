"""How a row of the journal reads: one line of words, the same for the tape, the filter and the detail.

In: rows as the event stream gives them. Out: plain text, every character of which a terminal shows. No Textual here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from caxton.api.plain import compact, safe, span

Json = Mapping[str, Any]

CONTENT_ROOM: Final = 400
"""Characters of a content that a line may show; cut before anything looks at them."""

_BARE: Final = re.compile(r"[A-Za-z_][\w.@/-]*", re.ASCII)
"""Strings that need no quotes to be told from other values."""

_SIGNS: Final = {
    "request": "?",
    "request-when": "?",
    "request-whenever": "?",
    "query-if": "?",
    "query-ref": "?",
    "cfp": "?",
    "subscribe": "?",
    "propose": "+",
    "agree": "+",
    "accept-proposal": "=",
    "inform": "=",
    "inform-if": "=",
    "inform-ref": "=",
    "confirm": "=",
    "refuse": "-",
    "reject-proposal": "-",
    "cancel": "-",
    "disconfirm": "-",
    "failure": "!",
    "not-understood": "!",
}
_EVENT_SIGNS: Final = {"dead_letter": "!", "gap": "…"}

STATE_SIGNS: Final = {
    "running": "●",
    "ready": "●",
    "failed": "✗",
    "restarting": "◌",
    "starting": "◌",
    "draining": "◌",
    "suspended": "◌",
}
"""A sign beside the word, so that a state is seen without colour; ○ for every other."""


def sign(kind: str, act: str) -> str:
    """One character for an act: ? asks, + offers, = settles, - declines, ! went wrong; · for other events."""
    if kind == "message":
        return _SIGNS.get(act, "·")
    return _EVENT_SIGNS.get(kind, "·")


def short(name: object, platform: str = "local") -> str:
    """An agent's name without this platform."""
    return safe(str(name).removesuffix(f"@{platform}"))


def receivers(message: Json, platform: str = "local") -> str:
    """The receivers of a message, comma-separated."""
    names: list[object] = message.get("receiver") or []
    return ", ".join([short(name, platform) for name in names]) or "nobody"


def content(message: Json) -> str:
    """A message's content on one line, cut to `CONTENT_ROOM`; of an object the members as `name=value`."""
    value = message.get("content")
    if value is None:
        return ""
    if not isinstance(value, dict):
        return _value(value, CONTENT_ROOM)
    members = cast("dict[str, object]", value)
    said: list[str] = []
    room = CONTENT_ROOM
    for name, member in members.items():
        said.append(f"{safe(name[:CONTENT_ROOM])}={_value(member, room)}")
        room -= len(said[-1])
        if room <= 0:
            # a content may be a quarter of a MiB, and a line shows a hundred characters
            break
    return " ".join(said)[:CONTENT_ROOM]


def _value(value: object, room: int) -> str:
    if isinstance(value, str):
        cut = value[:CONTENT_ROOM]
        return cut if _BARE.fullmatch(cut) else compact(cut, room)
    return compact(value, room)


def event_line(kind: str, data: Json, platform: str = "local") -> str:
    """What an event says, in one line."""
    line = _EVENTS.get(kind)
    if line is None:
        return compact({key: value for key, value in data.items() if key not in ("seq", "at", "kind")}, 200)
    return line(data, platform)


def brief(count: float) -> str:
    """A figure in at most five characters: `0`, `7.5`, `812`, `3.4k`, `120k`, `5.1M`."""
    if count < 10 and count != int(count):
        return f"{count:.1f}"
    for unit in ("", "k", "M", "G", "T"):
        if count < 999.5:
            return f"{count:.1f}{unit}" if unit and count < 9.95 else f"{count:.0f}{unit}"
        count /= 1000
    return f"{count:.0f}P"


def _agent(data: Json, platform: str) -> str:
    return f"{short(data.get('agent'), platform)} {safe(data.get('what'))}, {safe(data.get('state'))}"


def _deployment(data: Json, platform: str) -> str:
    new = str(data.get("revision") or "")[:8]
    old = str(data.get("previous") or "")[:8]
    builds = f"{old} → {new}" if old else new
    said = [f"{short(data.get('agent'), platform)} {safe(builds)} {safe(data.get('state'))}"]
    if data.get("memory"):
        said.append(f"state {safe(data['memory'])}")
    timings: Json = data.get("timings") or {}
    pause_us: int | None = timings.get("pause_us")
    if pause_us:
        said.append(f"paused {span(pause_us / 1e6)}")
    if data.get("reason"):
        said.append(safe(data["reason"])[:CONTENT_ROOM])
    return ", ".join(said)


def _dead_letter(data: Json, platform: str) -> str:
    number = data.get("message_seq", data.get("seq"))
    return (
        f"{safe(number)} to {short(data.get('agent'), platform)}: {safe(data.get('reason'))[:CONTENT_ROOM]}"
    )


def _log(data: Json, platform: str) -> str:
    text = safe(str(data.get("message"))[:CONTENT_ROOM])
    return f"{short(data.get('agent'), platform)} {safe(data.get('level'))}: {text}"


def _cell(data: Json, platform: str) -> str:
    return f"cell {safe(data.get('cell'))} {safe(data.get('state'))}"


def _daemon(data: Json, platform: str) -> str:
    count = data.get("count")
    return f"daemon {safe(data.get('what'))}" + (f" {safe(count)}" if count is not None else "")


def _gap(data: Json, platform: str) -> str:
    return f"{data['lost']:,} rows left out: more than a viewer is sent; the journal has them"


_EVENTS: Final[dict[str, Callable[[Json, str], str]]] = {
    "agent": _agent,
    "deployment": _deployment,
    "dead_letter": _dead_letter,
    "log": _log,
    "cell": _cell,
    "daemon": _daemon,
    "gap": _gap,
}
