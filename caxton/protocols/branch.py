"""A branch, what one initiator and one participant have with each other in a conversation, and its rounds.

In and out: frozen values. What changes them is in `machine` and `endings`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from caxton.protocols import protocol as states
from caxton.protocols.protocol import Protocol

USED_MAX: Final = 1_000
"""Characters of earlier reply_withs that are remembered; of more, the older half is dropped."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Branch(msgspec.Struct, frozen=True, gc=False):
    """The state of one (conversation, initiator, participant)."""

    state: str
    asked: str | None = None
    """The reply_with of the initiator's last step."""
    answered: str | None = None
    """The reply_with of the participant's last step."""
    deadline_us: int = 0
    """Until when the next message is in time; 0 without end."""
    round: int = 0
    heard: bool = False
    """The participant has said something."""
    awarded: bool = False
    reason: str | None = None
    """Why the branch ended without a message of its own two."""
    before: str | None = None
    """The state in which a deadline, a failed delivery or the end of one of its two found it; what crosses a failed
    delivery or such an end leads it on."""
    cancel: str | None = None
    """The reply_with of a cancel that is not yet answered."""
    resting_us: int = 0
    """The deadline that rests while a cancel waits."""
    used: str = ""
    """Earlier reply_withs of the initiator, which a cancel must not use again; each after a NUL. One text, because
    to copy many small ones at each step costs more than the step."""


class Rounds(msgspec.Struct, frozen=True, gc=False):
    """What the branches of a conversation have in common."""

    number: int = 0
    bids: int = 0
    """Bids in this round."""
    awarded: int = -1
    """The round of the last award."""
    leader: str | None = None
    """Who got the last award."""


NEW: Final = Branch(states.START)


def shown(protocol: Protocol, branch: Branch) -> str:
    """The state as people see it: `cancelling` while a cancel waits."""
    if branch.cancel is not None and is_open(protocol, branch):
        return states.CANCELLING
    return branch.state


def is_open(protocol: Protocol, branch: Branch) -> bool:
    """Whether the branch can still go on."""
    return branch.state == states.START or protocol.states[branch.state].end is None


def remember(used: str, more: str) -> str:
    """Earlier reply_withs with one more; the oldest go where they become too many."""
    used = f"{used}\0{more}"
    return used if len(used) <= USED_MAX else used[used.find("\0", USED_MAX // 2) :]


def time_of(text: str) -> int:
    """Microseconds since 1970 of a time as the bus writes it (RFC 3339 with an offset)."""
    return (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND
