"""Names and times of what somebody says, in full: local names get this platform's, a `reply_by` becomes absolute.

In: a draft as a client or a guest wrote it. Out: the same draft, ready to be admitted; InvalidMessage where it cannot
be.
"""

from __future__ import annotations

import re

from caxton.acl import Draft
from caxton.acl.reply_by import reply_by_time
from caxton.clock import Clock
from caxton.errors import InvalidMessage

_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?", re.IGNORECASE
)


class Addressing:
    """What a platform makes of names."""

    __slots__ = ("_most_reply_to", "_now_us", "suffix")

    def __init__(self, platform: str, most_reply_to: int, clock: Clock) -> None:
        self.suffix = f"@{platform}"
        self._most_reply_to = most_reply_to
        self._now_us = clock.now_us

    def full_name(self, name: str) -> str:
        """`name` with this platform where it has none."""
        return name if "@" in name else name + self.suffix

    def receivers(self, given: str | list[str], most: int) -> list[str]:
        """The receivers in full, each once; InvalidMessage where there are more than `most`."""
        suffix = self.suffix
        if isinstance(given, str):
            return [given if "@" in given else given + suffix]
        if len(given) > most:
            raise InvalidMessage(
                f"a message to {len(given)} receivers; limits.receivers is {most:,}",
                hint="raise limits.receivers",
            )
        return list(dict.fromkeys(name if "@" in name else name + suffix for name in given))

    def answers(self, draft: Draft) -> None:
        """Where answers go and until when, in full."""
        # an empty text says the same as leaving it out, as it does for a conversation or a protocol
        until = reply_by_time(draft.reply_by, self._now_us()) if draft.reply_by else None
        to = self.receivers(draft.reply_to, self._most_reply_to) if draft.reply_to else draft.reply_to
        draft.answered(to, until)


def trace_of(traceparent: str) -> str:
    """The trace id of a W3C `traceparent` header; InvalidMessage where it is none."""
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is not None:
        return found[1].lower()
    raise InvalidMessage(
        f"{traceparent[:80]!r} is not a traceparent", hint="e.g. 00-<32 hex digits>-<16 hex digits>-01"
    )
