"""FIPA's date-times (FIPA00070): `20020314T091400500Z`, or from now `+00000000T000005000`.

In: such a token. Out: a `reply_by` as Caxton's JSON has it, RFC 3339 in UTC or a duration; and back. FIPA counts
milliseconds, a year of a relative time is 365 days here and a month 30.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from caxton.acl.reply_by import reply_by_time, time_text
from caxton.duration import microseconds

EXPECTED: Final = "a date-time such as 20260131T120000000Z or +00000000T000005000"
_TOKEN = re.compile(
    r"([+-]?)([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{3})([A-Za-z]?)"
)
_UNITS: Final = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms"))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def is_date_time(text: str) -> bool:
    """Whether that has the form of a date-time."""
    return _TOKEN.fullmatch(text) is not None


def reply_by_of(token: str) -> str:
    """The `reply_by` that a date-time means. Without a Z it is this machine's local time.

    Raises ValueError with one sentence.
    """
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise ValueError(f"{token[:40]!r} is not {EXPECTED}")
    sign, zone = found[1], found[9].upper()
    year, month, day, hour, minute, second, milli = (int(found[n]) for n in range(2, 9))
    if zone not in ("", "Z"):
        raise ValueError(f"{token!r} has the time zone {found[9]}; only Z, for UTC, is known")
    if sign:
        days = year * 365 + month * 30 + day
        wait = _duration(((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + milli)
        return f"-{wait}" if sign == "-" and wait != "0s" else wait
    try:
        moment = datetime(year, month, day, hour, minute, second, milli * 1000, UTC if zone else None)
        at = moment.astimezone(UTC) - _EPOCH
        return time_text((at.days * 86_400 + at.seconds) * 1_000_000 + at.microseconds)
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f"{token!r} is no time: {error}") from None


def date_time_of(reply_by: str) -> str:
    """The date-time of a `reply_by`, what is finer than a millisecond cut off.

    Raises InvalidMessage where it is no time.
    """
    moment = reply_by_time(reply_by, 0)
    wait = microseconds(reply_by)
    if wait is None:
        return re.sub("[-:.]", "", moment)[:18] + "Z"
    days, rest = divmod(abs(wait) // 1000, 86_400_000)
    (years, days), (hours, rest) = divmod(days, 365), divmod(rest, 3_600_000)
    months, (minutes, rest) = min(days // 30, 12), divmod(rest, 60_000)
    days -= 30 * months
    sign = "-" if wait < 0 else "+"
    return f"{sign}{years:04}{months:02}{days:02}T{hours:02}{minutes:02}{rest // 1000:02}{rest % 1000:03}"


def _duration(millis: int) -> str:
    for size, unit in _UNITS:
        if millis % size == 0 and millis // size < 1_000_000_000 and (millis or unit == "s"):
            return f"{millis // size}{unit}"
    raise ValueError("the time is too far away to be told to the millisecond")
