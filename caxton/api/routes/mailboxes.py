"""`/api/v1/agents/{name}/mailbox`: what waits for an agent, and a way to have it wait no more."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from caxton import exact_numbers
from caxton.api.openapi import described
from caxton.api.parameters import After, Limit
from caxton.api.responses import answer, page
from caxton.api.routes.agents import Name
from caxton.api.routing import noun_router
from caxton.api.services import durable, services_of
from caxton.bus import Endpoint, Envelope
from caxton.finding import Filter, MessageSubject
from caxton.schemas.daemon import Mailbox, Purged
from caxton.schemas.shape import Message, iso

router = noun_router("/agents/{name}/mailbox", "mailboxes")

FILTER = "Only messages that match, such as `from:buyer act:request`."


class PurgeBody(BaseModel):
    """Which of the messages that wait are to be dead letters."""

    model_config = ConfigDict(extra="forbid")

    filter: str = Field(default="", max_length=4096, description=FILTER)
    reason: str = Field(
        default="an operator emptied the mailbox", max_length=500, description="What the senders are told."
    )


@router.get("", response_model=described(Mailbox))
async def waiting(
    request: Request,
    name: Name,
    after: After = 0,
    limit: Limit = 1000,
    filter: Annotated[str, Query(max_length=4096, description=FILTER)] = "",
) -> Response:
    """What waits for an agent, in the order in which it will be handled; what its cell has already comes first.

    `after` is a number of messages to pass over.
    """
    services = services_of(request)
    endpoint = services.agents.registry.find(name).endpoint
    wanted = Filter(filter)
    platform = services.config.config.platform
    found: list[dict[str, Any]] = []
    for place, (envelope, in_cell) in enumerate(endpoint.mail(), 1):
        if place > after and _matches(wanted, envelope, platform):
            if len(found) == limit:
                return page(found, place - 1)
            found.append(_entry(endpoint, envelope, place, in_cell=in_cell))
    return page(found, None)


@router.post("/purge", response_model=described(Purged))
async def purge(request: Request, name: Name, body: PurgeBody) -> Response:
    """Make what waits for an agent dead letters (`purged`); who sent it is told. What its cell has is handled."""
    services = services_of(request)
    endpoint = services.agents.registry.find(name).endpoint
    wanted = Filter(body.filter)
    platform = services.config.config.platform
    async with durable(services):
        gone = endpoint.take_out(lambda envelope: _matches(wanted, envelope, platform))
        for envelope in gone:
            services.bus.dead_letter(endpoint.name, envelope, "purged", body.reason)
    return answer({"purged": len(gone)})


def _matches(wanted: Filter, envelope: Envelope, platform: str) -> bool:
    return not wanted or wanted.passes(MessageSubject(Message(exact_numbers.decode(envelope.body)), platform))


def _entry(endpoint: Endpoint, envelope: Envelope, place: int, *, in_cell: bool) -> dict[str, Any]:
    return {
        "place": place,
        "seq": envelope.seq,
        "in_cell": in_cell,
        "urgent": envelope.urgent,
        "put_backs": endpoint.times_put_back(envelope.seq),
        "redelivered": envelope.redelivered,
        "since": iso(envelope.message.timestamp),
        "message": msgspec.Raw(envelope.body),
    }
