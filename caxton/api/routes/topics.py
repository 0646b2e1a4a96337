"""`/api/v1/topics`: what is published, and who gets it."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from starlette.responses import Response

from caxton.api.openapi import described
from caxton.api.parameters import Behind, Limit, cut, subscribed
from caxton.api.responses import page
from caxton.api.routing import noun_router
from caxton.api.services import services_of
from caxton.platform_agents.topics import Topic, Topics
from caxton.schemas.daemon import TopicList, TopicSubscriptions
from caxton.schemas.shape import iso

router = noun_router("/topics", "topics")


@router.get("", response_model=described(TopicList))
async def topics(request: Request, after: Behind = "", limit: Limit = 1000) -> Response:
    """Topics that were published to, retain something, or are subscribed to by name; none if an agent is `topics`."""
    agent = services_of(request).topics
    if agent is None:
        return page([], None)
    found, following = cut(agent.topics(), lambda one: one.name, after, limit)
    return page([_topic(agent, one) for one in found], following)


@router.get("/subscriptions", response_model=described(TopicSubscriptions))
async def subscriptions(request: Request, after: Behind = "", limit: Limit = 1000) -> Response:
    """Who gets what is said to which topics, the oldest first."""
    agent = services_of(request).topics
    known = [] if agent is None else agent.subscriptions()
    chosen, following = cut(sorted(known, key=subscribed), subscribed, after, limit)
    found = [
        {
            "subscriber": one.subscriber,
            "topics": one.topics,
            "conversation_id": one.conversation_id,
            "since": iso(one.since_us),
            "lost": one.lost,
        }
        for one in chosen
    ]
    return page(found, following)


def _topic(agent: Topics, one: Topic) -> dict[str, Any]:
    return {
        "topic": one.name,
        "subscribers": agent.subscribers(one.name),
        "publications": one.publications,
        "deliveries": one.deliveries,
        "lost": one.lost,
        "retained": agent.retains(one.name),
        "last_at": None if one.last_us is None else iso(one.last_us),
    }
