"""How a message reads on one line, the same in diagrams, in the log and in the filter's list.

In: messages as the API gives them. Out: plain text, every character of which a terminal shows.
"""

from __future__ import annotations

import re
from typing import Final, cast

from caxton.diagram.calls import call
from caxton.presentation.json_line import compact
from caxton.presentation.text import safe
from caxton.schemas.shape import Message

CONTENT_ROOM: Final = 400
"""Characters of a content that a line may show; cut before anything looks at them."""

_BARE: Final = re.compile(r"[A-Za-z_][\w.@/-]*", re.ASCII)
"""Strings that need no quotes to be told from other values."""

SIGNS: Final = {
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
"""One character for an act: ? asks, + offers, = settles, - declines, ! went wrong; · for every other."""

STYLES: Final = {"?": "ask", "+": "offer", "=": "good", "-": "warn", "!": "bad"}
"""The style of each sign, by name; colours are the screen's."""


def content(message: Message) -> str:
    """A message's content on one line, cut to `CONTENT_ROOM`; of an object the members as `name=value`, of a call to
    the world what is asked, answered and spent."""
    value = message.content
    if value is None:
        return ""
    told = call(message)
    if told is not None:
        return told[:CONTENT_ROOM]
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
