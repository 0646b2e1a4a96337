"""A conversation as a Mermaid sequence diagram, for pages that draw them.

In: a `Timeline`. Out: the diagram's text; nothing that an agent said is markup in it.
"""

from __future__ import annotations

from typing import Final

from caxton.diagram.timeline import Timeline, TimelineMessage
from caxton.presentation.json_line import compact

ROOM: Final = 60
"""The most characters of a content."""
_PLAIN: Final = frozenset(
    " !$%()*+,-./0123456789:=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz{|}~'\""
)


def draw_mermaid(timeline: Timeline) -> str:
    """The diagram: a lane for each agent, an arrow for each receiver, dashed where the message answers another one."""
    lanes = {name: f"a{number}" for number, name in enumerate(timeline.lanes, 1)}
    lines = [f"    participant {lane} as {_escaped(name)}" for name, lane in lanes.items()]
    for spoken in timeline.spoken:
        arrow = "->>" if spoken.answers is None else "-->>"
        lines += [
            f"    {lanes[spoken.sender]}{arrow}{lanes[to]}: {_escaped(_label(spoken))}"
            for to in spoken.receivers
        ]
    return "\n".join(["sequenceDiagram", *lines])


def _label(spoken: TimelineMessage) -> str:
    content = spoken.body.message.content
    return spoken.act if content is None else f"{spoken.act} {compact(content, ROOM)}"


def _escaped(text: str) -> str:
    """Mermaid's own escapes for what it would read as markup, and for the word that ends its blocks."""
    if text.lower() == "end":
        return f"#{ord(text[0])};{text[1:]}"
    return "".join(c if c in _PLAIN or (c > "\x9f" and c.isprintable()) else f"#{ord(c)};" for c in text)
