"""Calls to the world in diagrams: what was asked, answered and spent, on one line."""

from __future__ import annotations

from typing import Any

import pytest

from caxton.diagram import draw_text, read_timeline

from .talk import said, talk

TALK = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "Is it raining?"}]
USAGE = {"usage": {"input": 120, "output": 18, "cached": 0}, "money": 0.0021}


@pytest.mark.parametrize(
    ("ontology", "content", "line"),
    [
        ("model", {"messages": TALK, "model": "fast"}, '⇄ fast user: "Is it raining?" (2 messages)'),
        ("model", {"messages": TALK, "tools": [{}]}, '⇄ user: "Is it raining?" (2 messages, 1 tool)'),
        ("model", {"text": "No.", "tool_calls": [], **USAGE}, '⇄ "No."  138 tokens, 0.0021 of money'),
        ("model", {"text": "", "tool_calls": [{"name": "sky"}], **USAGE}, "⇄ calls sky  138 tokens"),
        ("tool", {"tool": "read", "arguments": {"n": 1}}, '⇄ read {"n":1}'),
        ("tool", {"content": [{"type": "text", "text": "it"}], "structured": None}, '⇄ ["it"]'),
        ("tool", {"content": [], "structured": {"a": 1}}, '⇄ {"a":1}'),
        ("model", {"error": "busy", "reason": "later"}, "error=busy"),
        ("of-my-own", {"tool": "read"}, "tool=read"),
    ],
)
def test_a_call_says_what_is_asked_and_spent(ontology: str, content: dict[str, Any], line: str) -> None:
    ontology = ontology if "-" in ontology else f"caxton-{ontology}"
    timeline = read_timeline(talk(said(1, "w", ["model"], "request", content, ontology=ontology)))
    assert line in draw_text(timeline, 200)
