"""Calendar rules: cron text in a time zone.

In: the five fields of cron (minute, hour, day of the month, month, day of the week), or six with seconds first, and the
name of a zone. Out: the moments that they mean. Where clocks are set forward or back, rules for certain hours follow
Debian's cron: a time that does not exist comes a little later, one that exists twice comes once.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from caxton.errors import InvalidMessage

HINT: Final = (
    'for example "30 8 * * MON-FRI" (minute, hour, day, month, day of the week), zone "Europe/Berlin"'
)
LONGEST: Final = 200


@lru_cache(maxsize=1024)
def next_us(text: str, zone: str | None, after_us: int) -> int:
    """The first moment of a rule after another one, both in microseconds since 1970. Raises InvalidMessage."""
    # few projects have such a timer, and every start would wait for it
    from cronsim import CronSim, CronSimError

    if len(text) > LONGEST:
        raise InvalidMessage(f"a cron rule has at most {LONGEST} characters", hint=HINT)
    try:
        moment = next(CronSim(text, datetime.fromtimestamp(after_us // 1_000_000, zone_of(zone))))
    except CronSimError as error:
        raise InvalidMessage(f"{text!r} is no cron rule: {str(error).lower()}", hint=HINT) from None
    except (StopIteration, OverflowError):
        raise InvalidMessage(f"{text!r} means no moment in the next 50 years", hint=HINT) from None
    return round(moment.timestamp() * 1e6)


def zone_of(name: str | None) -> ZoneInfo:
    """A time zone by its IANA name, UTC where none is given. Raises InvalidMessage."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidMessage(
            f"{name[:80]!r} is no time zone that this machine knows"
            if name
            else "this machine knows no time zones",
            hint="a name of the IANA database, such as Europe/Berlin or UTC; the package tzdata brings them",
        ) from None
