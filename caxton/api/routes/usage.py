"""`/api/v1/usage`: what was spent on models."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query, Request
from starlette.responses import Response

from caxton.api.openapi import described
from caxton.api.responses import page
from caxton.api.routing import noun_router
from caxton.api.services import services_of
from caxton.schemas.daemon import UsageList

router = noun_router("/usage", "usage")
By = Literal["agent", "conversation", "model", "day", "project"]


@router.get("", response_model=described(UsageList))
async def usage(
    request: Request, by: Annotated[By, Query(description="What is summed up together.")] = "agent"
) -> Response:
    """What was spent on models, and what may be, the dearest first."""
    return page(services_of(request).effects.usage(by), None)
