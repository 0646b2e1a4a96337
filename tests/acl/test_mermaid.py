"""A conversation as a diagram: its lanes and arrows, and nothing of what agents said as markup."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from caxton.acl.mermaid import sequence_diagram


def test_lanes_and_arrows() -> None:
    messages: list[dict[str, Any]] = [
        {
            "performative": "cfp",
            "sender": "buyer@local",
            "receiver": ["ann@local", "bob@there"],
            "content": {"n": 1},
        },
        {"performative": "refuse", "sender": "bob@there", "receiver": ["buyer@local"], "in_reply_to": "r"},
    ]
    assert sequence_diagram(messages).split("\n") == [
        "sequenceDiagram",
        "    participant a1 as buyer",
        "    participant a2 as ann",
        "    participant a3 as bob@there",
        '    a1->>a2: cfp {"n":1}',
        '    a1->>a3: cfp {"n":1}',
        "    a3-->>a1: refuse",
    ]


@given(st.text(), st.text())
def test_what_agents_say_is_no_markup(name: str, content: str) -> None:
    lines = sequence_diagram(
        [{"performative": "inform", "sender": name, "receiver": [name], "content": content}]
    ).split("\n")
    assert len(lines) == 3
    for line in lines[1:]:
        plain = re.sub(r"#\d+;", "", line.partition(" as " if "participant" in line else ": ")[2])
        assert not re.search(r"[#;<>\n\r\x1b]", plain)
        assert plain.lower() != "end"
