"""`/api/v1/timers`: when which agent wants to be woken."""

from __future__ import annotations

from bisect import bisect_right
from typing import Annotated, Any

from fastapi import Query, Request
from starlette.responses import Response

from caxton.api.openapi import described
from caxton.api.parameters import Limit
from caxton.api.responses import page
from caxton.api.routing import noun_router
from caxton.api.services import full_name, services_of
from caxton.platform_agents.timer_rows import TimerRow
from caxton.schemas.daemon import Timers
from caxton.schemas.shape import iso

After = Annotated[
    str | None,
    Query(
        pattern=r"^\d{1,18}-\d{1,18}$", description="Only those behind this one: `next` of the page before."
    ),
]

router = noun_router("/timers", "timers")


@router.get("", response_model=described(Timers))
async def timers(
    request: Request,
    agent: Annotated[str | None, Query(max_length=128, description="Only those of this agent.")] = None,
    after: After = None,
    limit: Limit = 1000,
) -> Response:
    """Timers that are set, the next to ring first. One that rings meanwhile and repeats may come once more."""
    services = services_of(request)
    rows = services.timer.rows(full_name(services, agent))
    if after is not None:
        due_us, _, seq = after.partition("-")
        rows = rows[bisect_right(rows, (int(due_us), int(seq)), key=_place) :]
    found = rows[:limit]
    return page([_timer(row) for row in found], _cursor(found[-1]) if len(rows) > limit else None)


def _place(row: TimerRow) -> tuple[int, int]:
    return row.due_us, row.seq


def _cursor(row: TimerRow) -> str:
    return f"{row.due_us}-{row.seq}"


def _timer(row: TimerRow) -> dict[str, Any]:
    return {
        "owner": row.owner,
        "tag": row.tag,
        "kind": "cron" if row.cron is not None else "every" if row.every_us else "once",
        "due_at": iso(row.due_us),
        "set_at": iso(row.set_us),
        "conversation_id": row.conversation_id,
        "every_ms": row.every_us / 1000 if row.every_us else None,
        "cron": row.cron,
        "zone": row.zone,
        "count": row.count or None,
        "beat": row.beat,
        "missed": row.missed,
        "catch_up": row.catch_up,
    }
