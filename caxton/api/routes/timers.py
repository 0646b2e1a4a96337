"""`/api/v1/timers`: when which agent wants to be woken."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request
from starlette.responses import Response

from caxton.api.openapi import described
from caxton.api.parameters import Limit
from caxton.api.responses import page
from caxton.api.routing import noun_router
from caxton.api.services import full_name, services_of
from caxton.bus.timer_rows import TimerRow
from caxton.schemas.daemon import Timers
from caxton.schemas.shape import iso

router = noun_router("/timers", "timers")


@router.get("", response_model=described(Timers))
async def timers(
    request: Request,
    agent: Annotated[str | None, Query(max_length=128, description="Only those of this agent.")] = None,
    limit: Limit = 1000,
) -> Response:
    """Timers that are set, the next to ring first."""
    services = services_of(request)
    return page([_timer(row) for row in services.timer.rows(full_name(services, agent))[:limit]], None)


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
