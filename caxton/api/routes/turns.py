"""`/api/v1/turns`: what agents did with messages, one turn a row, for figures and waterfalls."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Query, Request
from starlette.responses import Response

from caxton.api.openapi import described
from caxton.api.parameters import Before, Limit
from caxton.api.responses import page
from caxton.api.routing import noun_router
from caxton.api.rows import turn_body
from caxton.api.services import full_name, services_of
from caxton.schemas.messages import Turns

router = noun_router("/turns", "turns")

OF_ONE: Final = 100_000
"""Turns on one message: a publication has as many as its topic has subscribers."""


@router.get("", response_model=described(Turns))
async def list_turns(
    request: Request,
    agent: Annotated[str | None, Query(max_length=1024)] = None,
    conversation: Annotated[str | None, Query(max_length=1024)] = None,
    before: Before = None,
    limit: Limit = 100,
) -> Response:
    """Turns, those on the newest messages first, each with the number of its message.

    Turns on one message are not parted: a page is longer than `limit` where its last message had several.
    """
    services = services_of(request)
    name = full_name(services, agent)
    rows = await services.reader.turns(
        agent=name, conversation=conversation, before_seq=before, limit=limit, newest_first=True
    )
    full = len(rows) == limit
    if full:
        last = rows[-1].seq
        of_last = await services.reader.turns(
            agent=name, conversation=conversation, seqs=[last], limit=OF_ONE, newest_first=True
        )
        rows = [*(row for row in rows if row.seq != last), *of_last]
    builds = {row.no: row.sha256 for row in await services.reader.revisions()}
    bodies = [{"seq": row.seq, **turn_body(row, builds.get(row.revision_no))} for row in rows]
    return page(bodies, rows[-1].seq if full else None)
