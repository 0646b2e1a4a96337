"""`reply_by`: until when an answer is wanted, as an RFC 3339 time in UTC.

In: an RFC 3339 time with an offset, or a duration from now such as `5s`, `200ms`, `2m`; with a minus, before now, as
FIPA's relative times may be. Out: the time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from caxton.duration import microseconds
from caxton.errors import InvalidMessage

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def time_text(at_us: int) -> str:
    """Microseconds since 1970 as RFC 3339 in UTC."""
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment_us(text: str) -> int:
    """Microseconds since 1970 of a time that `time_text` wrote."""
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)


def reply_by_time(text: str, now_us: int) -> str:
    """The time that `text` means, seen from `now_us`.

    Raises InvalidMessage for anything else.
    """
    try:
        # a time first: 20260131 is a day, and not so many seconds
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        moment = None
    try:
        if moment is None:
            wait = microseconds(text)
            if wait is not None:
                return time_text(now_us + wait)
        elif moment.tzinfo is not None:
            return time_text(int((moment - _EPOCH) / timedelta(microseconds=1)))
    except OverflowError:
        pass
    raise InvalidMessage(
        f"reply_by {text[:80]!r} is not a time",
        hint="an RFC 3339 time with an offset, or a duration such as 5s",
        field="reply_by",
    )
