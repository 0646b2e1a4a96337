"""Two conversations are compared by what is said, not by when."""

from __future__ import annotations

from typing import Any

from shapes import made

from caxton.diagram.differences import side_by_side, steps
from caxton.schemas.messages import MessageBody


def said(seq: int, act: str, sender: str, content: Any = None) -> MessageBody:
    message = {"performative": act, "sender": f"{sender}@local", "receiver": ["b@local"], "content": content}
    return made(MessageBody, {"seq": seq, "message": {**message, "conversation_id": f"c-{seq}"}})


def test_the_same_steps_at_other_times_are_no_difference() -> None:
    first = [said(1, "cfp", "a", {"item": "book"}), said(2, "propose", "c", {"price": 4})]
    second = [said(11, "cfp", "a", {"item": "book"}), said(15, "propose", "c", {"price": 4})]
    assert [(one.side, one.seq) for one in steps(first, second)] == [("both", 1), ("both", 2)]


def test_what_only_one_has_is_said_of_it() -> None:
    first = [said(1, "cfp", "a"), said(2, "propose", "c", 4), said(3, "inform", "c")]
    second = [said(11, "cfp", "a"), said(12, "refuse", "c"), said(13, "inform", "c"), said(14, "inform", "d")]
    found = [(one.side, one.seq, one.text) for one in steps(first, second)]
    assert found == [
        ("both", 1, "a cfp → b"),
        ("first", 2, "c propose → b 4"),
        ("second", 12, "c refuse → b"),
        ("both", 3, "c inform → b"),
        ("second", 14, "d inform → b"),
    ]
    assert [one.side for one in steps([], second)] == ["second"] * 4


def test_side_by_side_each_step_stands_beside_what_has_its_place() -> None:
    first = [said(1, "cfp", "a"), said(2, "propose", "c", 4), said(3, "inform", "c")]
    second = [said(11, "cfp", "a"), said(12, "refuse", "c"), said(13, "inform", "c"), said(14, "inform", "d")]
    found = [tuple(step and (step.side, step.seq) for step in row) for row in side_by_side(first, second)]
    assert found == [
        (("both", 1), ("both", 11)),
        (("first", 2), ("second", 12)),
        (("both", 3), ("both", 13)),
        (None, ("second", 14)),
    ]
