"""`reply_by` as a duration or a time."""

from __future__ import annotations

import pytest

from caxton.acl.reply_by import reply_by_time, time_text
from caxton.errors import InvalidMessage

NOW = 1_700_000_000_000_000


@pytest.mark.parametrize(
    ("text", "after_us"),
    [
        ("5s", 5_000_000),
        ("200ms", 200_000),
        ("1.5m", 90_000_000),
        ("+2h", 7_200_000_000),
        ("-5s", -5_000_000),
        ("1d", 86_400_000_000),
        ("5 m", 300_000_000),
        ("90", 90_000_000),
    ],
)
def test_durations_count_from_now(text: str, after_us: int) -> None:
    assert reply_by_time(text, NOW) == time_text(NOW + after_us)


def test_times_become_utc() -> None:
    assert reply_by_time("2026-11-22T12:00:00+02:00", NOW) == "2026-11-22T10:00:00.000000Z"


@pytest.mark.parametrize(
    "text",
    [
        "soon",
        "2026-11-22",
        "2026-11-22T12:00:00",
        "20261122",
        "5 x",
        "",
        "99999999d" * 3,
        "--5s",
        "-999999999d",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidMessage, match="not a time"):
        reply_by_time(text, NOW)
