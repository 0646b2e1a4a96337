"""A conversation whose clock stands still for a while, because one of its messages is held.

In: the times at which it stood. Out: the conversation with every deadline moved on by as long as it stood while that
deadline was running, so that nothing ends by time that nobody could do in time. Pure, and the same whether it is
counted bit by bit while it happens or afterwards from a record.
"""

from __future__ import annotations

from collections.abc import Sequence

from caxton.protocols.conversation import Conversation

Stop = tuple[int, int]
"""From when to when, in microseconds since 1970; `NEVER` as its end while it lasts."""


def stand(conversation: Conversation, stops: Sequence[Stop], now_us: int) -> None:
    """Count what of these stops lies before `now_us` and was not counted yet.

    To be called before anything is judged in the conversation, and before time passes in it. `stops` are in order and
    do not overlap.
    """
    counted_us = max(conversation.stood_us, conversation.began_us)
    for since_us, until_us in stops:
        since_us, until_us = max(since_us, counted_us), min(until_us, now_us)
        if until_us > since_us:
            conversation.stood(until_us - since_us, until_us)
            counted_us = until_us


def joined(spans: Sequence[Stop]) -> list[Stop]:
    """Spans of time, in any order, as stops: in order, those that touch in one."""
    found: list[Stop] = []
    for since_us, until_us in sorted(spans):
        if found and since_us <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], until_us))
        else:
            found.append((since_us, until_us))
    return found
