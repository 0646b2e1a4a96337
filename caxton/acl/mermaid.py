"""A conversation as a Mermaid sequence diagram, for pages that draw them.

In: messages as JSON objects, in their order. Out: the diagram's text; nothing that an agent said is markup in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

ROOM: Final = 60
"""The most characters of a content."""
_PLAIN: Final = frozenset(
    " !$%()*+,-./0123456789:=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz{|}~'\""
)


def sequence_diagram(messages: Iterable[Mapping[str, Any]]) -> str:
    """The diagram: a lane for each agent in the order of their appearance, an arrow for each receiver.

    An arrow is dashed where the message answers another one (`in_reply_to`).
    """
    lanes: dict[str, str] = {}
    arrows: list[str] = []
    for message in messages:
        sender = _lane(lanes, message.get("sender"))
        receivers: str | list[object] = message.get("receiver") or []
        arrow = "-->>" if message.get("in_reply_to") else "->>"
        text = _label(message)
        arrows += [
            f"    {sender}{arrow}{_lane(lanes, to)}: {text}"
            for to in ([receivers] if isinstance(receivers, str) else receivers)
        ]
    names = [f"    participant {lane} as {_escaped(name)}" for name, lane in lanes.items()]
    return "\n".join(["sequenceDiagram", *names, *arrows])


def _lane(lanes: dict[str, str], agent: object) -> str:
    name = str(agent).removesuffix("@local")
    return lanes.setdefault(name, f"a{len(lanes) + 1}")


def _label(message: Mapping[str, Any]) -> str:
    act, content = str(message.get("performative")), message.get("content")
    if content is None:
        return _escaped(act)
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return _escaped(f"{act} {text if len(text) <= ROOM else text[: ROOM - 1] + '…'}")


def _escaped(text: str) -> str:
    """Mermaid's own escapes for what it would read as markup, and for the word that ends its blocks."""
    if text.lower() == "end":
        return f"#{ord(text[0])};{text[1:]}"
    return "".join(c if c in _PLAIN or (c > "\x9f" and c.isprintable()) else f"#{ord(c)};" for c in text)
