"""A conversation as a Mermaid diagram: its lanes and arrows, and nothing of what agents said as markup."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from caxton.diagram import draw_mermaid, read_timeline

from .talk import said, talk


def test_lanes_and_arrows() -> None:
    timeline = read_timeline(
        talk(
            said(1, "buyer", ["ann", "bob"], "cfp", {"n": 1}, reply_with="r"),
            said(2, "bob", "buyer", "refuse", in_reply_to="r"),
            said(3, "ann", ["buyer", "bob"], "inform"),
        )
    )
    assert draw_mermaid(timeline).split("\n") == [
        "sequenceDiagram",
        "    participant a1 as buyer",
        "    participant a2 as ann",
        "    participant a3 as bob",
        '    a1->>a2: cfp {"n":1}',
        '    a1->>a3: cfp {"n":1}',
        "    a3-->>a1: refuse",
        "    a2->>a1: inform",
        "    a2->>a3: inform",
    ]


@given(st.text(), st.text())
def test_what_agents_say_is_no_markup(name: str, content: str) -> None:
    lines = draw_mermaid(read_timeline(talk(said(1, name, name, "inform", content)))).split("\n")
    assert len(lines) == 3
    for line in lines[1:]:
        plain = re.sub(r"#\d+;", "", line.partition(" as " if "participant" in line else ": ")[2])
        assert not re.search(r"[#;<>\n\r\x1b]", plain)
        assert plain.lower() != "end"
