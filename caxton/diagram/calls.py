"""Calls to the world on one line: what a model or a tool was asked, what it answered, and what that has cost.

In: a message of the ontologies that models, tools and hosts speak. Out: plain text that begins with `⇄`.
"""

from __future__ import annotations

from typing import Any, Final, cast

from caxton.presentation.json_line import compact
from caxton.presentation.replays import cost
from caxton.presentation.text import plural, safe
from caxton.schemas.shape import Message

MARK: Final = "⇄"
ONTOLOGIES: Final = ("caxton-model", "caxton-tool", "caxton-http")
_ROOM: Final = 200


def call(message: Message) -> str | None:
    """The line of a call or its answer; None for every other message."""
    content = message.content
    if message.ontology not in ONTOLOGIES or not isinstance(content, dict):
        return None
    told = _told(cast("dict[str, Any]", content))
    return None if told is None else f"{MARK} {told}"


def _told(content: dict[str, Any]) -> str | None:
    match content:
        case {"messages": [*_, {"role": str(role), "content": last}] as talk}:
            tools = len(content.get("tools") or ())
            offered = f", {plural(tools, 'tool')}" if tools else ""
            said = last if last else "a call"
            return f"{_model(content)}{safe(role)}: {compact(said, _ROOM)} ({plural(len(talk), 'message')}{offered})"
        case {"usage": {"input": int(into), "output": int(out)}}:
            calls = ", ".join(str(one.get("name")) for one in content.get("tool_calls") or ())
            said = compact(content.get("text"), _ROOM) if content.get("text") or not calls else ""
            wants = f"calls {safe(calls)}" if calls else ""
            money = content.get("money")
            spent = cost(into + out, float(money) if isinstance(money, int | float) else 0.0)
            return "  ".join(one for one in (said, wants, spent) if one)
        case {"tool": str(tool), **more}:
            return f"{safe(tool)} {compact(more.get('arguments', {}), _ROOM)}"
        case {"content": [*parts], "structured": structured}:
            return compact(structured if structured is not None else [_text(part) for part in parts], _ROOM)
        case _:
            return None


def _text(part: Any) -> Any:
    """The text of a part of MCP's content; every other part as it is."""
    match part:
        case {"text": text}:
            return text
        case _:
            return part


def _model(content: dict[str, Any]) -> str:
    name = content.get("model")
    return f"{safe(name)} " if isinstance(name, str) and name else ""
