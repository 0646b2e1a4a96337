"""Whether two revisions come to the same about one message, as sentences for people.

In: the answers of both instances, and the message. Out: how they differ; none where both come to the same. How what
they say is read and compared is the replay's (`replay/said.py`, `replay/diff.py`); here are the ways in which a turn
can end.
"""

from __future__ import annotations

from typing import Any, Final

from caxton.acl import Message
from caxton.bus.turn_output import TurnRefused
from caxton.cells import Answer
from caxton.limits import Limits
from caxton.replay.diff import differences
from caxton.replay.normalise import read_said
from caxton.turn_status import Status

MOST: Final = 5
"""Differences that are named for one turn."""


def compare(old: Answer, new: Answer, asked: Message, speaker: str, limits: Limits) -> list[str]:
    """Where they differ, at most `MOST` places."""
    if old.status != new.status:
        return [f"the old one's turn is {_name(old.status)}, the new one's {_name(new.status)}"]
    if old.status != Status.OK:
        return [] if old.payload == new.payload else ["they fail in other words"]
    before, after = (_said(one, asked, speaker, limits) for one in (old, new))
    if isinstance(before, str) or isinstance(after, str):
        both = isinstance(before, str) and isinstance(after, str)
        return (
            []
            if both
            else [
                f"the host refuses the {'old' if isinstance(before, str) else 'new'} one's: "
                f"{before if isinstance(before, str) else after}"
            ]
        )
    return [str(one) for one in differences(before, after)[:MOST]]


def _said(answer: Answer, asked: Message, speaker: str, limits: Limits) -> list[dict[str, Any]] | str:
    """The messages in the form in which they are compared, or why the host would refuse them."""
    try:
        # the same moment for both: what they make of it is compared, not the clock
        said = read_said(answer.payload, answer.said, asked, speaker, limits, asked.timestamp)
    except TurnRefused as refusal:
        return refusal.reason
    return [one.form for one in said]


def _name(status: int) -> str:
    return Status(status).name.lower().replace("_", " ")
