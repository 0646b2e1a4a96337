"""`/api/v1/df`: what agents have registered with the directory facilitator, and who wants to hear of it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from caxton.api.bodies import read_body
from caxton.api.openapi import described
from caxton.api.parameters import Behind, Limit, cut, subscribed
from caxton.api.responses import page
from caxton.api.routing import noun_router
from caxton.api.services import services_of
from caxton.errors import InvalidMessage
from caxton.platform_agents.directory import NEVER_US, Entry
from caxton.platform_agents.subscriptions import Subscription
from caxton.platform_agents.vocabulary import Declined
from caxton.schemas.daemon import DfEntries, DfSubscriptions
from caxton.schemas.shape import iso

router = noun_router("/df", "df")


class DfSearchBody(BaseModel):
    """A search as an agent would send it to `df`, without the message around it."""

    model_config = ConfigDict(extra="forbid")

    description: dict[str, Any] | None = Field(
        default=None, description="A df-agent-description in which everything may be missing."
    )
    constraints: dict[str, Any] | None = Field(
        default=None,
        description="Search constraints: max-results; max-depth and search-id mean nothing here.",
    )


@router.get("", response_model=described(DfEntries))
async def registrations(
    request: Request,
    after: Annotated[str, Query(pattern=r"^(\d{1,18} .{1,1024})?$", description="`next` of a page.")] = "",
    limit: Limit = 1000,
) -> Response:
    """Registrations, the oldest first."""
    us, _, name = after.partition(" ")
    since = (int(us or 0), name)
    places = sorted((one.registered_us, one.name, one) for one in services_of(request).df.entries())
    found = [one for us, name, one in places if (us, name) > since]
    following = f"{found[limit - 1].registered_us} {found[limit - 1].name}" if len(found) > limit else None
    return page([_entry(one) for one in found[:limit]], following)


@router.post(
    "/search",
    response_model=described(DfEntries),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": DfSearchBody.model_json_schema()}},
        }
    },
)
async def search(request: Request) -> Response:
    """The registrations that match a description, the oldest first; all of them unless max-results says less."""
    services = services_of(request)
    body = read_body(DfSearchBody, await request.body(), InvalidMessage)
    try:
        found = services.df.find(body.description, body.constraints)
    except Declined as declined:
        raise InvalidMessage(
            declined.reason, hint=declined.hint, error=declined.error, arguments=list(declined.arguments)
        ) from None
    finally:
        # what was found to be expired was written down and told
        services.bus.settle()
    return page([_entry(one) for one in found], None)


@router.get("/subscriptions", response_model=described(DfSubscriptions))
async def subscriptions(request: Request, after: Behind = "", limit: Limit = 1000) -> Response:
    """Who is told when a search finds something else than before, the oldest first."""
    known = sorted(services_of(request).df.subscriptions(), key=subscribed)
    found, following = cut(known, subscribed, after, limit)
    return page([_subscription(one) for one in found], following)


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "registered_at": iso(entry.registered_us),
        "expires_at": None if entry.expires_us == NEVER_US else iso(entry.expires_us),
        "description": entry.description,
    }


def _subscription(one: Subscription) -> dict[str, Any]:
    return {
        "subscriber": one.subscriber,
        "conversation_id": one.conversation_id,
        "since": iso(one.since_us),
        "language": one.language,
        "content": one.content,
    }
