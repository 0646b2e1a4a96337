"""Moments as people read them: by the clock of this machine, and as short as they are useful.

In: moments of the API, in UTC. Out: `04:24:03` of today, `11-29 04:24` of this year, `2025-11-29` before that.
"""

from __future__ import annotations

from datetime import datetime


def local_time(moment: datetime, now: datetime | None = None) -> str:
    """The moment by the local clock; `now` is what today is."""
    local = moment.astimezone()
    today = (now or datetime.now(local.tzinfo)).astimezone()
    if local.date() == today.date():
        return f"{local:%H:%M:%S}"
    return f"{local:%m-%d %H:%M}" if local.year == today.year else f"{local:%Y-%m-%d}"
