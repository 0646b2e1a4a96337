"""How a row of the journal reads: one line of words, the same for the log, the filter and the detail.

In: rows as the event stream gives them. Out: plain text, every character of which a terminal shows. No Textual here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from caxton.diagram.words import CONTENT_ROOM as CONTENT_ROOM
from caxton.diagram.words import SIGNS
from caxton.diagram.words import content as content
from caxton.presentation.json_line import compact
from caxton.presentation.names import receivers as receivers
from caxton.presentation.names import short as short
from caxton.presentation.text import safe, span
from caxton_tui.model.json_object import Json

_EVENT_SIGNS: Final = {"dead_letter": "!", "violation": "!", "gap": "…", "held": "⏸", "delayed": "⏸"}

STYLED: Final = {"?": "cyan", "+": "yellow", "=": "green", "-": "yellow", "!": "red"}
"""The colour of each sign in running text."""

STATE_SIGNS: Final = {
    "running": "●",
    "ready": "●",
    "failed": "✗",
    "restarting": "◌",
    "starting": "◌",
    "draining": "◌",
    "suspended": "◌",
    "recovering": "◌",
    "unbuilt": "◌",
}
"""A sign beside the word, so that a state is seen without colour; ○ for every other."""


def sign(kind: str, act: str) -> str:
    """One character for an act: ? asks, + offers, = settles, - declines, ! went wrong; ⏸ held, · other events."""
    if kind == "message":
        return SIGNS.get(act, "·")
    return _EVENT_SIGNS.get(kind, "·")


def event_line(kind: str, data: Json, platform: str = "local") -> str:
    """What an event says, in one line."""
    line = _EVENTS.get(kind)
    if line is None:
        return compact({key: value for key, value in data.items() if key not in ("seq", "at", "kind")}, 200)
    return line(data, platform)


def event_problem(kind: str, data: Json) -> bool:
    """Whether an event says that something went wrong."""
    if kind in ("dead_letter", "violation"):
        return True
    if kind == "log":
        return str(data.get("level")) in ("error", "warn", "warning")
    return str(data.get("state")) in _BAD_STATES


_BAD_STATES: Final = frozenset({"failed", "rolled_back", "restarting"})


def ago(seconds: float) -> str:
    """How long ago, in at most four characters: `now`, `8s`, `12m`, `3h`, `9d`."""
    if seconds < 1:
        return "now"
    for unit, length in (("s", 60), ("m", 60), ("h", 48), ("d", 1_000)):
        if seconds < length:
            return f"{seconds:.0f}{unit}" if seconds < length - 0.5 else f"{length - 1}{unit}"
        seconds /= {"s": 60, "m": 60, "h": 24}.get(unit, 1)
    return "long"


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


def _violation(data: Json, platform: str) -> str:
    legal: list[object] = data.get("legal") or []
    kept = "" if data.get("delivered", True) else " not delivered;"
    return (
        f"{safe(data.get('seq', ''))} in {safe(data.get('state') or '?')}:{kept}"
        f" {safe(data.get('reason') or data.get('rule') or '')};"
        f" legal there: {', '.join(safe(act) for act in legal) or 'nothing'}"
    )[:CONTENT_ROOM]


def _branch(data: Json, platform: str) -> str:
    reason = f": {safe(data['reason'])[:CONTENT_ROOM]}" if data.get("reason") else ""
    return (
        f"{safe(data.get('conversation', ''))}: {short(data.get('participant'), platform)}"
        f" {safe(data.get('state'))}{reason}"
    )


def _cell(data: Json, platform: str) -> str:
    return f"cell {safe(data.get('cell'))} {safe(data.get('state'))}"


def _daemon(data: Json, platform: str) -> str:
    count = data.get("count")
    return f"daemon {safe(data.get('what'))}" + (f" {safe(count)}" if count is not None else "")


def _gap(data: Json, platform: str) -> str:
    return f"{data['lost']:,} rows left out: more than a viewer is sent; the journal has them"


def _held(data: Json, platform: str) -> str:
    to = ", ".join(short(name, platform) for name in data.get("receiver") or ())
    said = f"{safe(data.get('message_seq', ''))} {short(data.get('sender'), platform)}"
    said += f" {safe(data.get('performative'))} → {to}"
    if data.get("break"):
        said += f" by {safe(data['break'])}"
    elif data.get("behind"):
        said += f" behind {safe(data['behind'])}"
    if data.get("went_on"):
        said += f" as {safe(data['went_on'])} after {span(data.get('held_us', 0) / 1e6)}"
    return said


def _break(data: Json, platform: str) -> str:
    why = f" ended: {safe(data['why'])}" if data.get("why") else ""
    return f"{safe(data.get('break'))} {safe(data.get('filter') or 'every message')}{why}"


def _waits(data: Json, platform: str) -> str:
    return ", ".join(
        f"{short(one['agent'], platform)} waits for {short(one['awaits'], platform)} (#{one['seq']})"
        for one in data.get("waits", ())
    )


def _loop(data: Json, platform: str) -> str:
    names = ", ".join(short(name, platform) for name in data.get("agents", ()))
    return f"{names} say the same again and again, {data.get('times', 0):,} times"


_EVENTS: Final[dict[str, Callable[[Json, str], str]]] = {
    "agent": _agent,
    "deployment": _deployment,
    "dead_letter": _dead_letter,
    "violation": _violation,
    "branch": _branch,
    "log": _log,
    "cell": _cell,
    "daemon": _daemon,
    "gap": _gap,
    "waits": _waits,
    "loop": _loop,
    "held": _held,
    "released": _held,
    "dropped": _held,
    "edited": _held,
    "delayed": _held,
    "break_added": _break,
    "break_removed": _break,
    "break_ended": _break,
}
