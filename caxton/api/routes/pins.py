"""`/api/v1/pins`: conversations that every new build of their agents is tried on."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request
from starlette.responses import Response

from caxton.api.openapi import described
from caxton.api.responses import answer, page
from caxton.api.routing import noun_router
from caxton.api.services import durable, services_of
from caxton.errors import ConversationNotFound, ResourceError
from caxton.journal import Pin, Unpin
from caxton.schemas.deployments import PinBody, Pins
from caxton.schemas.shape import iso

router = noun_router("/pins", "pins")

MOST = 200
"""Each of them costs every gate time."""

Id = Annotated[str, Path(max_length=1024, description="The conversation's id.")]


@router.get("", response_model=described(Pins))
async def list_pins(request: Request) -> Response:
    """Pinned conversations, the newest first."""
    pins = await services_of(request).reader.pins()
    return page([{"conversation_id": id, "pinned_at": iso(at_us)} for id, at_us in pins], None)


@router.put("/{id:path}", response_model=described(PinBody))
async def pin(request: Request, id: Id) -> Response:
    """Pin a conversation; one that is pinned already stays so."""
    services = services_of(request)
    if await services.reader.conversation(id) is None:
        raise ConversationNotFound(f"there is no conversation {id[:200]!r}", hint="see: caxton conv list")
    pins = dict(await services.reader.pins())
    if id not in pins and len(pins) >= MOST:
        raise ResourceError(
            f"{MOST} conversations are pinned already", hint="unpin one: caxton conv unpin ID"
        )
    at_us = pins.get(id) or services.clock.now_us()
    if id not in pins:
        async with durable(services):
            services.journal.batch.records.append(Pin(id, at_us))
            services.bus.event("pin", conversation=id, body={"conversation": id, "pinned": True})
    return answer({"conversation_id": id, "pinned_at": iso(at_us)})


@router.delete("/{id:path}", status_code=204, response_class=Response)
async def unpin(request: Request, id: Id) -> Response:
    """Unpin a conversation."""
    services = services_of(request)
    if id not in dict(await services.reader.pins()):
        raise ConversationNotFound(f"{id[:200]!r} is not pinned", hint="see: caxton conv list --pinned")
    async with durable(services):
        services.journal.batch.records.append(Unpin(id))
        services.bus.event("pin", conversation=id, body={"conversation": id, "pinned": False})
    return Response(status_code=204)
