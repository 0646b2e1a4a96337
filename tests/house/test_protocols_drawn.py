"""The drawings and rules on docs/protocols.md are those of the tables."""

from __future__ import annotations

import re

from caxton.acl import Performative
from caxton.protocols import library
from caxton.protocols.drawing import BEGIN, END, mermaid, redrawn
from caxton.protocols.rules import IGNORED, LEGAL, RULES, VIOLATIONS
from caxton.protocols.table import NEEDS

from .source import ROOT, python

PAGE = (ROOT / "docs" / "protocols.md").read_text("utf-8")


def test_the_page_is_as_the_tables_draw_it() -> None:
    assert PAGE.count(BEGIN) == PAGE.count(END) == 1
    assert redrawn(PAGE, library()) == PAGE, "python -m caxton.protocols.drawing docs/protocols.md"


def test_every_state_and_step_of_a_table_is_in_its_drawing() -> None:
    for protocol in library().protocols.values():
        drawing = mermaid(protocol)
        assert drawing in PAGE
        for step in protocol.steps:
            arrow = rf"--> {re.escape(step.to.replace('-', '_'))}: .*\b{re.escape(step.act.value)}\b"
            assert step.ignored or re.search(arrow, drawing), (protocol.name, step)


def test_every_rule_is_one_of_three_verdicts_and_is_used() -> None:
    assert len(RULES) == len(LEGAL) + len(IGNORED) + len(VIOLATIONS)
    code = "\n".join(
        path.read_text("utf-8")
        for path in [
            *python("caxton", "protocols"),
            *(ROOT / "caxton" / "protocols" / "tables").glob("*.toml"),
        ]
        if path.name != "rules.py"
    )
    code += (ROOT / "caxton" / "cli" / "recorded_check.py").read_text("utf-8")
    assert [rule for rule in RULES if f'"{rule}"' not in code] == []
    assert set(NEEDS) <= set(VIOLATIONS), "a condition is named after the rule that is broken without it"


def test_the_tables_use_no_act_that_fipa_does_not_have() -> None:
    used = {step.act for protocol in library().protocols.values() for step in protocol.steps}
    assert used <= set(Performative)
    assert len(library().protocols) == 11
