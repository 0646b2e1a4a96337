"""Two lanes of a mailbox: what is urgent goes ahead of what waits.

In: a message's `x_priority`, and what waits. Out: where it goes. An urgent message stands behind the urgent ones that
wait already, and never ahead of an earlier message of its sender in its conversation; where that holds it up, it waits
with the others, and so do later urgent ones of that sender as long as it does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

import msgspec

from caxton.bus.envelope import Envelope
from caxton.errors import InvalidMessage

PRIORITY: Final = "x_priority"
OPERATORS_URGENT: Final = 100
"""Urgent messages in front of one mailbox at a time that clients may bring it to, whatever it allows to agents."""


def check_priority(extensions: dict[str, msgspec.Raw] | None) -> None:
    """Raises InvalidMessage where a message has a priority that is none."""
    if extensions is None or PRIORITY not in extensions:
        return
    said: object = msgspec.json.decode(extensions[PRIORITY])
    if said not in ("urgent", "normal"):
        raise InvalidMessage(
            f'{PRIORITY} is "urgent" or "normal", not {msgspec.json.encode(said).decode()[:80]}',
            hint="leave it out for a message that waits its turn",
            field=PRIORITY,
        )


def is_urgent(extensions: dict[str, msgspec.Raw]) -> bool:
    """Whether a message says that it is urgent."""
    said = extensions.get(PRIORITY)
    return said is not None and bytes(said).strip() == b'"urgent"'


def says_urgent(body: bytes) -> bool:
    """The same of a message that was admitted, maybe by a version that took any priority."""
    try:
        return b'"x_priority"' in body and msgspec.json.decode(body, type=_Priority).x_priority == "urgent"
    except msgspec.MsgspecError:
        return False


class _Priority(msgspec.Struct):
    x_priority: str | None = None


class Lane(NamedTuple):
    """The urgent messages in front of a mailbox."""

    seqs: frozenset[int]
    end: int
    """The place behind them."""


def urgent_lane(
    waiting: Iterable[Envelope], known: Collection[int], urgent: Envelope, most: int, front: Collection[int]
) -> Lane | None:
    """The lane that a message joins at its end; None where it waits with the others. `known`: the lane as it was;
    `front`: what was put back, and is ahead of it."""
    seqs: set[int] = set()
    end = 0
    sender, conversation_id = urgent.message.sender, urgent.message.conversation_id
    for place, one in enumerate(waiting, 1):
        if one.seq in front:
            end = place
        elif one.seq in known:
            seqs.add(one.seq)
            end = place
        elif one.message.sender == sender and (one.urgent or one.message.conversation_id == conversation_id):
            return None
    return None if len(seqs) >= most else Lane(frozenset((*seqs, urgent.seq)), end)
