"""What is asked of the `timer`: read from the contents of messages.

In: JSON. Out: when a timer rings, or which ones are called off; InvalidMessage names what is missing or wrong.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, cast

import msgspec

from caxton.acl.date_time import is_date_time, reply_by_of
from caxton.acl.message import NULL
from caxton.duration import microseconds
from caxton.errors import InvalidMessage
from caxton.platform_agents import cron

LONGEST_MS: Final = 3_653 * 24 * 3600 * 1000
"""Ten years, the leap days counted."""
SHORTEST_EVERY_MS: Final = 1
COUNT_MAX: Final = 10**9
HINT: Final = 'content {"after_ms": 500, "tag": "…"}, {"every_ms": 20, "tag": "…"} or {"cancel": "…"}'
_TIMES: Final = ("after_ms", "after", "every_ms", "every", "at", "cron")


class Wish(msgspec.Struct):
    """When a timer rings. One with `every_us` or `cron` rings again, `count` times, 0 for ever."""

    tag: msgspec.Raw
    first_us: int
    """From the request on; for `at` and `cron` a moment since 1970."""
    on_calendar: bool = False
    every_us: int = 0
    cron: str | None = None
    zone: str | None = None
    count: int = 0
    catch_up: bool = False
    replace: bool = False

    @property
    def repeats(self) -> bool:
        """Whether it rings more than once."""
        return self.every_us > 0 or self.cron is not None


class _Tagged(msgspec.Struct):
    tag: msgspec.Raw = NULL
    cancel: msgspec.Raw = NULL


def cancelled_tag(content: msgspec.Raw) -> msgspec.Raw | None:
    """The tag of the timers that a content calls off, as it was written; None where it is no such content.

    `{"cancel": TAG}`, `{"cancel": true, "tag": TAG}` and `{"action": "cancel", "tag": TAG}` say the same.
    """
    said = _object(content)
    tagged = msgspec.json.decode(content, type=_Tagged) if said else _Tagged()
    if said.get("action") == "cancel" or (said.get("cancel") is True and "tag" in said):
        return tagged.tag
    return tagged.cancel if "cancel" in said else None


def read_wish(content: msgspec.Raw, now_us: int) -> Wish:
    """What a request asks for; `now_us` is when it came. Raises InvalidMessage."""
    said = _object(content)
    given = {key: value for key, value in said.items() if key in _TIMES}
    if not given:
        raise InvalidMessage(f"timer needs {', '.join(_TIMES[:-1])} or cron", hint=HINT)
    begins = [key for key in given if not key.startswith("every")]
    if len(begins) > 1 or len(given) - len(begins) > 1 or ("cron" in given and len(given) > 1):
        raise InvalidMessage(f"timer takes one of {' and '.join(given)}, not both", hint=HINT)
    # as it was written, digit for digit
    wish = Wish(msgspec.json.decode(content, type=_Tagged).tag, 0, replace=_flag(said, "replace"))
    if "every_ms" in given or "every" in given:
        wish.every_us = _length_us(given, "every", SHORTEST_EVERY_MS)
        wish.first_us = wish.every_us
    if "after_ms" in given or "after" in given:
        wish.first_us = _length_us(given, "after", 0)
    elif "at" in given:
        wish.on_calendar, wish.first_us = True, _moment_us(given["at"], _zone(said))
    elif "cron" in given:
        wish.on_calendar = True
        wish.cron, wish.zone = _text(given["cron"], "cron"), _zone(said)
        wish.first_us = cron.next_us(wish.cron, wish.zone, now_us)
    if wish.on_calendar and wish.first_us - now_us > LONGEST_MS * 1000:
        raise InvalidMessage("timer rings at most ten years ahead", hint=HINT)
    _read_repetition(said, wish)
    return wish


def _read_repetition(said: dict[str, Any], wish: Wish) -> None:
    for key in ("count", "late"):
        if said.get(key) is not None and not wish.repeats:
            raise InvalidMessage(f"{key} needs every_ms or cron: this timer rings once", hint=HINT)
    count = said.get("count")
    if count is not None:
        if type(count) is not int or not 1 <= count <= COUNT_MAX:
            raise InvalidMessage(f"count is a whole number from 1 to {COUNT_MAX:,}", hint=HINT)
        wish.count = count
    late = said.get("late", "skip")
    if late not in ("skip", "catch-up"):
        raise InvalidMessage(
            'late is "skip" or "catch-up"', hint='content {"every_ms": 20, "late": "catch-up"}'
        )
    wish.catch_up = late == "catch-up"


def _length_us(given: dict[str, Any], key: str, least_ms: int) -> int:
    """`after_ms`, a number, or `after`, a duration such as 45d."""
    in_ms = f"{key}_ms"
    value = given.get(in_ms)
    if in_ms not in given:
        text = given[key]
        length_us = microseconds(text) if isinstance(text, str) else None
        if length_us is None:
            raise InvalidMessage(f"{key} is a duration such as 500ms, 2h or 45d", hint=HINT)
        value, in_ms = length_us / 1000, key
    if isinstance(value, bool) or not isinstance(value, int | float) or not least_ms <= value <= LONGEST_MS:
        raise InvalidMessage(
            f"timer needs {in_ms}, a number of milliseconds from {least_ms} to ten years", hint=HINT
        )
    return max(int(value * 1000), least_ms)


def _moment_us(said: object, zone: str | None) -> int:
    """A date-time of RFC 3339 or FIPA; one without an offset is in `zone`."""
    text = _text(said, "at")
    try:
        moment = datetime.fromisoformat(reply_by_of(text) if is_date_time(text) else text)
        if moment.tzinfo is None and zone is not None:
            moment = moment.replace(tzinfo=cron.zone_of(zone))
        if moment.tzinfo is not None:
            return round(moment.timestamp() * 1e6)
    except (ValueError, OverflowError):
        pass
    raise InvalidMessage(
        f"at {text[:80]!r} is no date-time with an offset or a zone",
        hint='such as "2027-01-31T08:30:00+01:00", or with "zone": "Europe/Berlin"; for a duration write after',
    )


def _zone(said: dict[str, Any]) -> str | None:
    found = [said[key] for key in ("zone", "timezone", "time_zone", "tz") if said.get(key) is not None]
    return _text(found[0], "zone") if found else None


def _text(value: object, key: str) -> str:
    if isinstance(value, str):
        return value
    raise InvalidMessage(f"{key} is a text", hint=HINT)


def _flag(said: dict[str, Any], key: str) -> bool:
    value = said.get(key, False)
    if isinstance(value, bool):
        return value
    raise InvalidMessage(f"{key} is true or false", hint=HINT)


def _object(content: msgspec.Raw) -> dict[str, Any]:
    """A content that is an object; else an empty one."""
    value: Any = msgspec.json.decode(content)
    return cast("dict[str, Any]", value) if type(value) is dict else {}
