"""`/api/v1/conversations`: what was said together."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Path, Query, Request
from starlette.responses import Response

from caxton.api.openapi import described
from caxton.api.parameters import After, Before, Limit
from caxton.api.responses import answer, page
from caxton.api.routes.break_points import held_body
from caxton.api.routing import noun_router
from caxton.api.rows import conversation_body, with_outcome
from caxton.api.services import Services, full_name, services_of
from caxton.api.verdicts import with_states
from caxton.errors import ConversationNotFound
from caxton.schemas.messages import ConversationDetail, Conversations

MOST_HELD: Final = 100
"""Held messages that a conversation is shown with; `GET /held` has them all."""

router = noun_router("/conversations", "conversations")


@router.get("", response_model=described(Conversations))
async def list_conversations(
    request: Request,
    agent: Annotated[str | None, Query(max_length=1024)] = None,
    before: Before = None,
    limit: Limit = 50,
) -> Response:
    """Conversations, the newest first."""
    services = services_of(request)
    rows = await services.reader.conversations(
        agent=full_name(services, agent), before_seq=before, limit=limit
    )
    pins = dict(await services.reader.pins())
    bodies = [conversation_body(row, row.id in pins) for row in rows]
    await with_states(services, rows, bodies)
    return page(bodies, rows[-1].first_seq if len(rows) == limit else None)


@router.get("/{id:path}", response_model=described(ConversationDetail))
async def show(
    request: Request,
    id: Annotated[str, Path(max_length=1024, description="The conversation's id.")],
    after: After = 0,
    limit: Limit = 100,
) -> Response:
    """One conversation with its messages, their turns and dead letters, oldest first, and what is held of it."""
    return answer(await conversation_detail(services_of(request), id, after, limit))


async def conversation_detail(services: Services, id: str, after: int, limit: int) -> dict[str, Any]:
    """A `ConversationDetail`; raises ConversationNotFound."""
    reader = services.reader
    found = await reader.conversation(id)
    if found is None:
        raise ConversationNotFound(f"there is no conversation {id[:200]!r}", hint="see: caxton conv list")
    rows = await reader.messages(conversation=id, after_seq=after, limit=limit)
    body = conversation_body(found, id in dict(await reader.pins()))
    await with_states(services, [found], [body], branches=True)
    held = services.hold.of(id)[:MOST_HELD]
    if held:
        await services.journal.committed_upto(held[-1].seq)
    body["held"] = [held_body(services, one) for one in held]
    body["items"] = await with_outcome(reader, rows)
    body["next"] = rows[-1].seq if len(rows) == limit else None
    return body
