"""`/api/v1/dead-letters`: messages that could not be handled, with their reasons."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from caxton.api.openapi import described
from caxton.api.parameters import Before, Limit
from caxton.api.responses import page
from caxton.api.rows import dead_letter_body
from caxton.api.services import full_name, services_of
from caxton.schemas.messages import DeadLetters

router = APIRouter(prefix="/dead-letters", tags=["dead letters"])


@router.get("", response_model=described(DeadLetters))
async def list_dead_letters(
    request: Request,
    agent: Annotated[str | None, Query(max_length=128)] = None,
    before: Before = None,
    limit: Limit = 50,
) -> Response:
    """Dead letters, the newest first, each with its message while that is kept."""
    services = services_of(request)
    reader = services.reader
    rows = await reader.dead_letters(agent=full_name(services, agent), before_seq=before, limit=limit)
    bodies = [dead_letter_body(row) for row in rows]
    for body in bodies:
        stored = await reader.message(body["seq"])
        if stored is not None:
            body["message"] = msgspec.Raw(stored.body)
    return page(bodies, rows[-1].seq if len(rows) == limit else None)
