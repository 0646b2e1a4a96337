"""Whether two revisions come to the same about one message, as sentences for people.

In: the answers of both instances, and the message. Out: how they differ; none where both come to the same. How what
they say is read and compared is the replay's (`replay/normalise.py`, `replay/diff.py`).
"""

from __future__ import annotations

from typing import Final

from caxton.acl import Message
from caxton.cells import Answer
from caxton.limits import Limits
from caxton.replay.diff import differences
from caxton.replay.normalise import read_outcome
from caxton.turn_status import STATUS_NAMES, Status

MOST: Final = 5
"""Differences that are named for one turn."""


def compare(old: Answer, new: Answer, asked: Message, speaker: str, limits: Limits) -> list[str]:
    """Where they differ, at most `MOST` places."""
    if old.status != new.status:
        was, now = (STATUS_NAMES[one.status].replace("_", " ") for one in (old, new))
        return [f"the old one's turn is {was}, the new one's {now}"]
    if old.status != Status.OK:
        return [] if old.payload == new.payload else ["they fail in other words"]
    # the same moment for both: what they make of it is compared, not the clock
    before, after = (
        read_outcome(one.status, one.payload, one.said, asked, speaker, limits, asked.timestamp)
        for one in (old, new)
    )
    if Status.PUT_BACK in (before.status, after.status) and not before.code and not after.code:
        if before.status == after.status:
            return []
        return [f"the {'new' if after.status == Status.PUT_BACK else 'old'} one puts the message back"]
    if before.status != after.status:
        which, reason = ("new", after.reason) if after.code else ("old", before.reason)
        return [f"the host refuses the {which} one's: {reason}"]
    return [str(one) for one in differences(before.forms, after.forms)[:MOST]]
